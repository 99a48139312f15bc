package dev.lmm.core.decode;

import dev.lmm.Cancellation;
import dev.lmm.Check;
import dev.lmm.InvalidRequestException;
import dev.lmm.core.text.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Writes answers with a language model. Thread-safe; owns neither model nor tokenizer.
 *
 * <pre>{@code
 * Decoder decoder = new Decoder(model, tokenizer, endIds);
 * try (Session session = decoder.session()) {                 // a conversation
 *   Generation answer = session.generate(Prompt.of(ids), GenerationOptions.GREEDY.maxTokens(64));
 * }
 * List<Generation> best = decoder.search(prompt, GenerationOptions.GREEDY.beams(5).best(3));
 * }</pre>
 */
public final class Decoder {
  /** How many tokens an answer has at most if nothing else is said. */
  public static final int DEFAULT_MAX_TOKENS = 512;

  private final StepModel model;
  private final @Nullable Tokenizer tokenizer;
  private final int[] endIds;

  /**
   * Makes a decoder.
   *
   * @param model computes steps
   * @param tokenizer makes text of ids; null for ids only, then stop strings are refused
   * @param endIds tokens that end an answer, usually generation_config.json's eos_token_id
   */
  public Decoder(StepModel model, @Nullable Tokenizer tokenizer, int... endIds) {
    this.model = Check.notNull(model, "model");
    this.tokenizer = tokenizer;
    this.endIds = endIds.clone();
  }

  /**
   * Opens a conversation.
   *
   * @return an empty session, to be closed
   */
  public Session session() {
    return new Session(this);
  }

  /**
   * Answers one prompt, by beam search if options ask for beams.
   *
   * @param prompt what to read
   * @param options how
   * @return the answer, the best if there are several
   * @throws InvalidRequestException if the context has no room
   * @throws dev.lmm.CancelledException if it was stopped
   */
  public Generation generate(Prompt prompt, GenerationOptions options) {
    if (options.beams() > 1) {
      return search(prompt, options).get(0);
    }
    try (Session session = session()) {
      return session.generate(prompt, options);
    }
  }

  /**
   * Answers several prompts side by side: each step of the model writes one token of each. The
   * answers are those that each prompt alone would get; the i-th prompt draws with seed + i.
   *
   * @param prompts of one model, with the same number of axes of positions
   * @param options how; no beams
   * @param rows how many at once, at least 1; each takes a cache of its own length
   * @return the answers, in order
   * @throws InvalidRequestException if the context has no room for one of them; none is begun then
   * @throws dev.lmm.CancelledException if it was stopped
   */
  public List<Generation> generate(List<Prompt> prompts, GenerationOptions options, int rows) {
    List<GenerationOptions> each = new ArrayList<>();
    for (int i = 0; i < prompts.size(); i++) {
      each.add(options.seed(options.seed() + i));
    }
    return generate(prompts, each, rows, options.cancellation());
  }

  /**
   * Answers several prompts side by side, each with options of its own.
   *
   * @param prompts of one model, with the same number of axes of positions
   * @param options as many; no beams; what would stop one alone is not looked at
   * @param rows how many at once, at least 1; each takes a cache of its own length
   * @param cancellation stops them all, or null
   * @return the answers, in order: those that each prompt alone would get
   * @throws InvalidRequestException if the context has no room for one of them; none is begun then
   * @throws dev.lmm.CancelledException if it was stopped
   */
  public List<Generation> generate(
      List<Prompt> prompts,
      List<GenerationOptions> options,
      int rows,
      @Nullable Cancellation cancellation) {
    Check.that(rows > 0, "rows: is " + rows + "; expected at least 1");
    Check.that(
        options.size() == prompts.size(),
        "options: are " + options.size() + "; expected one for each of " + prompts.size());
    for (GenerationOptions each : options) {
      Check.that(
          each.beams() == 1,
          "beams: is " + each.beams() + "; a batch has none, search each prompt by itself");
    }
    return new Batch(this, prompts, options, rows, cancellation).run();
  }

  /**
   * Searches with beams, as transformers does: the same tokens and scores.
   *
   * @param prompt what to read
   * @param options beams, length penalty, early stopping, how many to return; drawing is refused
   * @return the best, best first
   * @throws InvalidRequestException if the context has no room or the options contradict each other
   * @throws dev.lmm.CancelledException if it was stopped
   */
  public List<Generation> search(Prompt prompt, GenerationOptions options) {
    return new BeamSearch(this, prompt, options).run();
  }

  StepModel model() {
    return model;
  }

  int[] endIds() {
    return endIds;
  }

  @Nullable Tokenizer tokenizer() {
    return tokenizer;
  }

  /** How many tokens may be written; refuses what the context has no room for. */
  int limit(Prompt prompt, GenerationOptions options) {
    int context = model.contextLength();
    int room = context - prompt.length();
    int asked = options.maxTokens();
    if (room < 1 || asked > room) {
      throw new InvalidRequestException(
          "prompt: has "
              + prompt.length()
              + " tokens"
              + (asked > 0 ? " and " + asked + " new ones are asked for" : "")
              + "; the model's context holds "
              + context
              + " together. "
              + (room < 1 ? "Shorten the prompt" : "Ask for at most " + room + " new tokens"));
    }
    int limit = asked > 0 ? asked : Math.min(DEFAULT_MAX_TOKENS, room);
    Check.that(
        options.minTokens() <= limit,
        "minTokens: is " + options.minTokens() + "; expected at most " + limit + ", the maximum");
    return limit;
  }

  Answer answer(Prompt prompt, GenerationOptions options, int limit, long seed) {
    Check.that(
        tokenizer != null || options.stop().isEmpty(),
        "stop: needs a tokenizer, and this decoder has none");
    return new Answer(options, prompt, tokenizer, endIds, limit, seed);
  }
}
