package dev.lmm;

import java.util.Arrays;
import java.util.List;

/**
 * How much each of some entries (words, queries, patches) attended to each of others, in every
 * layer and head. The numbers are the model's own probabilities. Immutable and thread-safe.
 */
public final class AttentionMap {
  /** What attends to what. */
  public enum Kind {
    /** Words to words. */
    TEXT_TO_TEXT,
    /** Words to the learned queries that saw the picture. */
    WORD_TO_QUERY,
    /** Patches of a picture to patches. */
    PATCH_TO_PATCH,
    /** Words to patches. */
    WORD_TO_REGION,
    /** The learned queries to patches. */
    QUERY_TO_REGION
  }

  /**
   * One side of a map.
   *
   * @param names of the entries: pieces of a text in the tokenizer's spelling, {@code [CLS]} for a
   *     class token, {@code row,column} for a patch
   * @param rows of patches; 0 for words
   * @param columns of patches; the last {@code rows * columns} entries are the patches, row by row
   *     from their place's top left corner. What stands before them is nowhere in the picture
   * @param place that the patches cover, in shares of the picture's width and height: 0, 0, 1, 1
   *     unless the model sees a part only
   */
  public record Axis(List<String> names, int rows, int columns, Box place) {
    /** All of a picture. */
    public static final Box WHOLE = new Box(0, 0, 1, 1);

    /**
     * Copies the names.
     *
     * @param names of the entries
     * @param rows of patches
     * @param columns of patches
     * @param place that the patches cover
     */
    public Axis {
      Check.notNull(place, "place");
      names = List.copyOf(names);
      Check.that(
          rows >= 0 && columns >= 0 && (long) rows * columns <= names.size(),
          "axis: " + rows + " x " + columns + " patches are not among " + names.size());
    }

    /**
     * Words.
     *
     * @param pieces of a text
     * @return the axis
     */
    public static Axis words(List<String> pieces) {
      return new Axis(pieces, 0, 0, WHOLE);
    }

    /**
     * Patches.
     *
     * @param rows of patches
     * @param columns of patches
     * @param place that they cover, in shares of the picture's width and height
     * @param before names of entries before them, for instance {@code [CLS]}
     * @return the axis
     */
    public static Axis patches(int rows, int columns, Box place, String... before) {
      String[] names = Arrays.copyOf(before, before.length + Math.multiplyExact(rows, columns));
      for (int i = before.length; i < names.length; i++) {
        names[i] = (i - before.length) / columns + "," + (i - before.length) % columns;
      }
      return new Axis(List.of(names), rows, columns, place);
    }

    /**
     * How many entries.
     *
     * @return patches and what stands before them
     */
    public int size() {
      return names.size();
    }

    /**
     * Where the patches begin.
     *
     * @return entries before them
     */
    public int first() {
      return size() - rows * columns;
    }
  }

  private static final int CELL = 28;

  private final Kind kind;
  private final Axis from;
  private final Axis to;
  private final int heads;
  private final List<float[]> layers;

  /**
   * Takes what was found; for implementations of {@link Attention}.
   *
   * @param kind what attends to what
   * @param from what attends
   * @param to what is attended to
   * @param heads of each layer, at least 1
   * @param layers for each layer [heads, from, to], row by row; not copied
   */
  public AttentionMap(Kind kind, Axis from, Axis to, int heads, List<float[]> layers) {
    this.kind = Check.notNull(kind, "kind");
    this.from = Check.notNull(from, "from");
    this.to = Check.notNull(to, "to");
    this.heads = heads;
    this.layers = List.copyOf(layers);
    long expected = (long) heads * from.size() * to.size();
    for (float[] layer : layers) {
      Check.that(
          layer.length == expected,
          "attention: has " + layer.length + " numbers; expected " + expected);
    }
    Check.that(
        heads > 0 && from.size() > 0 && to.size() > 0 && !layers.isEmpty(), "attention: is empty");
  }

  /**
   * What attends to what.
   *
   * @return the kind
   */
  public Kind kind() {
    return kind;
  }

  /**
   * What attends.
   *
   * @return the entries
   */
  public Axis from() {
    return from;
  }

  /**
   * What is attended to.
   *
   * @return the entries
   */
  public Axis to() {
    return to;
  }

  /**
   * How many layers.
   *
   * @return at least 1
   */
  public int layers() {
    return layers.size();
  }

  /**
   * How many heads each layer has.
   *
   * @return at least 1
   */
  public int heads() {
    return heads;
  }

  /**
   * What an entry attended to in one head of one layer.
   *
   * @param layer from 0
   * @param head from 0
   * @param entry of {@link #from}, from 0
   * @return a number for each entry of {@link #to}
   */
  public float[] row(int layer, int head, int entry) {
    below("layer", layer, layers.size());
    below("head", head, heads);
    below("entry", entry, from.size());
    int start = (head * from.size() + entry) * to.size();
    return Arrays.copyOfRange(layers.get(layer), start, start + to.size());
  }

  /**
   * What an entry attended to in one layer: the mean over its heads.
   *
   * @param layer from 0
   * @param entry of {@link #from}, from 0
   * @return a number for each entry of {@link #to}
   */
  public float[] mean(int layer, int entry) {
    return mean(new int[] {layer}, all(heads), entry);
  }

  /**
   * What an entry attended to: the mean over all layers and heads.
   *
   * @param entry of {@link #from}, from 0
   * @return a number for each entry of {@link #to}
   */
  public float[] mean(int entry) {
    return mean(all(layers.size()), all(heads), entry);
  }

  private float[] mean(int[] ofLayers, int[] ofHeads, int entry) {
    double[] sum = new double[to.size()];
    for (int layer : ofLayers) {
      for (int head : ofHeads) {
        float[] row = row(layer, head, entry);
        for (int i = 0; i < sum.length; i++) {
          sum[i] += row[i];
        }
      }
    }
    float[] mean = new float[sum.length];
    for (int i = 0; i < mean.length; i++) {
      mean[i] = (float) (sum[i] / (ofLayers.length * ofHeads.length));
    }
    return mean;
  }

  private static int[] all(int count) {
    int[] all = new int[count];
    Arrays.setAll(all, i -> i);
    return all;
  }

  private static void below(String name, int value, int end) {
    Check.that(value >= 0 && value < end, name + ": is " + value + "; expected 0 to " + (end - 1));
  }

  // Pictures.

  /**
   * The mean over all layers and heads as a picture; see {@link #draw(Image, int, int)}.
   *
   * @param picture the one that was looked at
   * @return a new picture
   */
  public Image draw(Image picture) {
    return drawn(picture, all(layers.size()), all(heads));
  }

  /**
   * The mean over the heads of one layer as a picture; see {@link #draw(Image, int, int)}.
   *
   * @param picture the one that was looked at
   * @param layer from 0
   * @return a new picture
   */
  public Image draw(Image picture, int layer) {
    below("layer", layer, layers.size());
    return drawn(picture, new int[] {layer}, all(heads));
  }

  /**
   * One head as a picture. Words to words or queries: a table, a row for each word that attends,
   * bluer where it attends more. Words or queries to patches: the picture once for each of them,
   * bright where it looks. Patches to patches: the picture, bright where the class token looks, or
   * without one where all patches do.
   *
   * @param picture the one that was looked at
   * @param layer from 0
   * @param head from 0
   * @return a new picture
   */
  public Image draw(Image picture, int layer, int head) {
    below("layer", layer, layers.size());
    below("head", head, heads);
    return drawn(picture, new int[] {layer}, new int[] {head});
  }

  /**
   * The picture under what one entry attended to.
   *
   * @param picture the one that was looked at
   * @param row one of this map's rows or means
   * @return a copy of the picture, bright where the entry looked
   * @throws InvalidRequestException if what is attended to are no patches
   */
  public Image over(Image picture, float[] row) {
    Check.notNull(picture, "picture");
    Check.that(to.rows() > 0, "kind: is " + kind + "; words are nowhere in a picture");
    Check.that(
        row.length == to.size(), "row: has " + row.length + " numbers; expected " + to.size());
    float[] patches = Arrays.copyOfRange(row, to.first(), to.size());
    int width = picture.width();
    int left = pixel(to.place().left(), width);
    int right = Math.max(left + 1, pixel(to.place().right(), width));
    int top = pixel(to.place().top(), picture.height());
    int bottom = Math.max(top + 1, pixel(to.place().bottom(), picture.height()));
    byte[] whole = picture.rgb();
    int line = (right - left) * 3;
    byte[] part = new byte[line * (bottom - top)];
    for (int y = top; y < bottom; y++) {
      System.arraycopy(whole, (y * width + left) * 3, part, (y - top) * line, line);
    }
    byte[] warm =
        Image.ofRgb(right - left, bottom - top, part)
            .draw()
            .heatMap(patches, to.columns(), to.rows())
            .image()
            .rgb();
    byte[] drawn = whole.clone();
    for (int y = top; y < bottom; y++) {
      System.arraycopy(warm, (y - top) * line, drawn, (y * width + left) * 3, line);
    }
    return Image.ofRgb(width, picture.height(), drawn, picture.source());
  }

  private static int pixel(double share, int length) {
    return (int) Math.round(Math.max(0, Math.min(share, 1)) * length);
  }

  private Image drawn(Image picture, int[] ofLayers, int[] ofHeads) {
    Check.notNull(picture, "picture");
    return switch (kind) {
      case TEXT_TO_TEXT, WORD_TO_QUERY -> table(ofLayers, ofHeads);
      case WORD_TO_REGION, QUERY_TO_REGION -> {
        Tiles tiles = new Tiles(picture, from.size());
        for (int word = 0; word < from.size(); word++) {
          float[] row = mean(ofLayers, ofHeads, word);
          tiles.add(over(tiles.small(), row), from.names().get(word));
        }
        yield tiles.image(
            (kind == Kind.WORD_TO_REGION ? "words of " : "queries of ") + picture.source());
      }
      case PATCH_TO_PATCH -> {
        if (from.first() > 0) {
          yield over(picture, mean(ofLayers, ofHeads, 0));
        }
        float[] sum = new float[to.size()];
        for (int patch = 0; patch < from.size(); patch++) {
          float[] row = mean(ofLayers, ofHeads, patch);
          for (int i = 0; i < sum.length; i++) {
            sum[i] += row[i];
          }
        }
        yield over(picture, sum);
      }
    };
  }

  /** A margin of names, and a cell for each pair. */
  private Image table(int[] ofLayers, int[] ofHeads) {
    int margin = 5 * CELL;
    int width = margin + to.size() * CELL;
    int height = margin + from.size() * CELL;
    byte[] white = new byte[width * height * 3];
    Arrays.fill(white, (byte) 0xFF);
    for (int r = 0; r < from.size(); r++) {
      float[] row = mean(ofLayers, ofHeads, r);
      for (int c = 0; c < to.size(); c++) {
        // The bluer, the more.
        byte grey = (byte) Math.round(255 * (1 - Math.max(0, Math.min(row[c], 1))));
        for (int y = 0; y < CELL - 1; y++) {
          int start = ((margin + r * CELL + y) * width + margin + c * CELL) * 3;
          for (int x = 0; x < CELL - 1; x++) {
            white[start + 3 * x] = grey;
            white[start + 3 * x + 1] = grey;
            white[start + 3 * x + 2] = (byte) 0xFF;
          }
        }
      }
    }
    Drawing drawing = Image.ofRgb(width, height, white, "words").draw().colour(0x303030);
    for (int r = 0; r < from.size(); r++) {
      double top = margin + r * CELL;
      drawing.box(0, top, margin - 2.0, top + CELL - 2.0, from.names().get(r));
    }
    for (int c = 0; c < to.size(); c++) {
      // Names of columns stand in steps, so that they do not cover each other.
      double left = margin + c * CELL;
      double top = c % 4 * CELL;
      drawing.box(left, top, left + CELL - 2.0, margin - 2.0, to.names().get(c));
    }
    return drawing.image();
  }
}
