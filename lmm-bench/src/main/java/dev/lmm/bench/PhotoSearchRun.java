package dev.lmm.bench;

import dev.lmm.search.Found;
import dev.lmm.search.PhotoFilter;
import dev.lmm.search.PhotoIndex;
import dev.lmm.search.SearchRequest;
import dev.lmm.search.UpdateReport;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.LongFunction;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/**
 * Picture search over many simulated pictures: time to build and to follow changes, latency of a
 * query, and recall@10 against exact search. The files are there, but empty: the folder is really
 * walked, the vectors are made up by their names. Times are elapsed and, in brackets, the
 * processor's, which a busy machine does not lengthen.
 */
public final class PhotoSearchRun {
  private static final int IN_A_FOLDER = 1000;
  private static final int COMPARED = 200;
  private static final int TOP = 10;

  private PhotoSearchRun() {}

  /**
   * Runs.
   *
   * @param arguments pictures, numbers in a vector, a folder to work in, {@code photos} or {@code
   *     noise}, and how often to ask
   * @throws IOException if files cannot be made
   */
  public static void main(String[] arguments) throws IOException {
    int count = Integer.parseInt(arguments[0]);
    Path work = Path.of(arguments[2]);
    Path folder = work.resolve("pictures-" + count);
    for (int i = 0; i < count; i++) {
      Path file = file(folder, i);
      if (i % IN_A_FOLDER == 0) {
        Files.createDirectories(file.getParent());
      }
      if (!Files.exists(file)) {
        Files.createFile(file);
      }
    }
    SimulatedPhotos encoder =
        new SimulatedPhotos(
            SimulatedPhotos.Kind.valueOf(arguments[3].toUpperCase(Locale.ROOT)),
            Integer.parseInt(arguments[1]));
    Path index = work.resolve("index-" + System.nanoTime());
    try (PhotoIndex photos = PhotoIndex.open(encoder, folder, index)) {
      double all = update(photos, "build");
      System.out.printf(
          Locale.ROOT, "  of which %.1f s are the made-up vectors%n", encoder.seconds());
      System.out.printf(
          Locale.ROOT,
          "  %.2f ms a picture without them%n",
          (all - encoder.seconds()) * 1e3 / count);
      update(photos, "update without changes");
      for (int i = 0; i < count / 100; i++) {
        Files.delete(file(folder, i));
      }
      update(photos, "update, 1 % deleted");
      for (int i = 0; i < count / 100; i++) {
        Files.createFile(file(folder, i));
      }
      update(photos, "update, 1 % added");
      System.out.printf(Locale.ROOT, "index: %.0f MB%n", bytes(index) / 1e6);

      LongFunction<float[]> pictures = i -> encoder.picture(count + 37 * i);
      LongFunction<float[]> texts = encoder::text;
      System.gc();
      double before = heap();
      long start = System.nanoTime();
      photos.search(encoder.text(0)).run();
      System.out.printf(Locale.ROOT, "first search: %.2f s%n", (System.nanoTime() - start) / 1e9);
      System.gc();
      System.out.printf(Locale.ROOT, "memory it leaves taken: %.1f MB%n", heap() - before);
      int queries = Integer.parseInt(arguments[4]);
      PhotoFilter some = PhotoFilter.path("0[0-4]*/**");
      for (int round = 0; round < 2; round++) { // the first warms up
        measure(photos, queries, "texts", texts, r -> r);
        measure(photos, queries, "pictures", pictures, r -> r);
        measure(photos, queries, "texts, a filter that half of all pass", texts, r -> r.only(some));
      }
    }
  }

  private static double heap() {
    return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed() / 1e6;
  }

  private static Path file(Path folder, int number) {
    return folder.resolve("%03d".formatted(number / IN_A_FOLDER)).resolve(number + ".jpg");
  }

  private static double update(PhotoIndex photos, String what) {
    long start = System.nanoTime();
    double before = processSeconds();
    UpdateReport report = photos.update().run();
    double elapsed = (System.nanoTime() - start) / 1e9;
    double seconds = processSeconds() - before;
    System.out.printf(
        Locale.ROOT,
        "%s: %.1f s [%.1f] (%d added, %d removed, %d unchanged)%n",
        what,
        elapsed,
        seconds,
        report.added(),
        report.removed(),
        report.unchanged());
    return seconds;
  }

  private static double processSeconds() {
    return ProcessHandle.current().info().totalCpuDuration().orElseThrow().toMillis() / 1e3;
  }

  private static void measure(
      PhotoIndex photos,
      int queries,
      String what,
      LongFunction<float[]> query,
      UnaryOperator<SearchRequest> options) {
    double[] millis = new double[queries];
    double[] processor = new double[queries];
    double[] exact = new double[Math.min(COMPARED, queries)];
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    int found = 0;
    int wanted = 0;
    for (int q = 0; q < queries; q++) {
      SearchRequest request = options.apply(photos.search(query.apply(q)).top(TOP));
      long start = System.nanoTime();
      long used = threads.getCurrentThreadCpuTime();
      List<Found> near = request.run();
      millis[q] = (System.nanoTime() - start) / 1e6;
      processor[q] = (threads.getCurrentThreadCpuTime() - used) / 1e6;
      if (q < exact.length) {
        used = threads.getCurrentThreadCpuTime();
        List<Found> all = request.exact().run();
        exact[q] = (threads.getCurrentThreadCpuTime() - used) / 1e6;
        Set<String> names = new HashSet<>(all.stream().map(f -> f.photo().path()).toList());
        wanted += names.size();
        names.retainAll(near.stream().map(f -> f.photo().path()).toList());
        found += names.size();
      }
    }
    Arrays.sort(millis);
    Arrays.sort(processor);
    Arrays.sort(exact);
    System.out.printf(
        Locale.ROOT,
        "%s: median %.2f ms [%.2f], 95 %% within %.2f [%.2f], 99 %% within %.2f [%.2f];"
            + " recall@10 %.4f; exact: median [%.1f]%n",
        what,
        millis[queries / 2],
        processor[queries / 2],
        millis[queries * 95 / 100],
        processor[queries * 95 / 100],
        millis[queries * 99 / 100],
        processor[queries * 99 / 100],
        found / (double) wanted,
        exact[exact.length / 2]);
  }

  private static long bytes(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.mapToLong(file -> file.toFile().length()).sum();
    }
  }
}
