package dev.lmm.release;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;

/**
 * What is handed to Maven Central: a repository of one version, unpacked.
 *
 * @param root the folder above {@code dev/lmm}
 * @param version the version released
 */
record Bundle(Path root, String version) {
  static final String GROUP = "dev/lmm";

  /** Unpacks a zip, whose entries may not leave the folder. */
  static void unpack(Path zip, Path folder) throws IOException {
    try (ZipInputStream entries = new ZipInputStream(Files.newInputStream(zip))) {
      for (ZipEntry entry = entries.getNextEntry(); entry != null; entry = entries.getNextEntry()) {
        Path file = folder.resolve(entry.getName()).normalize();
        if (!file.startsWith(folder)) {
          throw new IOException(zip + ": " + entry.getName() + " leads elsewhere");
        }
        if (!entry.isDirectory()) {
          Files.createDirectories(file.getParent());
          Files.copy(entries, file);
        }
      }
    }
  }

  /** All files, as paths below the root with slashes, in order. */
  List<String> files() throws IOException {
    try (Stream<Path> files = Files.walk(root)) {
      return files
          .filter(Files::isRegularFile)
          .map(f -> root.relativize(f).toString().replace('\\', '/'))
          .sorted()
          .toList();
    }
  }

  /** The artifacts' names. */
  List<String> artifacts() throws IOException {
    return files().stream()
        .filter(f -> f.startsWith(GROUP + "/"))
        .map(f -> f.substring(GROUP.length() + 1))
        .filter(f -> f.contains("/"))
        .map(f -> f.substring(0, f.indexOf('/')))
        .distinct()
        .toList();
  }

  /**
   * The path of an artifact's file; the suffix is what follows the version: {@code -sources.jar}.
   */
  String path(String artifact, String suffix) {
    return GROUP + "/" + artifact + "/" + version + "/" + artifact + "-" + version + suffix;
  }

  Path file(String path) {
    return root.resolve(path);
  }

  boolean has(String path) {
    return Files.isRegularFile(file(path));
  }

  byte[] bytes(String path) throws IOException {
    return Files.readAllBytes(file(path));
  }

  Pom pom(String artifact) throws IOException {
    return Pom.read(file(path(artifact, ".pom")));
  }

  /** The artifacts that are jars. */
  List<String> jars() throws IOException {
    List<String> jars = new ArrayList<>();
    for (String artifact : artifacts()) {
      if (has(path(artifact, ".pom")) && pom(artifact).packaging().equals("jar")) {
        jars.add(artifact);
      }
    }
    return jars;
  }

  /** The entries of a jar that are files. An entry that stands there twice is an error. */
  static Map<String, byte[]> entries(Path jar) throws IOException {
    Map<String, byte[]> entries = new TreeMap<>();
    try (InputStream file = Files.newInputStream(jar);
        ZipInputStream zip = new ZipInputStream(file)) {
      for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
        if (!entry.isDirectory()) {
          byte[] bytes = zip.readAllBytes();
          byte[] before = entries.put(entry.getName(), bytes);
          if (before != null) {
            throw new IOException(
                jar
                    + " holds "
                    + entry.getName()
                    + " twice"
                    + (Arrays.equals(before, bytes) ? "" : ", and they differ"));
          }
        }
      }
    }
    return entries;
  }
}
