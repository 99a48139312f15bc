package dev.lmm.qwenvl.internal;

import dev.lmm.Answer;
import dev.lmm.Box;
import dev.lmm.Image;
import dev.lmm.LocateRequest;
import dev.lmm.LocateRequest.Form;
import dev.lmm.Located;
import dev.lmm.Region;
import dev.lmm.core.decode.Generation;
import dev.lmm.core.decode.GenerationOptions;
import dev.lmm.core.decode.Prompt;
import dev.lmm.core.decode.Session;
import dev.lmm.core.decode.TextRun;
import dev.lmm.core.decode.TokenChoice;
import dev.lmm.core.json.JsonText;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Finds things: asks, keeps the answer to a form, and brings its numbers back to the picture. */
final class Locator {
  private static final int MAX_TOKENS = 1024;
  private static final int LONGEST_LABEL = 100;

  /** Tiles share this much of a side with their neighbours. */
  private static final double OVERLAP = 0.2;

  private final QwenModel model;

  Locator(QwenModel model) {
    this.model = model;
  }

  /** A part of a picture that is looked at by itself. */
  private record Tile(Image image, int left, int top) {}

  Located run(LocateRequest request) {
    List<Answer> answers = new ArrayList<>();
    List<Tile> tiles = tiles(request);
    TileMerger merger = new TileMerger(request.picture().width(), request.picture().height());
    List<Region> regions = List.of();
    for (Tile tile : tiles) {
      regions = locate(request, tile, answers);
      Image part = tile.image();
      merger.add(regions, tile.left(), tile.top(), part.width(), part.height());
    }
    if (tiles.size() > 1) {
      regions = merger.regions();
    }
    if (request.atMost() > 0 && regions.size() > request.atMost()) {
      regions = regions.subList(0, request.atMost());
    }
    return new Located(regions, answers);
  }

  private static List<Tile> tiles(LocateRequest request) {
    Image picture = request.picture();
    List<Tile> tiles = new ArrayList<>();
    for (int[] y : stretches(picture.height(), request.tilesDown())) {
      for (int[] x : stretches(picture.width(), request.tilesAcross())) {
        tiles.add(new Tile(cut(picture, x[0], y[0], x[1], y[1]), x[0], y[0]));
      }
    }
    return tiles;
  }

  /** So many overlapping parts of a side. */
  private static List<int[]> stretches(int length, int count) {
    double size = length / (count - (count - 1) * OVERLAP);
    List<int[]> parts = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int from = (int) Math.floor(i * size * (1 - OVERLAP));
      int to = i == count - 1 ? length : (int) Math.ceil(from + size);
      parts.add(new int[] {Math.min(from, length - 1), Math.max(from + 1, Math.min(to, length))});
    }
    return parts;
  }

  private static Image cut(Image picture, int left, int top, int right, int bottom) {
    if (left == 0 && top == 0 && right == picture.width() && bottom == picture.height()) {
      return picture;
    }
    int width = right - left;
    byte[] rgb = new byte[width * (bottom - top) * 3];
    for (int y = top; y < bottom; y++) {
      System.arraycopy(
          picture.rgb(), (y * picture.width() + left) * 3, rgb, (y - top) * width * 3, width * 3);
    }
    return Image.ofRgb(width, bottom - top, rgb, picture.source());
  }

  private List<Region> locate(LocateRequest request, Tile tile, List<Answer> answers) {
    Seen seen = model.seen(tile.image(), request.minPixels(), request.maxPixels());
    Message question = new Message("user", request.query(), List.of(seen));
    Prompt prompt = model.prompt(List.of(question), request.cancellation());
    Reader reader = new Reader(request, tile, model.resized(seen.grid()));
    try (Session session = model.decoder().session();
        TextRun run = session.stream(prompt, options(request, prompt, seen.grid()))) {
      while (run.hasNext()) {
        String piece = run.next().text();
        if (request.listener() != null && ends(piece)) {
          reader.tell(run.soFar());
        }
      }
      Generation generation = run.soFar();
      if (request.listener() != null) {
        reader.tell(generation);
      }
      answers.add(QwenConversation.answerOf(generation));
      return reader.regions(generation);
    }
  }

  private static boolean ends(String piece) {
    return piece.chars().anyMatch(c -> c == '}' || c == ')' || c == ']' || c == '>');
  }

  private GenerationOptions options(LocateRequest request, Prompt prompt, Grid grid) {
    int room = model.language().contextLength() - prompt.length();
    int tokens = request.maxTokens() > 0 ? request.maxTokens() : Math.min(MAX_TOKENS, room);
    GenerationOptions options =
        model.defaults().cancellation(request.cancellation()).maxTokens(Math.max(1, tokens));
    return request.form() == Form.FREE
        ? options
        : options.grammar(model.jsonForm(schema(request, model.resized(grid))));
  }

  /** A list of objects whose numbers lie within the picture as the model sees it. */
  private static String schema(LocateRequest request, int[] size) {
    boolean boxes = request.form() == Form.BOXES;
    Map<String, Object> x = Map.of("type", "integer", "minimum", 0, "maximum", size[0]);
    Map<String, Object> y = Map.of("type", "integer", "minimum", 0, "maximum", size[1]);
    List<Object> places = boxes ? List.of(x, y, x, y) : List.of(x, y);
    Map<String, Object> place = new LinkedHashMap<>();
    place.put("type", "array");
    place.put("prefixItems", places);
    place.put("minItems", places.size());
    place.put("maxItems", places.size());
    Map<String, Object> properties = new LinkedHashMap<>();
    String key = boxes ? "bbox_2d" : "point_2d";
    properties.put(key, place);
    properties.put(
        "label",
        request.labels().isEmpty()
            ? Map.of("type", "string", "minLength", 1, "maxLength", LONGEST_LABEL)
            : Map.of("enum", request.labels()));
    Map<String, Object> item = new LinkedHashMap<>();
    item.put("type", "object");
    item.put("properties", properties);
    item.put("required", List.of(key, "label"));
    item.put("additionalProperties", false);
    Map<String, Object> schema = new LinkedHashMap<>();
    schema.put("type", "array");
    schema.put("items", item);
    if (request.atMost() > 0) {
      schema.put("maxItems", request.atMost());
    }
    return JsonText.of(schema);
  }

  /** Reads one answer. */
  private final class Reader {
    private final LocateRequest request;
    private final Tile tile;
    private final int[] size;
    private int told;

    Reader(LocateRequest request, Tile tile, int[] size) {
      this.request = request;
      this.tile = tile;
      this.size = size;
    }

    void tell(Generation generation) {
      List<Region> regions = regions(generation);
      for (; told < regions.size(); told++) {
        if (request.listener() != null) {
          request.listener().accept(regions.get(told));
        }
      }
    }

    List<Region> regions(Generation generation) {
      Written written = Written.of(generation, model);
      List<Region> regions = new ArrayList<>();
      for (RegionParser.Found found : RegionParser.parse(generation.text())) {
        boolean wanted = request.labels().isEmpty() || request.labels().contains(found.label());
        Region region = wanted ? region(found, written.confidence(found.spans())) : null;
        if (region != null) {
          regions.add(region);
        }
      }
      return request.atMost() > 0 && regions.size() > request.atMost()
          ? regions.subList(0, request.atMost())
          : regions;
    }

    private @Nullable Region region(RegionParser.Found found, double confidence) {
      double[] n = found.numbers();
      double[] x = {x(n[0]), x(n.length == 4 ? n[2] : n[0])};
      double[] y = {y(n[1]), y(n.length == 4 ? n[3] : n[1])};
      if (n.length == 2) {
        return new Region(found.label(), null, new Region.Point(x[0], y[0]), confidence);
      }
      Arrays.sort(x);
      Arrays.sort(y);
      Box box = new Box(x[0], y[0], x[1], y[1]);
      return box.area() > 0 ? new Region(found.label(), box, null, confidence) : null;
    }

    private double x(double seen) {
      return tile.left() + scaled(seen, size[0], tile.image().width());
    }

    private double y(double seen) {
      return tile.top() + scaled(seen, size[1], tile.image().height());
    }

    private static double scaled(double seen, int from, int to) {
      return Math.min(Math.max(seen, 0), from) * to / from;
    }
  }

  /** The tokens of an answer and where in its text each stands. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Written(List<TokenChoice> tokens, int[] ends, boolean exact, String text) {
    static Written of(Generation generation, QwenModel model) {
      ByteArrayOutputStream all = new ByteArrayOutputStream();
      int[] ends = new int[generation.tokens().size()];
      for (int i = 0; i < ends.length; i++) {
        byte[] bytes = model.bytes(generation.tokens().get(i).id());
        if (bytes != null) {
          all.writeBytes(bytes);
        }
        ends[i] = all.size();
      }
      String text = generation.text();
      byte[] own = text.getBytes(StandardCharsets.UTF_8);
      byte[] written = all.toByteArray();
      // A text with broken characters, or cut at a stop text, has other places than its bytes.
      boolean exact =
          own.length <= written.length && Arrays.equals(own, 0, own.length, written, 0, own.length);
      return new Written(generation.tokens(), ends, exact, text);
    }

    /** The geometric mean of the probabilities of what wrote these places; of all, if unknown. */
    double confidence(List<RegionParser.Span> spans) {
      double sum = 0;
      int count = 0;
      for (int i = 0; i < tokens.size(); i++) {
        int from = i == 0 ? 0 : ends[i - 1];
        if (!exact || touches(spans, from, ends[i])) {
          sum += tokens.get(i).logProbability();
          count++;
        }
      }
      return count == 0 ? 0 : Math.min(1, Math.exp(sum / count));
    }

    private boolean touches(List<RegionParser.Span> spans, int from, int to) {
      for (RegionParser.Span span : spans) {
        if (from < bytes(span.to()) && to > bytes(span.from())) {
          return true;
        }
      }
      return false;
    }

    private int bytes(int chars) {
      return text.substring(0, chars).getBytes(StandardCharsets.UTF_8).length;
    }
  }
}
