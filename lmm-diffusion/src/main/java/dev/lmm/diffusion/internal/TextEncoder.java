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
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A tokenizer and its text tower. */
final class TextEncoder implements AutoCloseable {
  /** What a program is compiled for: the ranks of adapters, and whether there are learned words. */
  private record Key(Map<String, Integer> ranks, boolean words) {}

  private final TextEncoderConfig config;
  private final Tokenizer tokenizer;
  private final PromptChunks.Marks marks;
  private final KeptProgram<Key> program;
  private final Summaries.Part part;

  private TextEncoder(
      TextEncoderConfig config,
      Tokenizer tokenizer,
      PromptChunks.Marks marks,
      KeptProgram<Key> program,
      Summaries.Part part) {
    this.config = config;
    this.tokenizer = tokenizer;
    this.marks = marks;
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
    Graph graph = TextEncoderGraph.of(config, folder, usage, false);
    // Old files hold a table of positions, and a projection that only other uses of the tower read.
    usage.requireAllRead(
        name -> name.endsWith("position_ids") || name.equals("text_projection.weight"));
    Path own = context.folder().resolve(tokenizerFolder);
    Tokenizer tokenizer = Tokenizers.load(own, false);
    try {
      KeptProgram<Key> program =
          new KeptProgram<>(
              key ->
                  context.compile(
                      folder,
                      TextEncoderGraph.of(
                          config,
                          folder,
                          new WeightUsage(weights, configFile.toString(), key.ranks()),
                          key.words()),
                      weights));
      PromptChunks.Marks marks = marks(config, tokenizer, pad(own, tokenizer));
      // What the engine cannot compile is told now, not at the first prompt.
      program.of(new Key(Map.of(), false));
      return new TextEncoder(config, tokenizer, marks, program, new Summaries.Part(graph, weights));
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

  private static PromptChunks.Marks marks(TextEncoderConfig config, Tokenizer tokenizer, int pad) {
    int[] none = tokenizer.encode("", true).ids();
    int[] comma = tokenizer.encode(",", false).ids();
    return new PromptChunks.Marks(
        none[0], none[none.length - 1], pad, comma.length == 1 ? comma[0] : -1, config.positions());
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

  /**
   * A prompt as this tower reads it, in one chunk or, if it may be long, in as many as it fills.
   *
   * @param prompt its pieces
   * @param isLong whether there may be several chunks
   * @param words learned words
   */
  List<PromptChunks.Chunk> chunks(
      List<WeightedText> prompt, boolean isLong, LearnedWords.Vectors words) {
    List<PromptChunks.Run> runs = new ArrayList<>();
    for (WeightedText piece : prompt) {
      if (piece.isBreak()) {
        runs.add(new PromptChunks.Run(new int[0], 1, false, true));
        continue;
      }
      for (LearnedWords.Part part : words.split(piece.text())) {
        int[] ids = part.isWord() ? part.rows() : tokenizer.encode(part.text(), false).ids();
        runs.add(new PromptChunks.Run(ids, piece.weight(), part.isWord(), false));
      }
    }
    return isLong ? PromptChunks.all(runs, marks) : PromptChunks.first(runs, marks);
  }

  /** The chunk of an empty prompt. */
  PromptChunks.Chunk empty() {
    return PromptChunks.empty(marks);
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
   * @param chunks one for each row
   * @param fromTop which state: 0 for the last layer's, 1 for the one before
   * @param normed whether the final norm is applied
   * @param loras what adapters change
   * @param words learned words
   */
  Encoded encode(
      List<PromptChunks.Chunk> chunks,
      int fromTop,
      boolean normed,
      LoraBranches loras,
      LearnedWords.Vectors words,
      @Nullable Cancellation cancellation) {
    if (fromTop > config.layers()) {
      throw new InvalidRequestException(
          "clipSkip: leaves out " + fromTop + " layers of " + config.layers());
    }
    int most = config.positions();
    Tensor ids = Tensor.zeros(DType.I64, chunks.size(), most);
    Tensor ends = Tensor.zeros(DType.I64, chunks.size());
    Tensor rows = Tensor.zeros(DType.I64, chunks.size(), most);
    Tensor learned = Tensor.zeros(DType.BOOL, chunks.size(), most, 1);
    for (int row = 0; row < chunks.size(); row++) {
      int[] one = chunks.get(row).ids();
      int end = 0;
      for (int i = 0; i < most; i++) {
        int at = row * most + i;
        if (one[i] < 0) {
          learned.data().put(at, (byte) 1);
          rows.longs().put(at, -1L - one[i]);
        } else {
          ids.longs().put(at, one[i]);
        }
        // The end token has the largest id; configs of before say another. Learned words have
        // larger ones in the reference, which then pools where the last of them stands.
        end = rank(one[i]) > rank(one[end]) ? i : end;
      }
      ends.longs().put(row, (long) row * most + end);
    }
    String output = (normed ? "normed." : "hidden.") + (config.layers() - fromTop);
    Map<String, Tensor> inputs = new HashMap<>(loras.inputs());
    inputs.put("ids", ids);
    boolean withWords = words.rows() > 0;
    if (withWords) {
      inputs.put("rows", rows);
      inputs.put("learned", learned);
      inputs.put("vectors", Tensor.of(words.table(), words.rows(), config.hiddenSize()));
    }
    boolean projected = config.projection() > 0;
    if (projected) {
      inputs.put("end", ends);
    }
    Map<String, Tensor> results =
        program
            .of(new Key(loras.ranks(), withWords))
            .run(
                inputs,
                projected ? Set.of(output, "pooled") : Set.of(output),
                RunOptions.cancelledBy(cancellation));
    Tensor states = results.get(output);
    if (states == null) {
      throw new IllegalStateException(output + " was not computed");
    }
    for (int row = 0; row < chunks.size(); row++) {
      weigh(states.floats(), row * most * config.hiddenSize(), chunks.get(row));
    }
    return new Encoded(states, results.get("pooled"));
  }

  private int rank(int id) {
    return id < 0 ? config.vocabSize() - 1 - id : id;
  }

  /** Multiplies each token's state with its weight, and brings the mean of all back. */
  private void weigh(FloatBuffer states, int from, PromptChunks.Chunk chunk) {
    if (chunk.isPlain()) {
      return;
    }
    int width = config.hiddenSize();
    int count = config.positions() * width;
    double before = 0;
    double after = 0;
    for (int i = 0; i < count; i++) {
      float state = states.get(from + i);
      float weighed = state * chunk.weights()[i / width];
      before += state;
      after += weighed;
      states.put(from + i, weighed);
    }
    float ratio = (float) (before / after);
    for (int i = 0; i < count && Float.isFinite(ratio); i++) {
      states.put(from + i, states.get(from + i) * ratio);
    }
  }

  @Override
  public void close() {
    program.close();
    tokenizer.close();
  }
}
