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

  /** What the decoder's graph is given. */
  Map<String, Tensor> inputs(T5Cache cache, StepInput input) {
    int rows = input.rows();
    int count = input.count();
    int capacity = cache.capacity();
    long[] distances = new long[Math.multiplyExact(rows * count, capacity)];
    for (int i = 0; i < rows * count; i++) {
      int place = input.past()[i / count] + i % count;
      for (int key = 0; key <= place && key < capacity; key++) {
        distances[i * capacity + key] = buckets.of(key - place);
      }
    }
    Map<String, Tensor> inputs = new HashMap<>(cache.joined());
    long[] ids = Arrays.stream(input.ids()).asLongStream().toArray();
    inputs.put("ids", Tensor.of(ids, cache.groups(), rows / cache.groups(), count));
    inputs.put("past", input.pastTensor());
    inputs.put("last", Tensor.of(new long[] {count - 1}, 1));
    inputs.put("buckets", Tensor.of(distances, rows, count, capacity));
    return inputs;
  }
}
