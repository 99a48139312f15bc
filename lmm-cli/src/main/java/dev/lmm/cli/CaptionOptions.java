package dev.lmm.cli;

import dev.lmm.Caption;
import dev.lmm.CaptionRequest;
import dev.lmm.Model;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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

  /** Begins the request for a picture. */
  abstract CaptionRequest request(Model model, String image);

  @Override
  public Integer call() {
    try (Model loaded = load()) {
      warnOfRandomWeights(loaded.info());
      List<Map<String, Object>> results = new ArrayList<>();
      for (String image : images) {
        CaptionRequest request = request(loaded, image);
        request = maxTokens == null ? request : request.maxTokens(maxTokens);
        request = beams == null ? request : request.beams(beams);
        Caption caption = request.run();
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("image", image);
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

  private String line(Map<String, Object> result) {
    String text = String.valueOf(result.get("text"));
    return images.size() == 1 ? text : result.get("image") + ": " + text;
  }
}
