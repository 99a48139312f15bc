package dev.lmm.diffusion.internal;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Cuts a prompt's tokens into what a text tower reads at once: a begin token, as many tokens as fit
 * (75 of 77), an end token, padding. A long prompt fills several; as the web user interfaces of the
 * field do, a chunk ends early, after its last comma, if that stands among its last 20 tokens.
 */
final class PromptChunks {
  private static final Logger LOG = LoggerFactory.getLogger(PromptChunks.class);

  /** How many tokens may move to the next chunk so that it begins behind a comma. */
  private static final int BACKTRACK = 20;

  /**
   * What a tower reads at once.
   *
   * @param ids as many as the tower has positions; below 0, -1 - the row of a learned vector
   * @param weights of the ids
   */
  @SuppressWarnings("ArrayRecordComponent") // handed over, never compared
  record Chunk(int[] ids, float[] weights) {
    /** Whether all weights are 1. */
    boolean isPlain() {
      for (float weight : weights) {
        if (weight != 1) {
          return false;
        }
      }
      return true;
    }
  }

  /**
   * Some tokens that belong together, with their weight.
   *
   * @param ids the tokens
   * @param weight of each
   * @param whole whether they must stand in one chunk: the vectors of one learned word
   * @param ends whether the chunk ends here, and there are no tokens
   */
  @SuppressWarnings("ArrayRecordComponent") // handed over, never compared
  record Run(int[] ids, double weight, boolean whole, boolean ends) {}

  /**
   * Ids with a meaning.
   *
   * @param begin before the first token
   * @param end after the last
   * @param pad after that
   * @param comma a comma that ends a word, or -1
   * @param positions how many ids a chunk has
   */
  record Marks(int begin, int end, int pad, int comma, int positions) {}

  private final Marks marks;
  private final int room;
  private final List<Chunk> chunks = new ArrayList<>();
  private final List<Integer> ids = new ArrayList<>();
  private final List<Float> weights = new ArrayList<>();
  private int lastComma = -1;

  private PromptChunks(Marks marks) {
    this.marks = marks;
    this.room = marks.positions() - 2;
  }

  /** The one chunk of a prompt; what does not fit is left out, with a warning. */
  static List<Chunk> first(List<Run> runs, Marks marks) {
    PromptChunks cutter = new PromptChunks(marks);
    int count = 0;
    for (Run run : runs) {
      for (int id : run.ids()) {
        if (count++ < cutter.room) {
          cutter.add(id, run.weight());
        }
      }
    }
    if (count > cutter.room) {
      LOG.warn(
          "The prompt has {} tokens; the model reads {}, the rest is left out",
          count + 2,
          marks.positions());
    }
    cutter.close();
    return cutter.chunks;
  }

  /** As many chunks as a prompt fills, at least one. */
  static List<Chunk> all(List<Run> runs, Marks marks) {
    PromptChunks cutter = new PromptChunks(marks);
    for (Run run : runs) {
      if (run.ends()) {
        cutter.close();
      } else if (run.whole() && run.ids().length <= cutter.room) {
        cutter.makeRoom(run.ids()[0]);
        if (cutter.ids.size() + run.ids().length > cutter.room) {
          cutter.close();
        }
        for (int id : run.ids()) {
          cutter.add(id, run.weight());
        }
      } else {
        for (int id : run.ids()) {
          cutter.makeRoom(id);
          cutter.add(id, run.weight());
        }
      }
    }
    if (!cutter.ids.isEmpty() || cutter.chunks.isEmpty()) {
      cutter.close();
    }
    return cutter.chunks;
  }

  /** The chunk of an empty prompt. */
  static Chunk empty(Marks marks) {
    return first(List.of(), marks).get(0);
  }

  /** Begins another chunk if this one is full, perhaps behind its last comma. */
  private void makeRoom(int id) {
    if (id == marks.comma()) {
      lastComma = ids.size();
    } else if (ids.size() == room && lastComma >= 0 && room - lastComma <= BACKTRACK) {
      List<Integer> movedIds = ids.subList(lastComma + 1, room);
      List<Float> movedWeights = weights.subList(lastComma + 1, room);
      List<Integer> keptIds = List.copyOf(movedIds);
      List<Float> keptWeights = List.copyOf(movedWeights);
      movedIds.clear();
      movedWeights.clear();
      close();
      ids.addAll(keptIds);
      weights.addAll(keptWeights);
    }
    if (ids.size() == room) {
      close();
    }
  }

  private void add(int id, double weight) {
    ids.add(id);
    weights.add((float) weight);
  }

  private void close() {
    int[] all = new int[marks.positions()];
    float[] factors = new float[marks.positions()];
    Arrays.fill(all, marks.pad());
    Arrays.fill(factors, 1);
    all[0] = marks.begin();
    for (int i = 0; i < ids.size(); i++) {
      all[1 + i] = ids.get(i);
      factors[1 + i] = weights.get(i);
    }
    all[1 + ids.size()] = marks.end();
    chunks.add(new Chunk(all, factors));
    ids.clear();
    weights.clear();
    lastComma = -1;
  }
}
