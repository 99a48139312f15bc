package dev.lmm.fuzz;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;

/** The files other modules' tests are made of, to begin from, and folders to work in. */
final class Seeds {
  private Seeds() {}

  /** The repository's root: this folder or the one above. */
  static Path root() {
    for (Path folder = Path.of("").toAbsolutePath(); folder != null; folder = folder.getParent()) {
      if (Files.isDirectory(folder.resolve("lmm-core/src"))) {
        return folder;
      }
    }
    throw new IllegalStateException("Run it inside the repository: lmm-core/src is not found");
  }

  /** A file of the repository. */
  static byte[] bytes(String path) {
    try {
      return Files.readAllBytes(root().resolve(path));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A packed file of the repository, unpacked. */
  static byte[] unzipped(String path) {
    try (InputStream in = new GZIPInputStream(Files.newInputStream(root().resolve(path)))) {
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The small files of a folder of the repository. */
  static List<byte[]> folder(String path, long most, Predicate<String> wanted) {
    try (Stream<Path> files = Files.list(root().resolve(path))) {
      List<byte[]> all = new ArrayList<>();
      for (Path file : files.sorted().toList()) {
        if (wanted.test(file.getFileName().toString()) && Files.size(file) <= most) {
          all.add(Files.readAllBytes(file));
        }
      }
      return all;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A letter, which says what it is, and then the content. */
  static byte[] tagged(char tag, byte[] content) {
    byte[] input = new byte[content.length + 1];
    input[0] = (byte) tag;
    System.arraycopy(content, 0, input, 1, content.length);
    return input;
  }

  static byte[] tagged(char tag, String content) {
    return tagged(tag, content.getBytes(StandardCharsets.UTF_8));
  }

  /** A folder that is gone when the process ends. */
  static Path work(String name) {
    try {
      Path folder = Files.createTempDirectory("lmm-fuzz-" + name);
      Runtime.getRuntime().addShutdownHook(new Thread(() -> delete(folder)));
      return folder;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Deletes a folder and what is in it. */
  static void delete(Path folder) {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static void write(Path file, byte[] bytes, int from, int to) {
    try {
      Files.write(file, Arrays.copyOfRange(bytes, from, to));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
