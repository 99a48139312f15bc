package dev.lmm.bench;

import dev.lmm.Encoder;
import dev.lmm.Image;
import dev.lmm.LoadRequest;
import dev.lmm.Models;
import dev.lmm.tiny.TinyPictures;
import java.io.IOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Does one thing many times and tells what memory the process holds: what grows without end leaks.
 *
 * <p>Memory is read ten times, after a collection; Linux only.
 */
public final class Soak {
  private static final int READINGS = 10;

  private Soak() {}

  /**
   * Runs.
   *
   * @param arguments {@code calls} or {@code loads} and how often, or {@code threads} (eight of
   *     them on one model) and for how many seconds; a model that embeds, an engine
   * @throws IOException if the process's memory cannot be read
   * @throws InterruptedException if the thread is interrupted
   */
  public static void main(String[] arguments) throws IOException, InterruptedException {
    int count = Integer.parseInt(arguments[1]);
    LoadRequest<Encoder> request = Models.encoder(arguments[2]).engine(arguments[3]).threads(1);
    Image picture = TinyPictures.all().get(0).image();
    if (arguments[0].equals("loads")) {
      repeat(
          count,
          () -> {
            try (Encoder encoder = request.load()) {
              return encoder.embed(picture);
            }
          });
      return;
    }
    try (Encoder encoder = request.load()) {
      if (arguments[0].equals("threads")) {
        together(encoder, count);
        return;
      }
      float[] text = encoder.embed("a red circle");
      repeat(
          count,
          () -> {
            if (!Arrays.equals(encoder.embed("a red circle"), text)) {
              throw new IllegalStateException("the same text has another embedding");
            }
            return encoder.embed(picture);
          });
    }
  }

  /** Eight threads embed all pictures, each in an order of its own; one alone did before. */
  private static void together(Encoder encoder, int seconds)
      throws IOException, InterruptedException {
    List<Image> pictures = TinyPictures.all().stream().map(TinyPictures.Captioned::image).toList();
    List<float[]> alone = pictures.stream().map(encoder::embed).toList();
    long start = System.nanoTime();
    long end = start + seconds * 1_000_000_000L;
    AtomicInteger done = new AtomicInteger();
    AtomicReference<Throwable> failure = new AtomicReference<>();
    List<Thread> threads = new ArrayList<>();
    tell(0, start);
    for (int t = 0; t < 8; t++) {
      int first = t;
      threads.add(
          new Thread(
              () -> {
                for (int i = first; System.nanoTime() < end; i++) {
                  int which = i % pictures.size();
                  if (!Arrays.equals(encoder.embed(pictures.get(which)), alone.get(which))) {
                    throw new IllegalStateException("picture " + which + " differs");
                  }
                  done.incrementAndGet();
                }
              }));
    }
    for (Thread thread : threads) {
      thread.setUncaughtExceptionHandler((t, e) -> failure.set(e));
      thread.start();
    }
    for (Thread thread : threads) {
      thread.join();
    }
    if (failure.get() != null) {
      throw new IllegalStateException("a thread failed", failure.get());
    }
    tell(done.get(), start);
  }

  /** Something whose result is the same each time. */
  private interface Step {
    float[] run();
  }

  private static void repeat(int count, Step step) throws IOException {
    float[] first = step.run();
    long start = System.nanoTime();
    tell(0, start);
    for (int i = 1; i <= count; i++) {
      if (!Arrays.equals(step.run(), first)) {
        throw new IllegalStateException("the same picture has another embedding");
      }
      if (i % Math.max(1, count / READINGS) == 0) {
        tell(i, start);
      }
    }
  }

  private static void tell(int done, long start) throws IOException {
    for (int i = 0; i < 3; i++) {
      System.gc();
    }
    long direct =
        ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
            .mapToLong(BufferPoolMXBean::getMemoryUsed)
            .sum();
    Runtime runtime = Runtime.getRuntime();
    System.out.printf(
        Locale.ROOT,
        "%,d done in %.0f s: private %.1f MB, heap %.1f MB, direct and mapped %.1f MB, threads %d%n",
        done,
        (System.nanoTime() - start) / 1e9,
        privateKilobytes() / 1e3,
        (runtime.totalMemory() - runtime.freeMemory()) / 1e6,
        direct / 1e6,
        Thread.activeCount());
  }

  private static long privateKilobytes() throws IOException {
    return Files.readAllLines(Path.of("/proc/self/status")).stream()
        .filter(line -> line.startsWith("RssAnon:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
        .sum();
  }
}
