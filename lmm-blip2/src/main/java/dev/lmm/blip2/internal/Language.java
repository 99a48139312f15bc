package dev.lmm.blip2.internal;

import dev.lmm.AttentionMap;
import dev.lmm.Cancellation;
import dev.lmm.core.decode.GenerationOptions;
import dev.lmm.core.decode.Prompt;
import dev.lmm.core.decode.StepModel;
import dev.lmm.core.engine.Program;
import dev.lmm.core.engine.RunOptions;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.WeightUsage;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The language model of the second stage. */
interface Language {
  /** What computes an answer's next token. */
  StepModel model();

  /**
   * What is to be read before an answer.
   *
   * @param ids queries, whose embeddings are not the ids' own, then the words
   * @param queries how many of them are queries
   * @param projected the queries in the language model's width, F32 [queries, width]
   * @param cancellation stops what is computed when the prompt is read, or null
   */
  Prompt prompt(
      int[] ids, int queries, Supplier<Tensor> projected, @Nullable Cancellation cancellation);

  /**
   * What the words of an answer attend to, the model having been shown a picture and no prompt.
   *
   * @param watch the watched graphs
   * @param empty ids that follow the queries where there is no prompt
   * @param projected the queries in the language model's width, F32 [queries, width]
   * @param answer ids of the answer
   * @param name of an id
   * @param looked where the queries look
   */
  List<AttentionMap> watched(
      Blip2Watch watch,
      int[] empty,
      Tensor projected,
      int[] answer,
      IntFunction<String> name,
      SeenMaps looked,
      RunOptions run);

  /** The graphs of a language model, by part. */
  static Map<String, Graph> graphs(Blip2Config config, WeightUsage usage) {
    Map<String, Graph> graphs = new LinkedHashMap<>();
    if (config.text() instanceof T5Config t5) {
      graphs.put("encoder", T5Graphs.encoder(t5, config.numQueryTokens(), usage));
      graphs.put("decoder", T5Graphs.decoder(t5, false, usage));
    } else if (config.text() instanceof OptConfig opt) {
      graphs.put("language", OptModel.graph(opt, usage));
    }
    return graphs;
  }

  /**
   * A language model over its compiled graphs.
   *
   * @param programs by part
   * @param startId what an encoder-decoder's answer begins with, or -1 for what the config says
   */
  static Language of(Blip2Config config, Function<String, Program> programs, int startId) {
    if (config.text() instanceof T5Config t5) {
      int start = startId < 0 ? t5.startTokenId() : startId;
      return new T5Language(programs.apply("encoder"), programs.apply("decoder"), t5, start);
    }
    return new OptModel(programs.apply("language"), (OptConfig) config.text());
  }

  /** How many tokens a language model takes at most. */
  static int context(TextConfig config) {
    return config instanceof OptConfig opt ? opt.maxPositionEmbeddings() : T5Model.LONGEST;
  }

  /**
   * The length of each symbol of a part while a prompt is read.
   *
   * @param part of {@link #graphs}; others have none of the symbols
   * @param queries before the words
   * @param read queries and words together
   * @param entries that a cache has room for
   */
  static Map<String, Long> symbols(String part, int queries, long read, long entries) {
    long s =
        switch (part) {
          case "encoder" -> Math.max(1, read - queries);
          case "decoder" -> 1;
          default -> Math.min(read, GenerationOptions.PREFILL_CHUNK);
        };
    return Map.of("s", s, "capacity", entries, "groups", 1L, "each", 1L, "n", read);
  }
}
