package dev.lmm.blip2.internal;

import dev.lmm.AttentionMap;
import dev.lmm.AttentionMap.Axis;
import dev.lmm.AttentionMap.Kind;
import dev.lmm.QueryMaps;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * What the queries of a picture saw, as attention maps: theirs, and those of words through them.
 */
final class SeenMaps {
  private final QueryWatch.Looked looked;
  private final Axis patches;

  /**
   * Of a picture.
   *
   * @param looked where the queries looked
   * @param vision the tower whose rows they looked at
   */
  SeenMaps(QueryWatch.Looked looked, Blip2Config.Vision vision) {
    this.looked = looked;
    this.patches = VisionWatch.axis(vision);
  }

  /** What queries attend to: the layers that look at the picture, in their order. */
  AttentionMap queries() {
    return new AttentionMap(
        Kind.QUERY_TO_REGION, axis(), patches, looked.maps().heads(), looked.cross());
  }

  private Axis axis() {
    return Axis.words(
        IntStream.range(0, looked.maps().queries()).mapToObj(q -> "query " + q).toList());
  }

  /**
   * What words attend to: each other, the queries, and places through these. A word's place is what
   * it attends to of the queries, multiplied with what each of them looks at: the mean over the
   * Q-Former's layers and heads.
   *
   * @param words the words' names
   * @param heads of each layer
   * @param toWords for each layer [heads, words, words]
   * @param toQueries for each layer [heads, words, queries]
   */
  List<AttentionMap> words(
      List<String> words, int heads, List<float[]> toWords, List<float[]> toQueries) {
    Axis from = Axis.words(words);
    float[][] regions = regions(looked.maps());
    List<float[]> toRegions = new ArrayList<>();
    for (float[] layer : toQueries) {
      toRegions.add(through(layer, regions));
    }
    return List.of(
        new AttentionMap(Kind.TEXT_TO_TEXT, from, from, heads, toWords),
        new AttentionMap(Kind.WORD_TO_QUERY, from, axis(), heads, toQueries),
        new AttentionMap(Kind.WORD_TO_REGION, from, patches, heads, toRegions));
  }

  /** For each query what it looks at, the class token first. */
  private static float[][] regions(QueryMaps maps) {
    float[][] regions = new float[maps.queries()][];
    for (int query = 0; query < regions.length; query++) {
      float[] mean = maps.mean(query);
      regions[query] = new float[mean.length + 1];
      regions[query][0] = (float) maps.elsewhere(query);
      System.arraycopy(mean, 0, regions[query], 1, mean.length);
    }
    return regions;
  }

  private static float[] through(float[] toQueries, float[][] regions) {
    int queries = regions.length;
    int patches = regions[0].length;
    float[] all = new float[toQueries.length / queries * patches];
    for (int row = 0; row < toQueries.length / queries; row++) {
      for (int i = 0; i < patches; i++) {
        double sum = 0;
        for (int query = 0; query < queries; query++) {
          sum += (double) toQueries[row * queries + query] * regions[query][i];
        }
        all[row * patches + i] = (float) sum;
      }
    }
    return all;
  }

  /** Of rows of a width, those from {@code first} on in each head, and of them some columns. */
  static float[] part(float[] layer, int width, int first, int begin, int end) {
    // Square where rows are left out; otherwise all rows are wanted.
    int rows = first == 0 ? layer.length / width : width;
    int kept = rows - first;
    int blocks = layer.length / width / rows;
    float[] part = new float[blocks * kept * (end - begin)];
    int to = 0;
    for (int block = 0; block < blocks; block++) {
      for (int row = first; row < rows; row++) {
        int from = (block * rows + row) * width;
        System.arraycopy(layer, from + begin, part, to, end - begin);
        to += end - begin;
      }
    }
    return part;
  }
}
