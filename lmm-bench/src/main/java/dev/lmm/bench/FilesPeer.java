package dev.lmm.bench;

import dev.lmm.Encoder;
import dev.lmm.FilesOptions;
import dev.lmm.Models;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/** Embeds a folder of pictures each time a line arrives; the Java side of bench_files.py. */
public final class FilesPeer {
  private FilesPeer() {}

  /**
   * Runs until the input ends; prints the seconds of each run.
   *
   * @param arguments model folder, picture folder, batch size, threads
   * @throws IOException if the folder cannot be read
   */
  public static void main(String[] arguments) throws IOException {
    List<Path> files;
    try (Stream<Path> list = Files.list(Path.of(arguments[1]))) {
      files = list.sorted().toList();
    }
    FilesOptions options = new FilesOptions(Integer.parseInt(arguments[2]), null, null);
    try (Encoder encoder =
            Models.encoder(arguments[0])
                .threads(Integer.parseInt(arguments[3]))
                .precision(ClipPeer.precision())
                .load();
        BufferedReader input =
            new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
      System.out.println("ready");
      while (input.readLine() != null) {
        AtomicInteger embedded = new AtomicInteger();
        long start = System.nanoTime();
        encoder.embedFiles(
            files,
            options,
            result -> {
              if (result.vector() != null) {
                embedded.incrementAndGet();
              }
            });
        System.out.println((System.nanoTime() - start) / 1e9 + " " + embedded);
      }
    }
  }
}
