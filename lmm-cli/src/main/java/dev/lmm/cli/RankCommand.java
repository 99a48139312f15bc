package dev.lmm.cli;

import dev.lmm.Model;
import dev.lmm.Probability;
import dev.lmm.Score;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code lmm rank}. */
@Command(name = "rank", description = "Scores each text for each picture.")
final class RankCommand extends ModelCommand {
  @Option(
      names = "--image",
      paramLabel = "FILE",
      required = true,
      description = "A picture; repeatable.")
  List<String> images = new ArrayList<>();

  @Option(
      names = "--text",
      paramLabel = "TEXT",
      required = true,
      description = "A text; repeatable.")
  List<String> texts = new ArrayList<>();

  @ArgGroup Choice choice = new Choice();

  /** At most one of the two. */
  static final class Choice {
    @Option(names = "--softmax", description = "Texts share a probability of 1.")
    boolean softmax;

    @Option(names = "--sigmoid", description = "Each text has a probability of its own.")
    boolean sigmoid;
  }

  @Override
  public Integer call() {
    Probability probability =
        choice.softmax
            ? Probability.SOFTMAX
            : choice.sigmoid ? Probability.SIGMOID : Probability.FAMILY;
    try (Model loaded = load()) {
      warnOfRandomWeights(loaded.info());
      List<List<Score>> all = loaded.encoder().rank(read(images), texts, probability);
      List<Map<String, Object>> results = new ArrayList<>();
      for (int i = 0; i < images.size(); i++) {
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("image", images.get(i));
        result.put("scores", all.get(i).stream().map(RankCommand::score).toList());
        results.add(result);
      }
      Map<String, Object> document = document(loaded.info());
      document.put("results", results);
      return print(document, () -> forPeople(all));
    }
  }

  private static Map<String, Object> score(Score score) {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("text", score.text());
    map.put("similarity", score.similarity());
    map.put("logit", score.logit());
    map.put("probability", score.probability());
    return map;
  }

  private void forPeople(List<List<Score>> all) {
    for (int i = 0; i < images.size(); i++) {
      output().line(images.get(i));
      for (Score score : Score.sorted(all.get(i))) {
        output()
            .line(
                String.format(
                    Locale.ROOT,
                    "  %6.2f %%  similarity %.4f  %s",
                    100 * score.probability(),
                    score.similarity(),
                    score.text()));
      }
    }
  }
}
