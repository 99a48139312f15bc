package dev.lmm.cli;

import dev.lmm.Caption;
import dev.lmm.CaptionRequest;
import dev.lmm.Model;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What {@code caption} and {@code ask} share. */
abstract class CaptionOptions extends ModelCommand {
  @Option(
      names = "--image",
      paramLabel = "FILE",
      required = true,
      description = "A picture; repeatable.")
  List<String> images = new ArrayList<>();

  @Option(names = "--max-tokens", paramLabel = "N", description = "New tokens at most.")
  @Nullable Integer maxTokens;

  @Option(names = "--beams", paramLabel = "B", description = "1, the likeliest token, by default.")
  @Nullable Integer beams;

  /** Writes about each picture, in order. */
  abstract List<Caption> write(Model model, UnaryOperator<CaptionRequest> options);

  @Override
  public Integer call() {
    try (Model loaded = load()) {
      warnOfRandomWeights(loaded.info());
      List<Map<String, Object>> results = new ArrayList<>();
      List<Caption> captions = write(loaded, this::options);
      for (int i = 0; i < images.size(); i++) {
        Caption caption = captions.get(i);
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("image", images.get(i));
        result.put("text", caption.text());
        result.put("tokens", caption.tokens());
        result.put("logprobs", caption.logProbabilities());
        results.add(result);
      }
      Map<String, Object> document = document(loaded.info());
      document.put("results", results);
      return print(document, () -> results.forEach(result -> output().line(line(result))));
    }
  }

  private CaptionRequest options(CaptionRequest request) {
    CaptionRequest changed = maxTokens == null ? request : request.maxTokens(maxTokens);
    return beams == null ? changed : changed.beams(beams);
  }

  private String line(Map<String, Object> result) {
    String text = String.valueOf(result.get("text"));
    return images.size() == 1 ? text : result.get("image") + ": " + text;
  }
}
