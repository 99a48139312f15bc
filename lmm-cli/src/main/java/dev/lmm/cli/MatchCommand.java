package dev.lmm.cli;

import dev.lmm.Match;
import dev.lmm.Model;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code lmm match}. */
@Command(
    name = "match",
    description = "Says how probable it is that each text belongs to each picture.")
final class MatchCommand extends ModelCommand {
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

  @Override
  public Integer call() {
    try (Model loaded = load()) {
      warnOfRandomWeights(loaded.info());
      List<List<Match>> all = loaded.matcher().match(read(images), texts).run();
      List<Map<String, Object>> results = new ArrayList<>();
      for (int i = 0; i < images.size(); i++) {
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("image", images.get(i));
        result.put("scores", all.get(i).stream().map(MatchCommand::score).toList());
        results.add(result);
      }
      Map<String, Object> document = document(loaded.info());
      document.put("results", results);
      return print(document, () -> forPeople(all));
    }
  }

  private static Map<String, Object> score(Match match) {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("text", match.text());
    map.put("itm", match.probability());
    map.put("itc", match.similarity());
    return map;
  }

  private void forPeople(List<List<Match>> all) {
    Comparator<Match> best = Comparator.comparingDouble(Match::probability).reversed();
    for (int i = 0; i < images.size(); i++) {
      output().line(images.get(i));
      for (Match match : all.get(i).stream().sorted(best).toList()) {
        output()
            .line(
                String.format(
                    Locale.ROOT,
                    "  %6.2f %%  similarity %.4f  %s",
                    100 * match.probability(),
                    match.similarity(),
                    match.text()));
      }
    }
  }
}
