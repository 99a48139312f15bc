package dev.lmm.cli;

import dev.lmm.Image;
import dev.lmm.LmmException;
import dev.lmm.Model;
import dev.lmm.QueriesRequest;
import dev.lmm.QueryMaps;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code lmm queries}. */
@Command(
    name = "queries",
    description = "Shows where each Q-Former query looks: a heat map each, and one sheet.")
final class QueriesCommand extends ModelCommand {
  @Option(names = "--image", paramLabel = "FILE", required = true, description = "A picture.")
  String image = "";

  @Option(
      names = "--text",
      paramLabel = "TEXT",
      description = "A text beside the queries; models of the first stage only.")
  @Nullable String text;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      required = true,
      description = "Where the pictures go.")
  String out = "";

  @Option(
      names = "--rollout",
      description =
          "Follows attention through all layers; by default, the mean over layers and heads.")
  boolean rollout;

  @Override
  public Integer call() {
    try (Model loaded = load()) {
      warnOfRandomWeights(loaded.info());
      Image picture = Image.read(path(image));
      QueriesRequest request = loaded.queries().look(picture);
      QueryMaps maps = (text == null ? request : request.text(text)).run();
      Path folder = path(out);
      try {
        Files.createDirectories(folder);
      } catch (IOException e) {
        throw new LmmException(folder + ": cannot be made: " + e.getMessage(), e);
      }
      int digits = Math.max(2, Integer.toString(maps.queries() - 1).length());
      List<Map<String, Object>> queries = new ArrayList<>();
      for (int query = 0; query < maps.queries(); query++) {
        float[] map = rollout ? maps.rollout(query) : maps.mean(query);
        Path file =
            folder.resolve(String.format(Locale.ROOT, "query-%0" + digits + "d.png", query));
        maps.draw(picture, map).save(file);
        Map<String, Object> found = new LinkedHashMap<>();
        found.put("index", query);
        found.put("file", file.toString());
        found.put("grid", List.of(maps.rows(), maps.columns()));
        found.put("weights", map);
        queries.add(found);
      }
      Path sheet = folder.resolve("sheet.png");
      maps.sheet(picture).save(sheet);
      Map<String, Object> document = document(loaded.info());
      document.put("queries", queries);
      document.put("sheet", sheet.toString());
      return print(
          document, () -> output().line(sheet + ": where " + queries.size() + " queries look"));
    }
  }
}
