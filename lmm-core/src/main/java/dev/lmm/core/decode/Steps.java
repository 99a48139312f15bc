package dev.lmm.core.decode;

import dev.lmm.Cancellation;
import dev.lmm.Check;
import dev.lmm.EngineException;
import dev.lmm.core.engine.RunWatch;
import dev.lmm.core.engine.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntConsumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Runs a model's steps: a prompt in chunks, or one token for each row. */
final class Steps {
  private Steps() {}

  /**
   * Reads the rest of a prompt into a cache of one row.
   *
   * @param from entries that are there already
   * @param readTo told after each chunk how far it has come
   * @return logits of what follows the prompt
   */
  static float[] prefill(
      StepModel model,
      KvCache cache,
      Prompt prompt,
      int from,
      GenerationOptions options,
      IntConsumer readTo) {
    Supplier<Map<String, Tensor>> source = prompt.source();
    if (source != null) {
      check(options.cancellation());
      model.attend(cache, Check.notNull(source.get(), "source"));
    }
    IdentityHashMap<Prompt.Embedded, Tensor> values = new IdentityHashMap<>();
    Tensor logits = null;
    for (int start = from; start < prompt.length(); ) {
      check(options.cancellation());
      int count = Math.min(options.prefillChunk(), prompt.length() - start);
      boolean last = start + count == prompt.length();
      StepInput input =
          new StepInput(
              1,
              count,
              new int[] {start},
              ids(prompt, start, count),
              positions(prompt, start, count),
              slices(prompt, start, count, values),
              last);
      logits = model.step(cache, input, options.cancellation());
      start += count;
      readTo.accept(start);
    }
    return row(model, logits, 1, 0);
  }

  private static int[] ids(Prompt prompt, int start, int count) {
    int[] ids = new int[count];
    Arrays.setAll(ids, i -> prompt.id(start + i));
    return ids;
  }

  private static int[][] positions(Prompt prompt, int start, int count) {
    int[][] positions = new int[prompt.axes()][count];
    for (int axis = 0; axis < positions.length; axis++) {
      for (int i = 0; i < count; i++) {
        positions[axis][i] = prompt.position(axis, start + i);
      }
    }
    return positions;
  }

  private static List<StepInput.Slice> slices(
      Prompt prompt, int start, int count, IdentityHashMap<Prompt.Embedded, Tensor> values) {
    List<StepInput.Slice> slices = new ArrayList<>();
    for (Prompt.Embedded each : prompt.embedded()) {
      int begin = Math.max(start, each.start());
      int end = Math.min(start + count, each.start() + each.count());
      if (begin < end) {
        Tensor tensor = values.computeIfAbsent(each, e -> values(e));
        slices.add(
            new StepInput.Slice(0, begin - start, end - begin, tensor, begin - each.start()));
      }
    }
    return List.copyOf(slices);
  }

  private static Tensor values(Prompt.Embedded embedded) {
    Tensor values = Check.notNull(embedded.values().get(), "values");
    Check.that(
        values.shape().length == 2 && values.dim(0) == embedded.count(),
        "embedded: "
            + values
            + " stands for "
            + embedded.count()
            + " entries; expected [entries, width]");
    return values;
  }

  /**
   * One token for each row.
   *
   * @return logits [rows, vocabulary]
   */
  static Tensor next(
      StepModel model,
      KvCache cache,
      int[] past,
      int[] ids,
      int[] positions,
      int axes,
      @Nullable Cancellation cancellation) {
    check(cancellation);
    int[][] perAxis = new int[axes][];
    Arrays.fill(perAxis, positions);
    StepInput input = new StepInput(ids.length, 1, past, ids, perAxis, List.of(), true);
    Tensor logits = model.step(cache, input, cancellation);
    if (logits == null) {
      throw noLogits(model, logits, ids.length);
    }
    return logits;
  }

  static void check(@Nullable Cancellation cancellation) {
    if (cancellation != null) {
      cancellation.check();
    }
    RunWatch.checkInterrupt();
  }

  /** A copy of one row of logits. */
  static float[] row(StepModel model, @Nullable Tensor logits, int rows, int row) {
    int width = model.vocabularySize();
    if (logits == null || logits.elements() != (long) rows * width) {
      throw noLogits(model, logits, rows);
    }
    float[] copy = new float[width];
    logits.floats().get(row * width, copy);
    return copy;
  }

  private static EngineException noLogits(StepModel model, @Nullable Tensor logits, int rows) {
    return new EngineException(
        "The model's step gave "
            + logits
            + "; expected logits F32["
            + rows
            + ", "
            + model.vocabularySize()
            + "]");
  }
}
