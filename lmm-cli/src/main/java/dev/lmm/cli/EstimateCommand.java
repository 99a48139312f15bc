package dev.lmm.cli;

import dev.lmm.Estimate;
import dev.lmm.EstimateOptions;
import dev.lmm.Precision;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code lmm estimate}. */
@Command(
    name = "estimate",
    description =
        "Memory by part, in every precision unless --precision names some, from configs and headers"
            + " alone. The device need not be there.")
final class EstimateCommand extends ModelCommand {
  private static final List<Precision> ALL =
      List.of(Precision.FP32, Precision.BF16, Precision.FP16, Precision.INT8, Precision.INT4);

  @Option(names = "--tokens", description = "Entries of the conversation; ${DEFAULT-VALUE}.")
  int tokens = EstimateOptions.DEFAULT.tokens();

  @Option(names = "--width", description = "Width of the picture; the model's own by default.")
  int width;

  @Option(names = "--height", description = "Height of the picture; the model's own by default.")
  int height;

  @Option(names = "--batch", description = "Pictures or texts at once; ${DEFAULT-VALUE}.")
  int batch = EstimateOptions.DEFAULT.batch();

  @Override
  public Integer call() {
    EstimateOptions size = new EstimateOptions(tokens, width, height, batch);
    boolean all = precisions.equals(List.of(Precision.AUTO));
    List<Estimate> estimates = new ArrayList<>();
    for (Precision precision : all ? ALL : precisions) {
      estimates.add(request(precision).estimate(size));
    }
    // The first is what a load takes that names no precision, or the first the caller named.
    Estimate first = all ? request(Precision.AUTO).estimate(size) : estimates.get(0);
    Map<String, Object> document = document(first.info());
    document.putAll(sizes(first));
    document.put("parameters", first.parameters());
    document.put("mapped", first.mapped());
    document.put("runtime", first.runtime());
    if (estimates.size() > 1) {
      document.put(
          "precisions",
          estimates.stream()
              .map(
                  estimate -> {
                    Map<String, Object> each = new LinkedHashMap<>();
                    each.put("precision", estimate.info().precision().label());
                    each.putAll(sizes(estimate));
                    return each;
                  })
              .toList());
    }
    return print(document, () -> tell(first, estimates));
  }

  private static Map<String, Object> sizes(Estimate estimate) {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("parts", estimate.parts().stream().map(EstimateCommand::part).toList());
    map.put("total", estimate.total());
    if (estimate.available() >= 0) {
      map.put("available", estimate.available());
      map.put("fits", Map.of(estimate.info().device(), estimate.fits()));
    }
    return map;
  }

  private static Map<String, Object> part(Estimate.Part part) {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("name", part.name());
    map.put("parameters", part.parameters());
    map.put("weights", part.weights());
    map.put("cache", part.cache());
    map.put("activations", part.activations());
    return map;
  }

  private void tell(Estimate first, List<Estimate> estimates) {
    PrintStream out = output().out();
    out.print(first);
    if (estimates.size() > 1) {
      out.println();
      for (Estimate estimate : estimates) {
        out.printf(
            Locale.ROOT,
            "%-5s %10s%s%n",
            estimate.info().precision().label(),
            Sizes.of(estimate.total()),
            estimate.available() < 0 ? "" : estimate.fits() ? "  fits" : "  does not fit");
      }
    }
  }
}
