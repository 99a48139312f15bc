package dev.lmm.cli;

import dev.lmm.AttentionMap;
import dev.lmm.AttentionRequest;
import dev.lmm.Image;
import dev.lmm.LmmException;
import dev.lmm.Model;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code lmm attention}. */
@Command(
    name = "attention",
    description =
        "Shows what a model attends to, each layer and head as a picture: words to words, patches"
            + " to patches, words to places in the picture.")
final class AttentionCommand extends ModelCommand {
  @Option(names = "--image", paramLabel = "FILE", required = true, description = "A picture.")
  String image = "";

  @Option(names = "--text", paramLabel = "TEXT", description = "A text beside the picture.")
  @Nullable String text;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      required = true,
      description = "Where the pictures go.")
  String out = "";

  @Option(names = "--layer", paramLabel = "L", description = "One layer, from 0; by default all.")
  @Nullable Integer layer;

  @Option(names = "--head", paramLabel = "H", description = "One head, from 0; by default all.")
  @Nullable Integer head;

  @Override
  public Integer call() {
    try (Model loaded = load()) {
      warnOfRandomWeights(loaded.info());
      Image picture = Image.read(path(image));
      AttentionRequest request = loaded.attention().look(picture);
      List<AttentionMap> found = (text == null ? request : request.text(text)).run();
      Path folder = path(out);
      try {
        Files.createDirectories(folder);
      } catch (IOException e) {
        throw new LmmException(folder + ": cannot be made: " + e.getMessage(), e);
      }
      List<Map<String, Object>> maps = new ArrayList<>();
      for (AttentionMap map : found) {
        String kind = map.kind().name().toLowerCase(Locale.ROOT).replace('_', '-');
        for (int l : chosen(layer, map.layers())) {
          for (int h : chosen(head, map.heads())) {
            Path file =
                folder.resolve(
                    String.format(Locale.ROOT, "%s-layer-%02d-head-%02d.png", kind, l, h));
            map.draw(picture, l, h).save(file);
            Map<String, Object> entry = new LinkedHashMap<>();
            entry.put("kind", kind);
            entry.put("layer", l);
            entry.put("head", h);
            entry.put("file", file.toString());
            maps.add(entry);
          }
        }
      }
      Map<String, Object> document = document(loaded.info());
      document.put("maps", maps);
      return print(document, () -> output().line(folder + ": " + maps.size() + " pictures"));
    }
  }

  private static int[] chosen(@Nullable Integer one, int count) {
    return one == null ? IntStream.range(0, count).toArray() : new int[] {one};
  }
}
