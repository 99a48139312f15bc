package dev.lmm.blip2.internal;

import dev.lmm.AttentionMap;
import dev.lmm.ClosedException;
import dev.lmm.core.decode.StepInput;
import dev.lmm.core.engine.Program;
import dev.lmm.core.engine.RunOptions;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.family.LoadContext;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.WeightUsage;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The second stage's language model watched at work: what words attend to. Compiled when it is
 * first wanted. Thread-safe.
 */
final class Blip2Watch implements AutoCloseable {
  private final LoadContext context;
  private final Blip2Config config;
  private @Nullable Program language;
  private boolean closed;

  Blip2Watch(LoadContext context, Blip2Config config) {
    this.context = context;
    this.config = config;
  }

  /** The graph in which a whole text is read. */
  static Graph language(Blip2Config config, WeightUsage usage) {
    return config.text() instanceof T5Config t5
        ? T5Graphs.decoder(t5, true, usage)
        : OptModel.watched((OptConfig) config.text(), usage);
  }

  /**
   * What the words of a text attend to as OPT reads it.
   *
   * @param opt prepares what is read
   * @param ids placeholders of the queries, then the words
   * @param projected the queries in OPT's width
   * @param looked what the queries saw
   * @param words the words' names
   */
  List<AttentionMap> words(
      OptModel opt,
      int[] ids,
      Tensor projected,
      SeenMaps looked,
      List<String> words,
      RunOptions run) {
    int queries = config.numQueryTokens();
    StepInput input =
        new StepInput(
            1,
            ids.length,
            new int[1],
            ids,
            new int[][] {IntStream.range(0, ids.length).toArray()},
            List.of(new StepInput.Slice(0, 0, queries, projected, 0)),
            false);
    Map<String, Tensor> found = language().run(opt.embeddings(input), Set.of(), run);
    int heads = ((OptConfig) config.text()).numAttentionHeads();
    List<float[]> all = VisionWatch.layers(found, "layer");
    List<float[]> toWords = new ArrayList<>();
    List<float[]> toQueries = new ArrayList<>();
    for (float[] layer : all) {
      toWords.add(SeenMaps.part(layer, ids.length, queries, queries, ids.length));
      toQueries.add(SeenMaps.part(layer, ids.length, queries, 0, queries));
    }
    return looked.words(words, heads, toWords, toQueries);
  }

  /**
   * What the words of a text attend to as T5 writes it.
   *
   * @param model prepares what is read
   * @param source what the encoder has made of the queries and the prompt
   * @param ids the start token, then the words
   * @param looked what the queries saw
   * @param words the words' names
   */
  List<AttentionMap> words(
      T5Model model,
      Map<String, Tensor> source,
      int[] ids,
      SeenMaps looked,
      List<String> words,
      RunOptions run) {
    Map<String, Tensor> found = language().run(model.whole(source, ids), Set.of(), run);
    int heads = ((T5Config) config.text()).numHeads();
    List<float[]> toQueries = new ArrayList<>();
    for (float[] layer : VisionWatch.layers(found, "cross")) {
      int read = layer.length / heads / ids.length;
      toQueries.add(SeenMaps.part(layer, read, 0, 0, config.numQueryTokens()));
    }
    return looked.words(words, heads, VisionWatch.layers(found, "self"), toQueries);
  }

  private synchronized Program language() {
    if (closed) {
      throw new ClosedException(context.info().id() + " was closed");
    }
    Program known = language;
    if (known == null) {
      known =
          context.compile(
              language(config, new WeightUsage(context.weights(), context.config().source())));
      language = known;
    }
    return known;
  }

  @Override
  public synchronized void close() {
    closed = true;
    if (language != null) {
      language.close();
    }
  }
}
