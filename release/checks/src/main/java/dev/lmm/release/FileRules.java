package dev.lmm.release;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.w3c.dom.Element;

/** Which files there are, and that their checksums are right. */
final class FileRules {
  /** Those that Central demands come first. */
  private static final Map<String, String> CHECKSUMS =
      Map.of("md5", "MD5", "sha1", "SHA-1", "sha256", "SHA-256", "sha512", "SHA-512");

  private static final Set<String> DEMANDED = Set.of("md5", "sha1");

  private FileRules() {}

  /** The artifacts are those that the BOM lists, the BOM itself and the parent; no other. */
  static List<String> artifacts(Bundle bundle) throws IOException {
    Set<String> expected = new TreeSet<>(List.of("lmm-bom", "lmm-parent"));
    if (!bundle.has(bundle.path("lmm-bom", ".pom"))) {
      return List.of("lmm-bom is not in the bundle");
    }
    for (Element entry :
        bundle.pom("lmm-bom").all("dependencyManagement/dependencies/dependency")) {
      expected.add(Pom.text(entry, "artifactId"));
    }
    List<String> faults = new ArrayList<>();
    for (String artifact : bundle.artifacts()) {
      if (!expected.remove(artifact)) {
        faults.add(artifact + " is published but not in lmm-bom");
      }
    }
    expected.forEach(artifact -> faults.add(artifact + " is in lmm-bom but not published"));
    return faults;
  }

  /** Every artifact has its POM, and jars have sources and Javadoc; names fit the folders. */
  static List<String> fileSet(Bundle bundle) throws IOException {
    List<String> faults = new ArrayList<>();
    for (String artifact : bundle.artifacts()) {
      if (!bundle.has(bundle.path(artifact, ".pom"))) {
        faults.add(artifact + " has no POM");
      }
    }
    for (String artifact : bundle.jars()) {
      for (String suffix : List.of(".jar", "-sources.jar", "-javadoc.jar")) {
        if (!bundle.has(bundle.path(artifact, suffix))) {
          faults.add(artifact + " has no " + suffix);
        }
      }
    }
    for (String file : bundle.files()) {
      String[] parts = file.split("/", -1);
      boolean fits =
          parts.length == 5
              && file.startsWith(Bundle.GROUP + "/")
              && parts[3].equals(bundle.version())
              && parts[4].startsWith(parts[2] + "-" + bundle.version());
      if (!fits) {
        faults.add(file + " is no file of version " + bundle.version());
      }
    }
    return faults;
  }

  /** Every file has checksums, and they are its own. */
  static List<String> checksums(Bundle bundle) throws IOException {
    List<String> faults = new ArrayList<>();
    for (String file : bundle.files()) {
      if (isChecksum(file)) {
        String of = file.substring(0, file.lastIndexOf('.'));
        if (!bundle.has(of)) {
          faults.add(file + " is the checksum of nothing");
        } else if (!stated(bundle, file).equals(digest(bundle.bytes(of), extension(file)))) {
          faults.add(file + " is not the checksum of " + of);
        }
      } else if (!file.endsWith(".asc")) {
        for (String kind : DEMANDED) {
          if (!bundle.has(file + "." + kind)) {
            faults.add(file + " has no " + kind);
          }
        }
      }
    }
    return faults;
  }

  static boolean isChecksum(String file) {
    return CHECKSUMS.containsKey(extension(file));
  }

  private static String extension(String file) {
    return file.substring(file.lastIndexOf('.') + 1);
  }

  private static String stated(Bundle bundle, String file) throws IOException {
    return Files.readString(bundle.file(file), StandardCharsets.US_ASCII).strip();
  }

  static String digest(byte[] bytes, String kind) {
    try {
      String algorithm = CHECKSUMS.getOrDefault(kind, kind);
      return HexFormat.of().formatHex(MessageDigest.getInstance(algorithm).digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
