package dev.lmm;

import java.util.List;

/**
 * How much each query attended to each patch of a picture. Immutable and thread-safe.
 *
 * <p>A map has {@code rows * columns} numbers, row by row, from the picture's top left corner; the
 * model sees every picture as a square, so the patches are its equal parts whatever its shape. The
 * numbers are the model's own attention probabilities. They sum to 1 together with {@link
 * #elsewhere}, what went to the vision tower's class token, which is nowhere in the picture.
 */
public final class QueryMaps {
  private final int rows;
  private final int columns;
  private final int queries;
  private final int heads;
  private final List<Integer> layers;
  private final float[] attention;
  private final float[] rollout;

  /**
   * Takes what was found; for implementations of {@link Queries}. Arrays are copied.
   *
   * @param rows of patches, at least 1
   * @param columns of patches, at least 1
   * @param queries at least 1
   * @param heads at least 1
   * @param layers the numbers of the layers that look at the picture, at least one
   * @param attention [layers, heads, queries, 1 + rows * columns], the class token first
   * @param rollout [queries, 1 + rows * columns], the class token first
   */
  public QueryMaps(
      int rows,
      int columns,
      int queries,
      int heads,
      List<Integer> layers,
      float[] attention,
      float[] rollout) {
    this.rows = rows;
    this.columns = columns;
    this.queries = queries;
    this.heads = heads;
    this.layers = List.copyOf(layers);
    this.attention = attention.clone();
    this.rollout = rollout.clone();
    long seen = 1 + (long) rows * columns;
    Check.that(
        rollout.length == seen * queries
            && attention.length == seen * queries * heads * layers.size(),
        "attention: "
            + attention.length
            + " and "
            + rollout.length
            + " numbers do not fit the sizes given with them");
  }

  /**
   * Rows of patches.
   *
   * @return at least 1
   */
  public int rows() {
    return rows;
  }

  /**
   * Columns of patches.
   *
   * @return at least 1
   */
  public int columns() {
    return columns;
  }

  /**
   * How many queries there are.
   *
   * @return at least 1
   */
  public int queries() {
    return queries;
  }

  /**
   * Heads of each layer.
   *
   * @return at least 1
   */
  public int heads() {
    return heads;
  }

  /**
   * The layers of the Q-Former that look at the picture.
   *
   * @return their numbers, rising
   */
  public List<Integer> layers() {
    return layers;
  }

  /**
   * What a query attended to in one head of one layer.
   *
   * @param query from 0
   * @param layer one of {@link #layers}
   * @param head from 0
   * @return a map
   */
  public float[] map(int query, int layer, int head) {
    double[] row = new double[1 + rows * columns];
    add(row, query, place(layer), head);
    return patches(row, 1);
  }

  /**
   * What a query attended to in one layer: the mean over its heads.
   *
   * @param query from 0
   * @param layer one of {@link #layers}
   * @return a map
   */
  public float[] mean(int query, int layer) {
    double[] row = new double[1 + rows * columns];
    for (int head = 0; head < heads; head++) {
      add(row, query, place(layer), head);
    }
    return patches(row, heads);
  }

  /**
   * What a query attended to: the mean over all layers and heads.
   *
   * @param query from 0
   * @return a map
   */
  public float[] mean(int query) {
    return patches(meanRow(query), layers.size() * heads);
  }

  /**
   * What a query's last state is made of: attention followed through all layers, with what queries
   * (and words) took from each other. In every layer half of a state is what it was before, and the
   * heads count alike (Abnar and Zuidema, Quantifying Attention Flow in Transformers, 2020).
   *
   * @param query from 0
   * @return a map
   */
  public float[] rollout(int query) {
    Check.that(
        query >= 0 && query < queries, "query: is " + query + "; expected 0 to " + (queries - 1));
    float[] map = new float[rows * columns];
    System.arraycopy(rollout, query * (1 + map.length) + 1, map, 0, map.length);
    return map;
  }

  /**
   * What a query attended to that is nowhere in the picture: the class token's share, the mean over
   * all layers and heads.
   *
   * @param query from 0
   * @return 0 to 1
   */
  public double elsewhere(int query) {
    return meanRow(query)[0] / (layers.size() * heads);
  }

  private double[] meanRow(int query) {
    double[] row = new double[1 + rows * columns];
    for (int layer = 0; layer < layers.size(); layer++) {
      for (int head = 0; head < heads; head++) {
        add(row, query, layer, head);
      }
    }
    return row;
  }

  private int place(int layer) {
    int place = layers.indexOf(layer);
    Check.that(place >= 0, "layer: is " + layer + "; expected one of " + layers);
    return place;
  }

  private void add(double[] row, int query, int place, int head) {
    Check.that(
        query >= 0 && query < queries, "query: is " + query + "; expected 0 to " + (queries - 1));
    Check.that(head >= 0 && head < heads, "head: is " + head + "; expected 0 to " + (heads - 1));
    int from = ((place * heads + head) * queries + query) * row.length;
    for (int i = 0; i < row.length; i++) {
      row[i] += attention[from + i];
    }
  }

  private static float[] patches(double[] row, int count) {
    float[] map = new float[row.length - 1];
    for (int i = 0; i < map.length; i++) {
      map[i] = (float) (row[i + 1] / count);
    }
    return map;
  }

  /**
   * A picture under a map.
   *
   * @param picture the one that was looked at
   * @param map one of this object's maps
   * @return a copy of the picture, bright where the query looked
   * @throws InvalidRequestException if the map has another number of patches
   */
  public Image draw(Image picture, float[] map) {
    return picture.draw().heatMap(map, columns, rows).image();
  }

  /**
   * All queries side by side, each with its number: the picture made small under {@link
   * #mean(int)}.
   *
   * @param picture the one that was looked at
   * @return eight tiles across, of the picture's shape, the longer side 160 pixels
   */
  public Image sheet(Image picture) {
    Tiles tiles = new Tiles(picture, queries);
    for (int query = 0; query < queries; query++) {
      tiles.add(draw(tiles.small(), mean(query)), Integer.toString(query));
    }
    return tiles.image("queries of " + picture.source());
  }
}
