package dev.lmm.diffusion.internal;

import dev.lmm.Cancellation;
import dev.lmm.InvalidRequestException;
import dev.lmm.core.engine.RunOptions;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.family.LoadContext;
import dev.lmm.core.family.Summaries;
import dev.lmm.core.graph.DType;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.WeightUsage;
import dev.lmm.core.json.Json;
import dev.lmm.core.text.Tokenizer;
import dev.lmm.core.text.Tokenizers;
import dev.lmm.diffusion.internal.lora.LoraBranches;
import java.nio.LongBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A tokenizer and its text tower. */
final class TextEncoder implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(TextEncoder.class);

  private final TextEncoderConfig config;
  private final Tokenizer tokenizer;
  private final int pad;
  private final KeptProgram<Map<String, Integer>> program;
  private final Summaries.Part part;

  private TextEncoder(
      TextEncoderConfig config,
      Tokenizer tokenizer,
      int pad,
      KeptProgram<Map<String, Integer>> program,
      Summaries.Part part) {
    this.config = config;
    this.tokenizer = tokenizer;
    this.pad = pad;
    this.program = program;
    this.part = part;
  }

  /** Loads the encoder of a folder, {@code text_encoder} or {@code text_encoder_2}. */
  static TextEncoder load(
      LoadContext context, String folder, String tokenizerFolder, boolean projected) {
    Path configFile = context.folder().resolve(folder).resolve("config.json");
    TextEncoderConfig config = TextEncoderConfig.of(Json.parse(configFile), projected);
    var weights = context.weights(folder);
    WeightUsage usage = new WeightUsage(weights, configFile.toString());
    Graph graph = TextEncoderGraph.of(config, folder, usage);
    // Old files hold a table of positions, and a projection that only other uses of the tower read.
    usage.requireAllRead(
        name -> name.endsWith("position_ids") || name.equals("text_projection.weight"));
    Path own = context.folder().resolve(tokenizerFolder);
    Tokenizer tokenizer = Tokenizers.load(own, false);
    try {
      KeptProgram<Map<String, Integer>> program =
          new KeptProgram<>(
              ranks ->
                  context.compile(
                      folder,
                      ranks.isEmpty()
                          ? graph
                          : TextEncoderGraph.of(
                              config,
                              folder,
                              new WeightUsage(weights, configFile.toString(), ranks)),
                      weights));
      int padding = pad(own, tokenizer);
      // What the engine cannot compile is told now, not at the first prompt.
      program.of(Map.of());
      return new TextEncoder(
          config, tokenizer, padding, program, new Summaries.Part(graph, weights));
    } catch (RuntimeException e) {
      tokenizer.close();
      throw e;
    }
  }

  /** The id of the padding: the end token's for most, that of "!" for OpenCLIP's towers. */
  private static int pad(Path folder, Tokenizer tokenizer) {
    for (String name : List.of("special_tokens_map.json", "tokenizer_config.json")) {
      Path file = folder.resolve(name);
      if (Files.isRegularFile(file)) {
        Json json = Json.parse(file);
        if (json.hasValue("pad_token")) {
          Json token = json.at("pad_token");
          String text = token.isObject() ? token.stringAt("content") : token.string();
          return tokenizer
              .id(text)
              .orElseThrow(() -> token.unexpected("a token of the vocabulary"));
        }
      }
    }
    return tokenizer.id("<|endoftext|>").orElse(0);
  }

  /** For the summary. */
  Summaries.Part part() {
    return part;
  }

  int width() {
    return config.hiddenSize();
  }

  int layers() {
    return config.layers();
  }

  /** The tokenizer's own output, not cut. */
  Tokenizer.Encoded tokenize(String text) {
    return tokenizer.encode(text, true);
  }

  /** Ids of a prompt, always as many as the tower has positions. */
  int[] ids(String prompt) {
    int[] ids = tokenizer.encode(prompt, true).ids();
    int most = config.positions();
    if (ids.length > most) {
      LOG.warn(
          "The prompt has {} tokens; the model reads {}, the rest is left out", ids.length, most);
    }
    int[] padded = new int[most];
    for (int i = 0; i < most; i++) {
      padded[i] = i < ids.length ? ids[i] : pad;
    }
    if (ids.length > most) {
      padded[most - 1] = ids[ids.length - 1];
    }
    return padded;
  }

  /**
   * What the tower makes of prompts.
   *
   * @param states [batch, tokens, width]
   * @param pooled [batch, projection], or null
   */
  record Encoded(Tensor states, @Nullable Tensor pooled) {}

  /**
   * Encodes.
   *
   * @param prompts one for each row
   * @param fromTop which state: 0 for the last layer's, 1 for the one before
   * @param normed whether the final norm is applied
   * @param loras what adapters change
   */
  Encoded encode(
      List<String> prompts,
      int fromTop,
      boolean normed,
      LoraBranches loras,
      @Nullable Cancellation cancellation) {
    if (fromTop > config.layers()) {
      throw new InvalidRequestException(
          "clipSkip: leaves out " + fromTop + " layers of " + config.layers());
    }
    int most = config.positions();
    Tensor ids = Tensor.zeros(DType.I64, prompts.size(), most);
    Tensor ends = Tensor.zeros(DType.I64, prompts.size());
    LongBuffer all = ids.longs();
    for (int row = 0; row < prompts.size(); row++) {
      int[] one = ids(prompts.get(row));
      int end = 0;
      for (int i = 0; i < most; i++) {
        all.put(row * most + i, one[i]);
        // The end token has the largest id; configs of before say another.
        end = one[i] > one[end] ? i : end;
      }
      ends.longs().put(row, (long) row * most + end);
    }
    String output = (normed ? "normed." : "hidden.") + (config.layers() - fromTop);
    Map<String, Tensor> inputs = new HashMap<>(loras.inputs());
    inputs.put("ids", ids);
    boolean projected = config.projection() > 0;
    if (projected) {
      inputs.put("end", ends);
    }
    Map<String, Tensor> results =
        program
            .of(loras.ranks())
            .run(
                inputs,
                projected ? Set.of(output, "pooled") : Set.of(output),
                RunOptions.cancelledBy(cancellation));
    Tensor states = results.get(output);
    if (states == null) {
      throw new IllegalStateException(output + " was not computed");
    }
    return new Encoded(states, results.get("pooled"));
  }

  @Override
  public void close() {
    program.close();
    tokenizer.close();
  }
}
