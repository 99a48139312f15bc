package dev.lmm.core.hub;

import dev.lmm.LmmException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Resolves an id into a cache on a small disk of this process's own, and says what comes of it:
 * {@code resolve}; {@code fill}, the disk while it downloads, and then make room; {@code
 * read-only}, and then ask for what is there and for what is not.
 */
final class DiskProcess {
  private static final String ID = "owner/name";
  private static final int LEFT = 60_000;

  private DiskProcess() {}

  public static void main(String[] arguments) throws Exception {
    HubOptions options = HubOptions.fromEnvironment();
    switch (arguments[0]) {
      case "fill" -> {
        Path filler = options.cache().resolve("filler");
        resolve(ID, options.withListener(now -> fill(filler)));
        Files.delete(filler);
        resolve(ID, options);
      }
      case "read-only" -> {
        resolve(ID, options);
        new ProcessBuilder("mount", "-o", "remount,ro", options.cache().toString())
            .inheritIO()
            .start()
            .waitFor();
        System.out.println(
            Files.getFileStore(options.cache()).isReadOnly() ? "read only" : "still writable");
        resolve(ID, options);
        resolve("other/name", options);
      }
      default -> resolve(ID, options);
    }
  }

  private static void resolve(String id, HubOptions options) {
    try {
      Path snapshot = Hub.resolve(id, options);
      boolean intact = new HubCache(options.cache()).verify(id).isEmpty();
      System.out.println((intact ? "complete " : "damaged ") + snapshot.getFileName());
    } catch (LmmException e) {
      System.out.println(e.getMessage());
    }
  }

  /** Leaves less on the disk than the weights need. */
  private static void fill(Path filler) {
    if (Files.exists(filler)) {
      return;
    }
    try (FileChannel out =
        FileChannel.open(filler, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      ByteBuffer zeros = ByteBuffer.allocateDirect(1 << 12);
      try {
        while (out.size() < 1L << 30) {
          out.write(zeros.clear());
        }
      } catch (IOException full) {
        out.truncate(out.size() - LEFT);
      }
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
