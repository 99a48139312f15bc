package dev.lmm;

import java.util.List;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A request for a text about a picture. Immutable: every option gives a new request.
 *
 * <p>Defaults: no prompt; at most {@value #DEFAULT_MAX_TOKENS} new tokens; the likeliest token each
 * time. What the checkpoint's generation_config.json says otherwise holds unless it is said here.
 */
public final class CaptionRequest {
  /** New tokens at most if neither the caller nor the checkpoint says. */
  public static final int DEFAULT_MAX_TOKENS = 30;

  /** Carries a request out. */
  @FunctionalInterface
  public interface Runner {
    /**
     * Writes.
     *
     * @param request what to write
     * @param pieces takes the text as it grows, or null
     * @return the texts, best first, at least one
     */
    List<Caption> run(CaptionRequest request, @Nullable Consumer<String> pieces);
  }

  private final Runner runner;
  private String prompt = "";
  private int maxTokens;
  private int minTokens;
  private int beams;
  private int best = 1;
  private double lengthPenalty = Double.NaN;
  private double repetitionPenalty = Double.NaN;
  private double topP = Double.NaN;
  private double temperature = Double.NaN;
  private long seed;
  private @Nullable Cancellation cancellation;

  /**
   * A request with default options; for implementations of {@link Captioner}.
   *
   * @param runner carries it out
   */
  public CaptionRequest(Runner runner) {
    this.runner = Check.notNull(runner, "runner");
  }

  private CaptionRequest(CaptionRequest other) {
    this(other, other.runner);
  }

  private CaptionRequest(CaptionRequest other, Runner runner) {
    this.runner = runner;
    this.prompt = other.prompt;
    this.maxTokens = other.maxTokens;
    this.minTokens = other.minTokens;
    this.beams = other.beams;
    this.best = other.best;
    this.lengthPenalty = other.lengthPenalty;
    this.repetitionPenalty = other.repetitionPenalty;
    this.topP = other.topP;
    this.temperature = other.temperature;
    this.seed = other.seed;
    this.cancellation = other.cancellation;
  }

  /**
   * What the text goes on from. It is not part of the answer.
   *
   * @param value the beginning; empty for none
   * @return a new request
   */
  public CaptionRequest prompt(String value) {
    Check.notNull(value, "prompt");
    CaptionRequest changed = new CaptionRequest(this);
    changed.prompt = value;
    return changed;
  }

  /**
   * How many new tokens at most.
   *
   * @param value at least 1
   * @return a new request
   */
  public CaptionRequest maxTokens(int value) {
    Check.that(value >= 1, "maxTokens: is " + value + "; expected at least 1");
    CaptionRequest changed = new CaptionRequest(this);
    changed.maxTokens = value;
    return changed;
  }

  /**
   * How many new tokens at least.
   *
   * @param value 0 or more
   * @return a new request
   */
  public CaptionRequest minTokens(int value) {
    Check.that(value >= 0, "minTokens: is " + value + "; expected at least 0");
    CaptionRequest changed = new CaptionRequest(this);
    changed.minTokens = value;
    return changed;
  }

  /**
   * Keeps several beginnings in view and returns the likeliest whole.
   *
   * @param value 1 to 64; 5 is usual
   * @return a new request
   */
  public CaptionRequest beams(int value) {
    Check.that(value >= 1 && value <= 64, "beams: is " + value + "; expected 1 to 64");
    CaptionRequest changed = new CaptionRequest(this);
    changed.beams = value;
    return changed;
  }

  /**
   * How many texts of a search {@link #runAll} returns.
   *
   * @param value 1 to the number of beams
   * @return a new request
   */
  public CaptionRequest best(int value) {
    Check.that(value >= 1, "best: is " + value + "; expected at least 1");
    CaptionRequest changed = new CaptionRequest(this);
    changed.best = value;
    return changed;
  }

  /**
   * Above 0 favours long texts of a search, below 0 short ones.
   *
   * @param value 1 is the mean log-probability
   * @return a new request
   */
  public CaptionRequest lengthPenalty(double value) {
    Check.that(Double.isFinite(value), "lengthPenalty: is " + value + "; expected a finite number");
    CaptionRequest changed = new CaptionRequest(this);
    changed.lengthPenalty = value;
    return changed;
  }

  /**
   * Makes tokens less likely that were written already.
   *
   * @param value 1 for nothing; above it for less repetition
   * @return a new request
   */
  public CaptionRequest repetitionPenalty(double value) {
    Check.that(
        value > 0 && Double.isFinite(value),
        "repetitionPenalty: is " + value + "; expected more than 0");
    CaptionRequest changed = new CaptionRequest(this);
    changed.repetitionPenalty = value;
    return changed;
  }

  /**
   * Draws tokens instead of taking the likeliest: of the smallest set that together has a
   * probability of at least {@code topP}.
   *
   * @param topP more than 0, at most 1
   * @param temperature more than 0; below 1 favours likely tokens
   * @param seed equal seeds give equal texts
   * @return a new request
   */
  public CaptionRequest sample(double topP, double temperature, long seed) {
    Check.that(topP > 0 && topP <= 1, "topP: is " + topP + "; expected more than 0, at most 1");
    Check.that(
        temperature > 0 && Double.isFinite(temperature),
        "temperature: is " + temperature + "; expected more than 0");
    CaptionRequest changed = new CaptionRequest(this);
    changed.topP = topP;
    changed.temperature = temperature;
    changed.seed = seed;
    return changed;
  }

  /**
   * Lets a switch stop the run.
   *
   * @param value the switch
   * @return a new request
   */
  public CaptionRequest cancelledBy(Cancellation value) {
    Check.notNull(value, "cancellation");
    CaptionRequest changed = new CaptionRequest(this);
    changed.cancellation = value;
    return changed;
  }

  /**
   * The same request, carried out by something around what carries it out now: to measure, to
   * limit, to try again.
   *
   * @param around gets what carries the request out, gives what shall
   * @return a new request
   */
  public CaptionRequest around(UnaryOperator<Runner> around) {
    return new CaptionRequest(this, Check.notNull(around.apply(runner), "around"));
  }

  /**
   * Writes.
   *
   * @return the text, the best if there are several
   * @throws InvalidRequestException if prompt and answer do not fit the model's context, or options
   *     contradict each other
   * @throws CancelledException if the run was cancelled or its thread interrupted
   * @throws ClosedException if the model was closed
   */
  public Caption run() {
    return runner.run(this, null).get(0);
  }

  /**
   * Writes several.
   *
   * @return the best texts of the search, as many as {@link #best(int)} says, best first
   * @throws InvalidRequestException as {@link #run}
   * @throws CancelledException if the run was cancelled or its thread interrupted
   * @throws ClosedException if the model was closed
   */
  public List<Caption> runAll() {
    return runner.run(this, null);
  }

  /**
   * Writes, and hands the text out as it grows.
   *
   * @param pieces called on this thread; the pieces joined are the text, perhaps with white space
   *     around it
   * @return the text
   * @throws InvalidRequestException as {@link #run}; also with more than one beam, for then nothing
   *     is certain before the end
   * @throws CancelledException if the run was cancelled or its thread interrupted
   * @throws ClosedException if the model was closed
   */
  public Caption stream(Consumer<String> pieces) {
    return runner.run(this, Check.notNull(pieces, "pieces")).get(0);
  }

  /**
   * The beginning.
   *
   * @return empty for none
   */
  public String prompt() {
    return prompt;
  }

  /**
   * New tokens at most.
   *
   * @return 0 if it was not said
   */
  public int maxTokens() {
    return maxTokens;
  }

  /**
   * New tokens at least.
   *
   * @return 0 if it was not said
   */
  public int minTokens() {
    return minTokens;
  }

  /**
   * Beams.
   *
   * @return 0 if it was not said
   */
  public int beams() {
    return beams;
  }

  /**
   * Texts to return.
   *
   * @return at least 1
   */
  public int best() {
    return best;
  }

  /**
   * Length penalty.
   *
   * @return NaN if it was not said
   */
  public double lengthPenalty() {
    return lengthPenalty;
  }

  /**
   * Repetition penalty.
   *
   * @return NaN if it was not said
   */
  public double repetitionPenalty() {
    return repetitionPenalty;
  }

  /**
   * Share of probability that is drawn from.
   *
   * @return NaN unless tokens are drawn
   */
  public double topP() {
    return topP;
  }

  /**
   * Temperature of drawing.
   *
   * @return NaN unless tokens are drawn
   */
  public double temperature() {
    return temperature;
  }

  /**
   * Seed of drawing.
   *
   * @return 0 if it was not said
   */
  public long seed() {
    return seed;
  }

  /**
   * What stops the run.
   *
   * @return the switch, or null
   */
  public @Nullable Cancellation cancellation() {
    return cancellation;
  }
}
