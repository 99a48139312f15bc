package dev.lmm.core.decode;

import dev.lmm.Check;
import dev.lmm.core.engine.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What a model is to read before it answers: token ids, foreign embeddings in the place of some,
 * and positions. A conversation's next turn is a new prompt with all of it; what a {@link Session}
 * has read already is recognised and not read again. Immutable.
 */
public final class Prompt {
  /**
   * A stretch of entries whose embeddings are not the tokens' own.
   *
   * @param start first entry
   * @param count how many
   * @param key names the content: equal keys are equal embeddings. Two pictures must differ
   * @param values F32 [count, width]; asked for only if the entries must be read, perhaps more than
   *     once
   */
  public record Embedded(int start, int count, Object key, Supplier<Tensor> values) {}

  private final int[] ids;
  private final int[][] positions;
  private final List<Embedded> embedded;
  private final boolean penalized;
  private final @Nullable Supplier<Map<String, Tensor>> source;
  private final int nextPosition;

  private Prompt(
      int[] ids,
      int[][] positions,
      List<Embedded> embedded,
      boolean penalized,
      @Nullable Supplier<Map<String, Tensor>> source) {
    this.ids = ids;
    this.positions = positions;
    this.embedded = embedded;
    this.penalized = penalized;
    this.source = source;
    int largest = -1;
    for (int[] axis : positions) {
      for (int position : axis) {
        largest = Math.max(largest, position);
      }
    }
    this.nextPosition = largest + 1;
  }

  /**
   * Plain text at positions 0, 1, 2 ...
   *
   * @param ids token ids, at least one
   * @return the prompt
   */
  public static Prompt of(int... ids) {
    Check.that(Check.notNull(ids, "ids").length > 0, "ids: are none; expected at least one");
    int[] positions = new int[ids.length];
    Arrays.setAll(positions, i -> i);
    return new Prompt(ids.clone(), new int[][] {positions}, List.of(), true, null);
  }

  /**
   * The same at other positions. The answer goes on at the largest of all axes plus one, on every
   * axis.
   *
   * @param axes one array for each axis, each as long as the prompt, none negative
   * @return a new prompt
   */
  public Prompt positions(int[]... axes) {
    Check.that(Check.notNull(axes, "axes").length > 0, "axes: are none; expected at least one");
    int[][] copy = new int[axes.length][];
    for (int i = 0; i < axes.length; i++) {
      Check.that(
          axes[i].length == ids.length,
          "axes: axis " + i + " has " + axes[i].length + " positions for " + ids.length + " ids");
      Check.that(Arrays.stream(axes[i]).allMatch(p -> p >= 0), "axes: a position is negative");
      copy[i] = axes[i].clone();
    }
    return new Prompt(ids, copy, embedded, penalized, source);
  }

  /**
   * The same with foreign embeddings at some entries; the ids there stay as placeholders.
   *
   * @param start first entry
   * @param count how many
   * @param key names the content; equal keys are equal embeddings
   * @param values F32 [count, width], computed when asked
   * @return a new prompt
   */
  public Prompt embedded(int start, int count, Object key, Supplier<Tensor> values) {
    Check.notNull(key, "key");
    Check.notNull(values, "values");
    Check.that(
        start >= 0 && count > 0 && (long) start + count <= ids.length,
        "embedded: entries " + start + " to " + ((long) start + count) + " of " + ids.length);
    List<Embedded> more = new ArrayList<>(embedded);
    for (Embedded other : more) {
      Check.that(
          start >= other.start() + other.count() || start + count <= other.start(),
          "embedded: entry " + Math.max(start, other.start()) + " has embeddings already");
    }
    more.add(new Embedded(start, count, key, values));
    return new Prompt(ids, positions, List.copyOf(more), penalized, source);
  }

  /**
   * The same, but the repetition penalty and the ban of repeated n-grams see the answer only, as
   * transformers does for a model that is given embeddings.
   *
   * @return a new prompt
   */
  public Prompt withoutPenalty() {
    return new Prompt(ids, positions, embedded, false, source);
  }

  /**
   * The same with a source beside it, which an encoder-decoder looks at while it writes: what its
   * encoder has made of a question. The ids are then what the decoder begins with.
   *
   * @param values what {@link StepModel#attend} is given; asked for when the prompt is read
   * @return a new prompt
   */
  public Prompt source(Supplier<Map<String, Tensor>> values) {
    return new Prompt(ids, positions, embedded, penalized, Check.notNull(values, "values"));
  }

  @Nullable Supplier<Map<String, Tensor>> source() {
    return source;
  }

  /**
   * How many entries.
   *
   * @return the length
   */
  public int length() {
    return ids.length;
  }

  /**
   * The ids.
   *
   * @return a copy
   */
  public int[] ids() {
    return ids.clone();
  }

  /**
   * The positions.
   *
   * @return a copy, one array for each axis
   */
  public int[][] positions() {
    return Arrays.stream(positions).map(int[]::clone).toArray(int[][]::new);
  }

  /**
   * Where the answer's first token stands.
   *
   * @return the largest position of all axes plus one
   */
  public int nextPosition() {
    return nextPosition;
  }

  /**
   * The embeddings.
   *
   * @return in the order they were added
   */
  public List<Embedded> embedded() {
    return embedded;
  }

  boolean penalized() {
    return penalized;
  }

  int axes() {
    return positions.length;
  }

  int id(int entry) {
    return ids[entry];
  }

  int position(int axis, int entry) {
    return positions[axis][entry];
  }

  /** What tells entries apart: for a cache to know whether it has read this one. */
  Entry entry(int index) {
    int[] places = new int[positions.length];
    for (int axis = 0; axis < places.length; axis++) {
      places[axis] = positions[axis][index];
    }
    for (Embedded each : embedded) {
      if (index >= each.start() && index < each.start() + each.count()) {
        return new Entry(ids[index], each.key(), index - each.start(), places);
      }
    }
    // Keys and values depend on the source too.
    return new Entry(ids[index], source, 0, places);
  }
}
