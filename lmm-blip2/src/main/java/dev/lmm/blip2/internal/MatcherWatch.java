package dev.lmm.blip2.internal;

import dev.lmm.AttentionMap;
import dev.lmm.core.engine.RunOptions;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.family.LoadContext;
import java.util.ArrayList;
import java.util.List;

/** The first stage watched at work: its tower, and queries and words as they match. Thread-safe. */
final class MatcherWatch implements AutoCloseable {
  private final MatcherConfig config;
  private final QueryWatch queries;
  private final VisionWatch vision;

  MatcherWatch(LoadContext context, MatcherConfig config) {
    this.config = config;
    this.queries =
        new QueryWatch(context, config.numQueryTokens(), config.vision(), config.qformer());
    this.vision = new VisionWatch(context, config.vision());
  }

  QueryWatch queries() {
    return queries;
  }

  /**
   * What everything attends to.
   *
   * @param pixels the picture
   * @param seen the same as the tower gives it, [1, rows, width]
   * @param ids the text that it is matched with; empty for the picture alone
   * @param words the ids' names
   */
  List<AttentionMap> look(
      Tensor pixels, Tensor seen, int[] ids, List<String> words, RunOptions run) {
    QueryWatch.Looked looked = queries.look(seen, ids.length == 0 ? null : ids, run);
    SeenMaps maps = new SeenMaps(looked, config.vision());
    List<AttentionMap> all = new ArrayList<>();
    if (ids.length > 0) {
      int count = config.numQueryTokens();
      int width = count + ids.length;
      List<float[]> toWords = new ArrayList<>();
      List<float[]> toQueries = new ArrayList<>();
      for (float[] layer : looked.self()) {
        toWords.add(SeenMaps.part(layer, width, count, count, width));
        toQueries.add(SeenMaps.part(layer, width, count, 0, count));
      }
      int heads = config.qformer().numAttentionHeads();
      all.addAll(maps.words(words, heads, toWords, toQueries));
    }
    all.add(maps.queries());
    all.add(vision.look(pixels, run));
    return List.copyOf(all);
  }

  @Override
  public void close() {
    queries.close();
    vision.close();
  }
}
