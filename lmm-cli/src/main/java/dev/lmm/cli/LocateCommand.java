package dev.lmm.cli;

import dev.lmm.Answer;
import dev.lmm.Box;
import dev.lmm.Image;
import dev.lmm.LocateRequest;
import dev.lmm.Located;
import dev.lmm.Model;
import dev.lmm.Region;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code lmm locate}. */
@Command(name = "locate", description = "Finds things in a picture, in its own pixels.")
final class LocateCommand extends ModelCommand {
  @Option(names = "--image", paramLabel = "FILE", required = true, description = "A picture.")
  String image = "";

  @Option(
      names = "--text",
      paramLabel = "TEXT",
      required = true,
      description = "What to look for: \"Locate every person.\"")
  String text = "";

  @Option(
      names = "--form",
      description = "boxes (default), points, or free: whatever the model writes is read.")
  LocateRequest.Form form = LocateRequest.Form.BOXES;

  @Option(names = "--label", paramLabel = "TEXT", description = "Only these; repeatable.")
  List<String> labels = new ArrayList<>();

  @Option(names = "--at-most", description = "No more regions than these.")
  @Nullable Integer atMost;

  @Option(names = "--max-tokens", description = "How long the answer may become.")
  @Nullable Integer maxTokens;

  @Option(names = "--max-pixels", description = "How many pixels of the picture the model sees.")
  int maxPixels;

  @Option(
      names = "--tiles",
      paramLabel = "AxB",
      description = "Looks at parts of a large picture, for small things.")
  @Nullable String tiles;

  @Option(names = "--out", paramLabel = "FILE", description = "A picture with the regions drawn.")
  @Nullable String out;

  @Override
  public Integer call() {
    try (Model loaded = load()) {
      warnOfRandomWeights(loaded.info());
      Image picture = Image.read(path(image));
      Located located = request(loaded, picture).run();
      if (out != null) {
        located.draw(picture).save(path(out));
      }
      Map<String, Object> document = document(loaded.info());
      Map<String, Object> size = new LinkedHashMap<>();
      size.put("width", picture.width());
      size.put("height", picture.height());
      document.put("image", size);
      document.put("regions", located.regions().stream().map(LocateCommand::region).toList());
      document.put(
          "text", located.answers().stream().map(Answer::text).collect(Collectors.joining("\n")));
      document.put(
          "tokens",
          located.answers().stream()
              .flatMap(answer -> answer.tokens().stream())
              .map(Answer.Token::id)
              .toList());
      if (out != null) {
        document.put("file", out);
      }
      return print(document, () -> located.regions().forEach(this::forPeople));
    }
  }

  private LocateRequest request(Model loaded, Image picture) {
    LocateRequest request = loaded.grounder().locate(picture, text).form(form);
    request = labels.isEmpty() ? request : request.labels(labels.toArray(new String[0]));
    request = atMost == null ? request : request.atMost(atMost);
    request = maxTokens == null ? request : request.maxTokens(maxTokens);
    request = maxPixels == 0 ? request : request.pixels(0, maxPixels);
    if (tiles != null) {
      if (!tiles.matches("\\d{1,2}x\\d{1,2}")) {
        throw wrong("--tiles is " + tiles + ", expected for instance 3x2");
      }
      int x = tiles.indexOf('x');
      request =
          request.tiles(
              Integer.parseInt(tiles.substring(0, x)), Integer.parseInt(tiles.substring(x + 1)));
    }
    return request;
  }

  /** What every command says of a region. */
  static Map<String, Object> region(Region region) {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("label", region.label());
    if (region.box() != null) {
      map.put("box", numbers(region.box()));
    } else if (region.point() != null) {
      map.put("point", List.of(region.point().x(), region.point().y()));
    }
    map.put("confidence", region.confidence());
    return map;
  }

  static List<Double> numbers(Box box) {
    return List.of(box.left(), box.top(), box.right(), box.bottom());
  }

  private void forPeople(Region region) {
    String place =
        region.box() != null
            ? numbers(region.box()).stream()
                .map(n -> String.format(Locale.ROOT, "%.0f", n))
                .collect(Collectors.joining(" "))
            : region.point() == null
                ? ""
                : String.format(Locale.ROOT, "%.0f %.0f", region.point().x(), region.point().y());
    output()
        .line(
            String.format(
                Locale.ROOT,
                "%-24s %s  (%.0f %%)",
                region.label(),
                place,
                100 * region.confidence()));
  }
}
