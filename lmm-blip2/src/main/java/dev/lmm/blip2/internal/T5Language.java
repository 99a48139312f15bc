package dev.lmm.blip2.internal;

import dev.lmm.AttentionMap;
import dev.lmm.Cancellation;
import dev.lmm.Check;
import dev.lmm.InvalidRequestException;
import dev.lmm.core.decode.Prompt;
import dev.lmm.core.decode.StepModel;
import dev.lmm.core.engine.Program;
import dev.lmm.core.engine.RunOptions;
import dev.lmm.core.engine.Tensor;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** T5: the encoder reads queries and words, the decoder writes. Thread-safe. */
final class T5Language implements Language {
  private final Program encoder;
  private final T5Config config;
  private final T5Model model;
  private final int startId;
  private final Set<String> wanted;

  T5Language(Program encoder, Program decoder, T5Config config, int startId) {
    this.encoder = encoder;
    this.config = config;
    this.model = new T5Model(decoder, config);
    this.startId = startId;
    this.wanted =
        Set.copyOf(
            IntStream.range(0, config.numDecoderLayers())
                .boxed()
                .flatMap(i -> Stream.of(T5Graphs.KEYS + i, T5Graphs.VALUES + i))
                .toList());
  }

  @Override
  public StepModel model() {
    return model;
  }

  @Override
  public Prompt prompt(
      int[] ids, int queries, Supplier<Tensor> projected, @Nullable Cancellation cancellation) {
    if (ids.length > T5Model.LONGEST) {
      throw new InvalidRequestException(
          "prompt: has "
              + ids.length
              + " tokens with the queries; the model's context holds "
              + T5Model.LONGEST
              + " together. Shorten the prompt");
    }
    int[] words = Arrays.copyOfRange(ids, queries, ids.length);
    RunOptions run = RunOptions.cancelledBy(cancellation);
    return Prompt.of(startId).source(() -> read(projected.get(), words, run));
  }

  /** What the decoder looks at. */
  private Map<String, Tensor> read(Tensor projected, int[] words, RunOptions run) {
    return encoder.run(inputs(projected, words), wanted, run);
  }

  /** The encoder reads the queries alone, the decoder writes the answer. */
  @Override
  public List<AttentionMap> watched(
      Blip2Watch watch,
      int[] empty,
      Tensor projected,
      int[] answer,
      IntFunction<String> name,
      SeenMaps looked,
      RunOptions run) {
    int[] ids = IntStream.concat(IntStream.of(startId), Arrays.stream(answer)).toArray();
    Check.that(
        ids.length <= T5Model.LONGEST,
        "text: has " + ids.length + " tokens; the model's context holds " + T5Model.LONGEST);
    List<String> names = Arrays.stream(ids).mapToObj(name).toList();
    return watch.words(model, read(projected, empty, run), ids, looked, names, run);
  }

  /** What the encoder's graph is given. */
  Map<String, Tensor> inputs(Tensor projected, int[] words) {
    int queries = (int) projected.dim(0);
    int all = queries + words.length;
    RelativeBuckets buckets = new RelativeBuckets(true, config.buckets(), config.maxDistance());
    long[] distances = new long[all * all];
    for (int i = 0; i < distances.length; i++) {
      distances[i] = buckets.of(i % all - i / all);
    }
    Map<String, Tensor> inputs = new HashMap<>();
    inputs.put("projected", Tensor.of(projected.toFloats(), 1, queries, config.hiddenSize()));
    inputs.put("ids", Tensor.of(Arrays.stream(words).asLongStream().toArray(), 1, words.length));
    inputs.put("buckets", Tensor.of(distances, all, all));
    return inputs;
  }
}
