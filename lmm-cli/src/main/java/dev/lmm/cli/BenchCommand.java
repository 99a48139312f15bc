package dev.lmm.cli;

import dev.lmm.Embeddings;
import dev.lmm.Encoder;
import dev.lmm.Image;
import dev.lmm.Model;
import dev.lmm.ModelInfo;
import dev.lmm.Precision;
import dev.lmm.core.engine.CompileOptions;
import dev.lmm.core.engine.Engines;
import dev.lmm.core.family.MachineLimit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code lmm bench}. */
@Command(
    name = "bench",
    description =
        "Speed of each stage, beside what the machine can do at best; in several precisions, also"
            + " how far each is from fp32.")
final class BenchCommand extends ModelCommand {
  private static final String IMAGE = "image";
  private static final String TEXT = "text";

  @Option(names = "--batch", description = "Items computed together; 1 by default.")
  int batch = 1;

  @Option(names = "--seconds", description = "Time for each stage; 3 by default.")
  double seconds = 3;

  @Option(names = "--image", description = "Pictures to measure with; noise by default.")
  List<String> images = List.of();

  @Option(names = "--text", description = "Texts to measure with; one of full length by default.")
  List<String> texts = List.of();

  @Override
  public Integer call() {
    if (batch < 1) {
      throw wrong("--batch is " + batch + ", expected at least 1");
    }
    if (!(seconds > 0)) {
      throw wrong("--seconds is " + seconds + ", expected more than 0");
    }
    List<Image> pictures = images.isEmpty() ? List.of(noise()) : read(images);
    List<String> words = texts.isEmpty() ? List.of("word ".repeat(200)) : texts;
    boolean compare = precisions.size() > 1;
    Map<String, Embeddings> exact = compare ? exact(pictures, words) : new HashMap<>();
    Map<String, Object> document = new LinkedHashMap<>();
    List<Stage> stages = new ArrayList<>();
    double limit = 0;
    for (Precision precision : precisions) {
      try (Model loaded = load(precision)) {
        ModelInfo info = loaded.info();
        if (stages.isEmpty()) {
          warnOfRandomWeights(info);
          document.putAll(document(info));
          limit =
              MachineLimit.gemmRate(
                  Engines.choose(info.engine()), new CompileOptions(info.device(), false, threads));
        }
        Encoder encoder = loaded.encoder();
        Map<String, Double> flops = encoder.inspect().flops();
        String label = info.precision().label();
        List<Image> pictureBatch = cycle(pictures);
        List<String> textBatch = cycle(words);
        stages.add(
            stage(
                IMAGE,
                label,
                () -> encoder.images(pictureBatch).batchSize(batch).run(),
                flops.getOrDefault(IMAGE, 0.0) / limit,
                compare ? nearness(encoder.images(pictures).run(), exact.get(IMAGE)) : null));
        stages.add(
            stage(
                TEXT,
                label,
                () -> encoder.texts(textBatch).batchSize(batch).run(),
                flops.getOrDefault(TEXT, 0.0) / limit,
                compare ? nearness(encoder.texts(words).run(), exact.get(TEXT)) : null));
      }
    }
    if (compare) {
      document.remove("precision");
    }
    document.put("batch", batch);
    document.put("gemmFlopsPerSecond", limit);
    document.put("stages", stages.stream().map(Stage::document).toList());
    double rate = limit;
    return print(document, () -> forPeople(stages, rate));
  }

  private Map<String, Embeddings> exact(List<Image> pictures, List<String> words) {
    try (Model loaded = load(Precision.FP32)) {
      Encoder encoder = loaded.encoder();
      return Map.of(IMAGE, encoder.images(pictures).run(), TEXT, encoder.texts(words).run());
    }
  }

  /** The lowest cosine between embeddings of the same item. */
  private static double nearness(Embeddings found, @Nullable Embeddings exact) {
    double lowest = 1;
    for (int i = 0; exact != null && i < found.count(); i++) {
      lowest = Math.min(lowest, found.cosine(i, exact, i));
    }
    return lowest;
  }

  private <T> List<T> cycle(List<T> items) {
    List<T> cycled = new ArrayList<>(batch);
    for (int i = 0; i < batch; i++) {
      cycled.add(items.get(i % items.size()));
    }
    return cycled;
  }

  /**
   * What was measured.
   *
   * @param fractionOfLimit of fp32 matrix products: more than 1 is possible in few bits
   * @param cosine to the same items in fp32, the lowest; null if not compared
   */
  private record Stage(
      String name,
      String precision,
      double perSecond,
      double medianMs,
      double fractionOfLimit,
      @Nullable Double cosine) {
    Map<String, Object> document() {
      Map<String, Object> stage = new LinkedHashMap<>();
      stage.put("name", name);
      stage.put("precision", precision);
      stage.put("perSecond", perSecond);
      stage.put("medianMs", medianMs);
      stage.put("fractionOfLimit", fractionOfLimit);
      if (cosine != null) {
        stage.put("cosineToFp32", cosine);
      }
      return stage;
    }
  }

  /** Runs a stage for the time given, after a tenth of it to warm up. */
  private Stage stage(
      String name, String precision, Runnable run, double secondsAtLimit, @Nullable Double cosine) {
    repeat(run, seconds / 10);
    long[] times = repeat(run, seconds);
    Arrays.sort(times);
    double median = times[times.length / 2] / 1e9;
    return new Stage(
        name, precision, batch / median, median * 1e3, secondsAtLimit * batch / median, cosine);
  }

  private static long[] repeat(Runnable run, double seconds) {
    List<Long> times = new ArrayList<>();
    long end = System.nanoTime() + (long) (seconds * 1e9);
    do {
      long start = System.nanoTime();
      run.run();
      times.add(System.nanoTime() - start);
    } while (System.nanoTime() < end);
    return times.stream().mapToLong(Long::longValue).toArray();
  }

  private static Image noise() {
    byte[] rgb = new byte[640 * 480 * 3];
    new Random(0).nextBytes(rgb);
    return Image.ofRgb(640, 480, rgb);
  }

  private void forPeople(List<Stage> stages, double limit) {
    output()
        .line(
            String.format(
                Locale.ROOT, "fp32 matrix products: %.0f GFLOP/s (the limit)", limit / 1e9));
    for (Stage stage : stages) {
      output()
          .line(
              String.format(
                  Locale.ROOT,
                  "%-6s %-5s %8.1f a second, median %.2f ms, %.0f %% of the limit%s",
                  stage.name(),
                  stage.precision(),
                  stage.perSecond(),
                  stage.medianMs(),
                  100 * stage.fractionOfLimit(),
                  stage.cosine() == null
                      ? ""
                      : String.format(Locale.ROOT, ", cosine to fp32 %.5f", stage.cosine())));
    }
  }
}
