package dev.lmm.core.decode;

import dev.lmm.Cancellation;
import dev.lmm.Check;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How to write an answer. The default takes the likeliest token each time. Immutable: each method
 * gives a changed copy.
 *
 * <p>Scores pass in transformers' order: repetition penalty, repeated n-grams, minimum length,
 * grammar, and then, if drawing, temperature, top-k, top-p, min-p.
 */
public final class GenerationOptions {
  /** Tokens of a prompt that are read in one run, unless {@link #prefillChunk(int)} says else. */
  public static final int PREFILL_CHUNK = 512;

  /** The likeliest token each time. */
  public static final GenerationOptions GREEDY = new GenerationOptions();

  /** When a beam search ends. */
  public enum EarlyStopping {
    /** When no running beam can beat the worst finished one at its present length. */
    FALSE,
    /** As soon as as many beams have finished as are searched with. */
    TRUE,
    /** When no running beam can ever beat the worst finished one. */
    NEVER
  }

  private int maxTokens;
  private int minTokens;
  private boolean sample;
  private float temperature = 1;
  private int topK;
  private float topP = 1;
  private float minP;
  private float repetitionPenalty = 1;
  private int noRepeatNgram;
  private long seed;
  private int topLogProbabilities;
  private int beams = 1;
  private float lengthPenalty = 1;
  private int best = 1;
  private int prefillChunk = PREFILL_CHUNK;
  private EarlyStopping earlyStopping = EarlyStopping.FALSE;
  private List<String> stop = List.of();
  private Constraint.@Nullable Source grammar;
  private @Nullable Cancellation cancellation;

  private GenerationOptions() {}

  private GenerationOptions(GenerationOptions other) {
    this.maxTokens = other.maxTokens;
    this.minTokens = other.minTokens;
    this.sample = other.sample;
    this.temperature = other.temperature;
    this.topK = other.topK;
    this.topP = other.topP;
    this.minP = other.minP;
    this.repetitionPenalty = other.repetitionPenalty;
    this.noRepeatNgram = other.noRepeatNgram;
    this.seed = other.seed;
    this.topLogProbabilities = other.topLogProbabilities;
    this.beams = other.beams;
    this.lengthPenalty = other.lengthPenalty;
    this.best = other.best;
    this.prefillChunk = other.prefillChunk;
    this.earlyStopping = other.earlyStopping;
    this.stop = other.stop;
    this.grammar = other.grammar;
    this.cancellation = other.cancellation;
  }

  /**
   * At most so many new tokens; by default 512, or what the context has room for if that is less. A
   * number asked for that the context has no room for is refused before work starts.
   *
   * @param value new tokens, at least 1
   * @return changed options
   */
  public GenerationOptions maxTokens(int value) {
    Check.that(value > 0, "maxTokens: is " + value + "; expected at least 1");
    GenerationOptions changed = new GenerationOptions(this);
    changed.maxTokens = value;
    return changed;
  }

  /**
   * No end token before so many new tokens; default 0.
   *
   * @param value new tokens
   * @return changed options
   */
  public GenerationOptions minTokens(int value) {
    Check.that(value >= 0, "minTokens: is " + value + "; expected at least 0");
    GenerationOptions changed = new GenerationOptions(this);
    changed.minTokens = value;
    return changed;
  }

  /**
   * Whether to draw tokens at random; default false, which takes the likeliest.
   *
   * @param value true to draw
   * @return changed options
   */
  public GenerationOptions sample(boolean value) {
    GenerationOptions changed = new GenerationOptions(this);
    changed.sample = value;
    return changed;
  }

  /**
   * Divides the scores before drawing; default 1. Only with {@link #sample}.
   *
   * @param value above 0
   * @return changed options
   */
  public GenerationOptions temperature(float value) {
    Check.that(
        value > 0 && Float.isFinite(value),
        "temperature: is " + value + "; expected a positive number");
    GenerationOptions changed = new GenerationOptions(this);
    changed.temperature = value;
    return changed;
  }

  /**
   * Draws among the k best, and those equal to the last of them; default 0, all.
   *
   * @param value 0 for all
   * @return changed options
   */
  public GenerationOptions topK(int value) {
    Check.that(value >= 0, "topK: is " + value + "; expected at least 0");
    GenerationOptions changed = new GenerationOptions(this);
    changed.topK = value;
    return changed;
  }

  /**
   * Draws among the likeliest tokens that together reach this probability; default 1, all.
   *
   * @param value above 0, at most 1
   * @return changed options
   */
  public GenerationOptions topP(float value) {
    Check.that(value > 0 && value <= 1, "topP: is " + value + "; expected above 0, at most 1");
    GenerationOptions changed = new GenerationOptions(this);
    changed.topP = value;
    return changed;
  }

  /**
   * Draws among tokens at least so likely as this share of the likeliest; default 0, all.
   *
   * @param value 0 to 1
   * @return changed options
   */
  public GenerationOptions minP(float value) {
    Check.that(value >= 0 && value <= 1, "minP: is " + value + "; expected 0 to 1");
    GenerationOptions changed = new GenerationOptions(this);
    changed.minP = value;
    return changed;
  }

  /**
   * Divides positive scores of tokens that occurred in prompt or answer, and multiplies negative
   * ones; default 1, none.
   *
   * @param value above 0
   * @return changed options
   */
  public GenerationOptions repetitionPenalty(float value) {
    Check.that(
        value > 0 && Float.isFinite(value),
        "repetitionPenalty: is " + value + "; expected a positive number");
    GenerationOptions changed = new GenerationOptions(this);
    changed.repetitionPenalty = value;
    return changed;
  }

  /**
   * No run of so many tokens comes twice; default 0, any may.
   *
   * @param value length of the run, 0 for no ban
   * @return changed options
   */
  public GenerationOptions noRepeatNgram(int value) {
    Check.that(value >= 0, "noRepeatNgram: is " + value + "; expected at least 0");
    GenerationOptions changed = new GenerationOptions(this);
    changed.noRepeatNgram = value;
    return changed;
  }

  /**
   * Seeds the draws: the same seed gives the same answer here; other libraries draw otherwise.
   * Default 0.
   *
   * @param value any number
   * @return changed options
   */
  public GenerationOptions seed(long value) {
    GenerationOptions changed = new GenerationOptions(this);
    changed.seed = value;
    return changed;
  }

  /**
   * How many of the likeliest tokens to report at each place; default 0.
   *
   * @param value at least 0
   * @return changed options
   */
  public GenerationOptions topLogProbabilities(int value) {
    Check.that(value >= 0, "topLogProbabilities: is " + value + "; expected at least 0");
    GenerationOptions changed = new GenerationOptions(this);
    changed.topLogProbabilities = value;
    return changed;
  }

  /**
   * How many beams to search with; default 1, no search.
   *
   * @param value at least 1
   * @return changed options
   */
  public GenerationOptions beams(int value) {
    Check.that(value > 0, "beams: is " + value + "; expected at least 1");
    GenerationOptions changed = new GenerationOptions(this);
    changed.beams = value;
    return changed;
  }

  /**
   * The power of the length that a beam's score is divided by; default 1. Positive favours long
   * answers.
   *
   * @param value any finite number
   * @return changed options
   */
  public GenerationOptions lengthPenalty(float value) {
    Check.that(Float.isFinite(value), "lengthPenalty: is " + value + "; expected a finite number");
    GenerationOptions changed = new GenerationOptions(this);
    changed.lengthPenalty = value;
    return changed;
  }

  /**
   * How many of the best beams to return; default 1.
   *
   * @param value at least 1, at most the beams
   * @return changed options
   */
  public GenerationOptions best(int value) {
    Check.that(value > 0, "best: is " + value + "; expected at least 1");
    GenerationOptions changed = new GenerationOptions(this);
    changed.best = value;
    return changed;
  }

  /**
   * How many entries of a prompt are read in one step; default 512. Cancelling acts between steps
   * at the latest.
   *
   * @param value at least 1
   * @return changed options
   */
  public GenerationOptions prefillChunk(int value) {
    Check.that(value > 0, "prefillChunk: is " + value + "; expected at least 1");
    GenerationOptions changed = new GenerationOptions(this);
    changed.prefillChunk = value;
    return changed;
  }

  /**
   * When a beam search ends; default {@link EarlyStopping#FALSE}.
   *
   * @param value when
   * @return changed options
   */
  public GenerationOptions earlyStopping(EarlyStopping value) {
    GenerationOptions changed = new GenerationOptions(this);
    changed.earlyStopping = Check.notNull(value, "earlyStopping");
    return changed;
  }

  /**
   * Texts that end the answer. They and what follows are no part of its text.
   *
   * @param values none of them empty
   * @return changed options
   */
  public GenerationOptions stop(List<String> values) {
    GenerationOptions changed = new GenerationOptions(this);
    changed.stop = List.copyOf(Check.notNull(values, "stop"));
    Check.that(changed.stop.stream().noneMatch(String::isEmpty), "stop: holds an empty text");
    return changed;
  }

  /**
   * What the answer must look like; by default anything.
   *
   * @param value makes the constraint of each answer, or null for none
   * @return changed options
   */
  public GenerationOptions grammar(Constraint.@Nullable Source value) {
    GenerationOptions changed = new GenerationOptions(this);
    changed.grammar = value;
    return changed;
  }

  /**
   * What stops the run, by hand or after a deadline ({@link Cancellation#after}).
   *
   * @param value the switch, or null for none
   * @return changed options
   */
  public GenerationOptions cancellation(@Nullable Cancellation value) {
    GenerationOptions changed = new GenerationOptions(this);
    changed.cancellation = value;
    return changed;
  }

  /**
   * See {@link #maxTokens(int)}.
   *
   * @return the number asked for, or 0 if none was
   */
  public int maxTokens() {
    return maxTokens;
  }

  /**
   * See {@link #minTokens(int)}.
   *
   * @return the value
   */
  public int minTokens() {
    return minTokens;
  }

  /**
   * See {@link #sample(boolean)}.
   *
   * @return the value
   */
  public boolean sample() {
    return sample;
  }

  /**
   * See {@link #temperature(float)}.
   *
   * @return the value
   */
  public float temperature() {
    return temperature;
  }

  /**
   * See {@link #topK(int)}.
   *
   * @return the value
   */
  public int topK() {
    return topK;
  }

  /**
   * See {@link #topP(float)}.
   *
   * @return the value
   */
  public float topP() {
    return topP;
  }

  /**
   * See {@link #minP(float)}.
   *
   * @return the value
   */
  public float minP() {
    return minP;
  }

  /**
   * See {@link #repetitionPenalty(float)}.
   *
   * @return the value
   */
  public float repetitionPenalty() {
    return repetitionPenalty;
  }

  /**
   * See {@link #noRepeatNgram(int)}.
   *
   * @return the value
   */
  public int noRepeatNgram() {
    return noRepeatNgram;
  }

  /**
   * See {@link #seed(long)}.
   *
   * @return the value
   */
  public long seed() {
    return seed;
  }

  /**
   * See {@link #topLogProbabilities(int)}.
   *
   * @return the value
   */
  public int topLogProbabilities() {
    return topLogProbabilities;
  }

  /**
   * See {@link #beams(int)}.
   *
   * @return the value
   */
  public int beams() {
    return beams;
  }

  /**
   * See {@link #lengthPenalty(float)}.
   *
   * @return the value
   */
  public float lengthPenalty() {
    return lengthPenalty;
  }

  /**
   * See {@link #best(int)}.
   *
   * @return the value
   */
  public int best() {
    return best;
  }

  /**
   * See {@link #prefillChunk(int)}.
   *
   * @return the value
   */
  public int prefillChunk() {
    return prefillChunk;
  }

  /**
   * See {@link #earlyStopping(EarlyStopping)}.
   *
   * @return the value
   */
  public EarlyStopping earlyStopping() {
    return earlyStopping;
  }

  /**
   * See {@link #stop(List)}.
   *
   * @return the value
   */
  public List<String> stop() {
    return stop;
  }

  /**
   * See {@link #grammar(Constraint.Source)}.
   *
   * @return the value
   */
  public Constraint.@Nullable Source grammar() {
    return grammar;
  }

  /**
   * See {@link #cancellation(Cancellation)}.
   *
   * @return the value
   */
  public @Nullable Cancellation cancellation() {
    return cancellation;
  }
}
