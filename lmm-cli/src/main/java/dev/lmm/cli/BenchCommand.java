package dev.lmm.cli;

import dev.lmm.Encoder;
import dev.lmm.Image;
import dev.lmm.Model;
import dev.lmm.ModelInfo;
import dev.lmm.core.engine.CompileOptions;
import dev.lmm.core.engine.Engines;
import dev.lmm.core.family.MachineLimit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code lmm bench}. */
@Command(
    name = "bench",
    description = "Speed of each stage, beside what the machine can do at best.")
final class BenchCommand extends ModelCommand {
  @Option(names = "--batch", description = "Items computed together; 1 by default.")
  int batch = 1;

  @Option(names = "--seconds", description = "Time for each stage; 3 by default.")
  double seconds = 3;

  @Override
  public Integer call() {
    if (batch < 1) {
      throw wrong("--batch is " + batch + ", expected at least 1");
    }
    if (!(seconds > 0)) {
      throw wrong("--seconds is " + seconds + ", expected more than 0");
    }
    try (Model loaded = load()) {
      ModelInfo info = loaded.info();
      warnOfRandomWeights(info);
      Encoder encoder = loaded.encoder();
      Map<String, Double> flops = encoder.inspect().flops();
      List<Image> images = Collections.nCopies(batch, noise());
      List<String> texts = Collections.nCopies(batch, "word ".repeat(200));
      double limit =
          MachineLimit.gemmRate(
              Engines.choose(info.engine()), new CompileOptions(info.device(), false, threads));
      List<Map<String, Object>> stages = new ArrayList<>();
      stages.add(
          stage(
              "image",
              () -> encoder.images(images).batchSize(batch).run(),
              flops.getOrDefault("image", 0.0),
              limit));
      stages.add(
          stage(
              "text",
              () -> encoder.texts(texts).batchSize(batch).run(),
              flops.getOrDefault("text", 0.0),
              limit));
      Map<String, Object> document = document(info);
      document.put("batch", batch);
      document.put("gemmFlopsPerSecond", limit);
      document.put("stages", stages);
      return print(document, () -> forPeople(stages, limit));
    }
  }

  /** Runs a stage for the time given, after a tenth of it to warm up. */
  private Map<String, Object> stage(String name, Runnable run, double flops, double limit) {
    repeat(run, seconds / 10);
    long[] times = repeat(run, seconds);
    Arrays.sort(times);
    double median = times[times.length / 2] / 1e9;
    Map<String, Object> stage = new LinkedHashMap<>();
    stage.put("name", name);
    stage.put("perSecond", batch / median);
    stage.put("medianMs", median * 1e3);
    stage.put("fractionOfLimit", flops * batch / median / limit);
    return stage;
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

  private void forPeople(List<Map<String, Object>> stages, double limit) {
    output()
        .line(
            String.format(
                Locale.ROOT, "fp32 matrix products: %.0f GFLOP/s (the limit)", limit / 1e9));
    for (Map<String, Object> stage : stages) {
      output()
          .line(
              String.format(
                  Locale.ROOT,
                  "%-6s %8.1f a second, median %.2f ms, %.0f %% of the limit",
                  stage.get("name"),
                  (double) stage.get("perSecond"),
                  (double) stage.get("medianMs"),
                  100 * (double) stage.get("fractionOfLimit")));
    }
  }
}
