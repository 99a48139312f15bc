package dev.lmm.blip2.internal;

import dev.lmm.Cancellation;
import dev.lmm.core.decode.KvCache;
import dev.lmm.core.decode.StepInput;
import dev.lmm.core.decode.StepModel;
import dev.lmm.core.engine.Program;
import dev.lmm.core.engine.RunOptions;
import dev.lmm.core.engine.Tensor;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** T5's decoder as decoding sees it. Thread-safe. */
final class T5Model implements StepModel {
  /** Distances have no end, memory has: what an answer, or a prompt with its queries, may hold. */
  static final int LONGEST = 2048;

  private final Program program;
  private final T5Config config;
  private final RelativeBuckets buckets;

  T5Model(Program program, T5Config config) {
    this.program = program;
    this.config = config;
    this.buckets = new RelativeBuckets(false, config.buckets(), config.maxDistance());
  }

  @Override
  public int vocabularySize() {
    return config.vocabSize();
  }

  @Override
  public int contextLength() {
    return LONGEST;
  }

  @Override
  public KvCache newCache(int rows, int capacity) {
    return new T5Cache(program, rows, 1, capacity);
  }

  @Override
  public KvCache newBeams(int rows, int capacity) {
    return new T5Cache(program, 1, rows, capacity);
  }

  @Override
  public void attend(KvCache cache, Map<String, Tensor> source) {
    ((T5Cache) cache).attend(source);
  }

  @Override
  public @Nullable Tensor step(
      KvCache cache, StepInput input, @Nullable Cancellation cancellation) {
    T5Cache own = (T5Cache) cache;
    return program
        .run(inputs(own, input), Set.of("logits"), new RunOptions(own.state(), cancellation))
        .get("logits");
  }

  /** What the watched decoder is given: a source, and all that is written. */
  Map<String, Tensor> whole(Map<String, Tensor> source, int[] ids) {
    Map<String, Tensor> inputs = new HashMap<>(T5Cache.join(List.of(source)));
    inputs.put("ids", Tensor.of(Arrays.stream(ids).asLongStream().toArray(), 1, 1, ids.length));
    inputs.put("buckets", distances(new int[1], 1, ids.length, ids.length));
    return inputs;
  }

  /**
   * The bucket of the distance from each new entry to each kept one, I64 [rows, count, capacity].
   */
  private Tensor distances(int[] past, int rows, int count, int capacity) {
    long[] distances = new long[Math.multiplyExact(rows * count, capacity)];
    for (int i = 0; i < rows * count; i++) {
      int place = past[i / count] + i % count;
      for (int key = 0; key <= place && key < capacity; key++) {
        distances[i * capacity + key] = buckets.of(key - place);
      }
    }
    return Tensor.of(distances, rows, count, capacity);
  }

  /** What the decoder's graph is given. */
  private Map<String, Tensor> inputs(T5Cache cache, StepInput input) {
    int rows = input.rows();
    int count = input.count();
    Map<String, Tensor> inputs = new HashMap<>(cache.joined());
    long[] ids = Arrays.stream(input.ids()).asLongStream().toArray();
    inputs.put("ids", Tensor.of(ids, cache.groups(), rows / cache.groups(), count));
    inputs.put("past", input.pastTensor());
    inputs.put("last", Tensor.of(new long[] {count - 1}, 1));
    inputs.put("buckets", distances(input.past(), rows, count, cache.capacity()));
    return inputs;
  }
}
