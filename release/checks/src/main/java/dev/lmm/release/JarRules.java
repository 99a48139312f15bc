package dev.lmm.release;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.jar.Attributes;
import java.util.jar.Manifest;

/** What is in the jars. */
final class JarRules {
  /** Java 17. */
  private static final int CLASS_VERSION = 61;

  private static final String MANIFEST = "META-INF/MANIFEST.MF";

  private JarRules() {}

  /** Licence, a module's name, Java 17, and no package of somebody else. */
  static List<String> main(Bundle bundle) throws IOException {
    List<String> faults = new ArrayList<>();
    for (String artifact : bundle.jars()) {
      String path = bundle.path(artifact, ".jar");
      if (!bundle.has(path)) {
        continue; // FileRules says so
      }
      Map<String, byte[]> entries = Bundle.entries(bundle.file(path));
      licensed(faults, artifact + ".jar", entries);
      if (!entries.containsKey("module-info.class")
          && attributes(entries).getValue("Automatic-Module-Name") == null) {
        faults.add(artifact + ".jar has no module name");
      }
      for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
        String name = entry.getKey();
        if (!name.startsWith("META-INF/")
            && !name.startsWith("dev/lmm/")
            && !name.equals("module-info.class")) {
          faults.add(artifact + ".jar holds " + name);
        }
        if (name.endsWith(".class") && classVersion(entry.getValue()) > CLASS_VERSION) {
          faults.add(artifact + ".jar: " + name + " needs more than Java 17");
        }
      }
    }
    return faults;
  }

  /** Sources hold the source of every class, and the licence. */
  static List<String> sources(Bundle bundle) throws IOException {
    List<String> faults = new ArrayList<>();
    for (String artifact : bundle.jars()) {
      String main = bundle.path(artifact, ".jar");
      String sources = bundle.path(artifact, "-sources.jar");
      if (!bundle.has(main) || !bundle.has(sources)) {
        continue;
      }
      Map<String, byte[]> entries = Bundle.entries(bundle.file(sources));
      licensed(faults, artifact + "-sources.jar", entries);
      for (String name : Bundle.entries(bundle.file(main)).keySet()) {
        if (name.endsWith(".class")) {
          String source = name.replaceAll("(\\$[^/]*)?\\.class$", ".java");
          if (!entries.containsKey(source)) {
            faults.add(artifact + "-sources.jar has no " + source);
          }
        }
      }
    }
    return faults;
  }

  /** Javadoc has a first page, and a page of the module or of a package with words on it. */
  static List<String> javadoc(Bundle bundle) throws IOException {
    List<String> faults = new ArrayList<>();
    for (String artifact : bundle.jars()) {
      String path = bundle.path(artifact, "-javadoc.jar");
      if (!bundle.has(path)) {
        continue;
      }
      Map<String, byte[]> entries = Bundle.entries(bundle.file(path));
      boolean described =
          entries.entrySet().stream()
              .filter(e -> e.getKey().matches("(.*/)?(package|module)-summary\\.html"))
              .anyMatch(e -> text(e.getValue()).contains("class=\"block\""));
      if (!entries.containsKey("index.html") || !described) {
        faults.add(artifact + "-javadoc.jar is empty");
      }
    }
    return faults;
  }

  /**
   * Nothing that is ours tells of the builder's machine.
   *
   * @param forbidden the builder's folders
   */
  static List<String> places(Bundle bundle, List<String> forbidden) throws IOException {
    List<String> faults = new ArrayList<>();
    for (String file : bundle.files()) {
      if (FileRules.isChecksum(file) || file.endsWith(".asc")) {
        continue;
      }
      if (file.endsWith(".jar")) {
        boolean runnable = file.endsWith("-all.jar");
        for (Map.Entry<String, byte[]> entry : Bundle.entries(bundle.file(file)).entrySet()) {
          // What others built says what they built it in.
          boolean ours = !runnable || entry.getKey().matches("dev/lmm/.*|META-INF/[^/]*");
          if (ours) {
            place(faults, file + ": " + entry.getKey(), entry.getValue(), forbidden);
          }
        }
      } else {
        place(faults, file, bundle.bytes(file), forbidden);
      }
    }
    return faults;
  }

  private static void place(
      List<String> faults, String where, byte[] bytes, List<String> forbidden) {
    String content = new String(bytes, StandardCharsets.ISO_8859_1);
    for (String place : forbidden) {
      if (content.contains(place)) {
        faults.add(where + " names " + place);
      }
    }
  }

  private static void licensed(List<String> faults, String jar, Map<String, byte[]> entries) {
    for (String file : List.of("META-INF/LICENSE", "META-INF/NOTICE")) {
      if (!entries.containsKey(file)) {
        faults.add(jar + " has no " + file);
      }
    }
  }

  static Attributes attributes(Map<String, byte[]> entries) throws IOException {
    byte[] manifest = entries.getOrDefault(MANIFEST, new byte[0]);
    return new Manifest(new ByteArrayInputStream(manifest)).getMainAttributes();
  }

  /** The major version of a class file, 0 of a file that is none. */
  static int classVersion(byte[] bytes) {
    return bytes.length < 8 ? 0 : ((bytes[6] & 0xff) << 8) | (bytes[7] & 0xff);
  }

  static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
