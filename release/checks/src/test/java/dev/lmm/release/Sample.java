package dev.lmm.release;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.bouncycastle.bcpg.HashAlgorithmTags;
import org.bouncycastle.openpgp.PGPException;
import org.bouncycastle.openpgp.PGPSecretKey;
import org.bouncycastle.openpgp.PGPSecretKeyRingCollection;
import org.bouncycastle.openpgp.PGPSignature;
import org.bouncycastle.openpgp.PGPSignatureGenerator;
import org.bouncycastle.openpgp.PGPUtil;
import org.bouncycastle.openpgp.operator.bc.BcKeyFingerprintCalculator;
import org.bouncycastle.openpgp.operator.bc.BcPBESecretKeyDecryptorBuilder;
import org.bouncycastle.openpgp.operator.bc.BcPGPContentSignerBuilder;
import org.bouncycastle.openpgp.operator.bc.BcPGPDigestCalculatorProvider;

/** A small release without a fault, to be spoilt in one place. */
final class Sample {
  static final String VERSION = "1.2.3";
  static final String PASSPHRASE = "not a secret";

  /** Files that are no jars, by their path below dev/lmm. */
  final Map<String, String> texts = new TreeMap<>();

  /** Jars by their path, each a map of entries. */
  final Map<String, Map<String, String>> jars = new TreeMap<>();

  /** The jars that the runnable one is made of. */
  final Map<String, Map<String, String>> parts = new TreeMap<>();

  Sample() {
    texts.put(path("lmm-parent", ".pom"), pom("lmm-parent", "pom", "", ""));
    texts.put(
        path("lmm-bom", ".pom"),
        pom(
            "lmm-bom",
            "pom",
            "",
            "<dependencyManagement><dependencies>"
                + dependency("dev.lmm", "lmm-a", "${project.version}")
                + dependency("dev.lmm", "lmm-cli", "${project.version}")
                + "</dependencies></dependencyManagement>"));
    library("lmm-a", "dev/lmm/a/A", dependency("org.other", "other", "1.0"));
    library("lmm-cli", "dev/lmm/cli/Main", dependency("dev.lmm", "lmm-a", ""));
    Map<String, String> other =
        new TreeMap<>(
            Map.of(
                "META-INF/MANIFEST.MF",
                "Manifest-Version: 1.0\n",
                "META-INF/LICENSE",
                "theirs",
                "META-INF/OTHER.SF",
                "signed",
                "META-INF/services/some.Service",
                "# theirs\norg.other.Other\n",
                "org/other/Other.class",
                clazz(52),
                "native/other.so",
                "machine code"));
    parts.put("lmm-a.jar", jars.get(path("lmm-a", ".jar")));
    parts.put("other-1.0.jar", other);
    Map<String, String> all = new TreeMap<>(jars.get(path("lmm-cli", ".jar")));
    all.putAll(jars.get(path("lmm-a", ".jar")));
    all.putAll(other);
    all.remove("META-INF/OTHER.SF");
    all.remove("module-info.class");
    all.put("META-INF/services/some.Service", "dev.lmm.a.A\norg.other.Other\n");
    all.put("META-INF/THIRD-PARTY.txt", "org.other:other under the MIT licence");
    all.put(
        "META-INF/MANIFEST.MF",
        """
        Manifest-Version: 1.0
        Main-Class: dev.lmm.cli.Main
        Multi-Release: true
        Enable-Native-Access: ALL-UNNAMED
        """);
    jars.put(path("lmm-cli", "-all.jar"), all);
  }

  private void library(String artifact, String type, String dependencies) {
    texts.put(
        path(artifact, ".pom"),
        pom(
            artifact,
            "jar",
            "<parent><groupId>dev.lmm</groupId><artifactId>lmm-parent</artifactId><version>"
                + VERSION
                + "</version></parent>",
            "<dependencies>" + dependencies + "</dependencies>"));
    String needed =
        component("org.other", "other", "1.0", "MIT")
            + (artifact.equals("lmm-cli")
                ? component("dev.lmm", "lmm-a", VERSION, "Apache-2.0")
                : "");
    texts.put(
        path(artifact, "-cyclonedx.xml"),
        "<bom><metadata>"
            + component("dev.lmm", artifact, VERSION, "Apache-2.0")
            + "</metadata><components>"
            + needed
            + "</components></bom>");
    texts.put(path(artifact, "-cyclonedx.json"), "{}");
    jars.put(
        path(artifact, ".jar"),
        new TreeMap<>(
            Map.of(
                "META-INF/LICENSE",
                "Apache",
                "META-INF/NOTICE",
                "lmm",
                "META-INF/services/some.Service",
                "dev.lmm.a.A\n",
                "module-info.class",
                clazz(61),
                type + ".class",
                clazz(61),
                type + "$Inner$1.class",
                clazz(61))));
    jars.put(
        path(artifact, "-sources.jar"),
        new TreeMap<>(
            Map.of(
                "META-INF/LICENSE",
                "Apache",
                "META-INF/NOTICE",
                "lmm",
                "module-info.java",
                "module m {}",
                type + ".java",
                "class X {}")));
    jars.put(
        path(artifact, "-javadoc.jar"),
        new TreeMap<>(
            Map.of(
                "index.html", "<html>",
                "m/module-summary.html", "<div class=\"block\">What it does.</div>")));
  }

  static String path(String artifact, String suffix) {
    return artifact + "/" + VERSION + "/" + artifact + "-" + VERSION + suffix;
  }

  static String dependency(String group, String artifact, String version) {
    return "<dependency><groupId>"
        + group
        + "</groupId><artifactId>"
        + artifact
        + "</artifactId><version>"
        + version
        + "</version></dependency>";
  }

  private static String component(String group, String name, String version, String license) {
    return "<component><group>"
        + group
        + "</group><name>"
        + name
        + "</name><version>"
        + version
        + "</version><licenses><license><id>"
        + license
        + "</id></license></licenses></component>";
  }

  private static String pom(String artifact, String packaging, String parent, String rest) {
    String shared =
        parent.isEmpty()
            ? """
              <groupId>dev.lmm</groupId><version>1.2.3</version>
              <url>https://lmm.dev</url>
              <licenses><license><name>Apache-2.0</name><url>https://apache.org</url></license></licenses>
              <developers><developer><name>lmm</name><email>dev@lmm.dev</email></developer></developers>
              <scm><connection>scm:git:x</connection><developerConnection>scm:git:x</developerConnection>
              <url>https://lmm.dev</url></scm>
              """
            : "";
    return "<project>"
        + parent
        + "<artifactId>"
        + artifact
        + "</artifactId><packaging>"
        + packaging
        + "</packaging><name>"
        + artifact
        + "</name><description>A sample.</description>"
        + shared
        + rest
        + "</project>";
  }

  /** The head of a class file, each character a byte. */
  static String clazz(int version) {
    return "\u00ca\u00fe\u00ba\u00be\0\0\0" + (char) version;
  }

  /** Writes files, checksums and signatures, and the runnable jar's parts. */
  Bundle write(Path root, Path partsFolder, Path secretKey) throws IOException, PGPException {
    Files.createDirectories(partsFolder);
    for (Map.Entry<String, Map<String, String>> part : parts.entrySet()) {
      Files.write(partsFolder.resolve(part.getKey()), zip(part.getValue()));
    }
    Map<String, byte[]> files = new TreeMap<>();
    texts.forEach((path, text) -> files.put(path, text.getBytes(StandardCharsets.UTF_8)));
    for (Map.Entry<String, Map<String, String>> jar : jars.entrySet()) {
      files.put(jar.getKey(), zip(jar.getValue()));
    }
    for (Map.Entry<String, byte[]> entry : files.entrySet()) {
      Path file = root.resolve(Bundle.GROUP).resolve(entry.getKey());
      Files.createDirectories(file.getParent());
      Files.write(file, entry.getValue());
      for (String kind : new String[] {"md5", "sha1"}) {
        Files.writeString(
            file.resolveSibling(file.getFileName() + "." + kind),
            FileRules.digest(entry.getValue(), kind));
      }
      Files.write(
          file.resolveSibling(file.getFileName() + ".asc"), sign(entry.getValue(), secretKey));
    }
    return new Bundle(root, VERSION);
  }

  static byte[] zip(Map<String, String> entries) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      for (Map.Entry<String, String> entry : entries.entrySet()) {
        ZipEntry header = new ZipEntry(entry.getKey());
        header.setTime(0);
        zip.putNextEntry(header);
        zip.write(
            entry
                .getValue()
                .getBytes(
                    entry.getKey().endsWith(".class")
                        ? StandardCharsets.ISO_8859_1
                        : StandardCharsets.UTF_8));
      }
    }
    return bytes.toByteArray();
  }

  static byte[] sign(byte[] content, Path secretKey) throws IOException, PGPException {
    PGPSecretKey secret;
    try (InputStream file = Files.newInputStream(secretKey)) {
      secret =
          new PGPSecretKeyRingCollection(
                  PGPUtil.getDecoderStream(file), new BcKeyFingerprintCalculator())
              .getKeyRings()
              .next()
              .getSecretKey();
    }
    PGPSignatureGenerator generator =
        new PGPSignatureGenerator(
            new BcPGPContentSignerBuilder(
                secret.getPublicKey().getAlgorithm(), HashAlgorithmTags.SHA256),
            secret.getPublicKey());
    generator.init(
        PGPSignature.BINARY_DOCUMENT,
        secret.extractPrivateKey(
            new BcPBESecretKeyDecryptorBuilder(new BcPGPDigestCalculatorProvider())
                .build(PASSPHRASE.toCharArray())));
    generator.update(content);
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (OutputStream armored = ThrowAwayKey.armored(bytes)) {
      generator.generate().encode(armored);
    }
    return bytes.toByteArray();
  }
}
