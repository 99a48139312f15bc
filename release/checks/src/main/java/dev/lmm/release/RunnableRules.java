package dev.lmm.release;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.jar.Attributes;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The command line as one jar: everything inside, nothing lost, nothing broken. */
final class RunnableRules {
  static final String ARTIFACT = "lmm-cli";
  static final String SUFFIX = "-all.jar";

  private static final Map<String, String> MANIFEST =
      Map.of(
          "Main-Class", "dev.lmm.cli.Main",
          "Multi-Release", "true",
          "Enable-Native-Access", "ALL-UNNAMED");

  /** What a part has and the whole may not. */
  private static final Pattern LEFT_OUT =
      Pattern.compile(
          "META-INF/MANIFEST\\.MF|META-INF/INDEX\\.LIST|META-INF/[^/]*\\.(SF|DSA|RSA|EC)"
              + "|(META-INF/versions/\\d+/)?module-info\\.class"
              + "|(META-INF/)?(LICENSE|NOTICE|DEPENDENCIES)[^/]*"
              + "|META-INF/versions/\\d+/OSGI-INF/.*");

  private static final Pattern SIGNATURE = Pattern.compile("META-INF/[^/]*\\.(SF|DSA|RSA|EC)");

  private RunnableRules() {}

  /**
   * Compares it with its parts.
   *
   * @param parts a folder with the jars it is made of
   */
  static List<String> runnable(Bundle bundle, Path parts) throws IOException {
    String path = bundle.path(ARTIFACT, SUFFIX);
    if (!bundle.has(path)) {
      return List.of("there is no " + ARTIFACT + SUFFIX);
    }
    Map<String, byte[]> whole = Bundle.entries(bundle.file(path));
    List<String> faults = new ArrayList<>();
    Attributes attributes = JarRules.attributes(whole);
    new TreeMap<>(MANIFEST)
        .forEach(
            (name, value) -> {
              if (!value.equals(attributes.getValue(name))) {
                faults.add(name + " is " + attributes.getValue(name) + ", not " + value);
              }
            });
    whole.keySet().stream()
        .filter(SIGNATURE.asMatchPredicate())
        .forEach(name -> faults.add(name + " signs a part, not the whole"));
    List<Path> jars = new ArrayList<>(List.of(bundle.file(bundle.path(ARTIFACT, ".jar"))));
    try (Stream<Path> files = Files.list(parts)) {
      files.filter(f -> f.toString().endsWith(".jar")).sorted().forEach(jars::add);
    }
    for (Path jar : jars) {
      String name = jar.getFileName().toString();
      for (Map.Entry<String, byte[]> entry : Bundle.entries(jar).entrySet()) {
        if (!LEFT_OUT.matcher(entry.getKey()).matches()) {
          String fault = fault(entry.getKey(), entry.getValue(), whole);
          if (!fault.isEmpty()) {
            faults.add(entry.getKey() + " of " + name + " " + fault);
          }
        }
      }
    }
    faults.addAll(named(bundle, whole));
    return faults.stream().map(fault -> ARTIFACT + SUFFIX + ": " + fault).toList();
  }

  private static String fault(String entry, byte[] part, Map<String, byte[]> whole) {
    byte[] found = whole.get(entry);
    if (found == null) {
      return "is missing";
    }
    if (entry.startsWith("META-INF/services/")) {
      List<String> lines = services(found);
      return lines.containsAll(services(part)) ? "" : "is not merged";
    }
    return Arrays.equals(part, found) ? "" : "is not the one inside";
  }

  private static List<String> services(byte[] file) {
    return JarRules.text(file)
        .lines()
        .map(line -> line.replaceAll("#.*", "").strip())
        .filter(line -> !line.isEmpty())
        .toList();
  }

  /** Every library inside is named with its licence. */
  private static List<String> named(Bundle bundle, Map<String, byte[]> whole) throws IOException {
    String text = JarRules.text(whole.getOrDefault("META-INF/THIRD-PARTY.txt", new byte[0]));
    return Sbom.of(bundle, ARTIFACT).components().stream()
        .filter(c -> !c.group().equals("dev.lmm"))
        .map(c -> c.group() + ":" + c.name())
        .filter(name -> !text.contains(name))
        .map(name -> "META-INF/THIRD-PARTY.txt does not name " + name)
        .toList();
  }
}
