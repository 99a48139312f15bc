package dev.lmm;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A request for pictures. Immutable: every option gives a new request.
 *
 * <p>Defaults: the model's size, steps, guidance and scheduler; seed 0; one picture.
 */
public final class GenerateRequest {
  private final Function<GenerateRequest, List<GeneratedImage>> runner;
  private final String prompt;
  private @Nullable String negative;
  private int steps = -1;
  private double guidance = Double.NaN;
  private double guidanceRescale;
  private long seed;
  private int count = 1;
  private long variationSeed;
  private double variationStrength;
  private @Nullable String scheduler;
  private @Nullable String sigmas;
  private int clipSkip;
  private double strength = 0.8;
  private int width;
  private int height;
  private boolean longPrompts;
  private boolean promptWeights;
  private List<Lora> loras = List.of();
  private List<TextualInversion> textualInversions = List.of();
  private @Nullable Image image;
  private @Nullable Image mask;
  private boolean safetyChecker = true;
  private boolean vaeTiling;
  private boolean vaeRescue = true;
  private @Nullable Path previewBy;
  private @Nullable Path decodeBy;
  private @Nullable String missing;
  private @Nullable Cancellation cancellation;
  private @Nullable Consumer<DenoisingStep> listener;

  /**
   * A request with default options; for implementations of {@link Generator}.
   *
   * @param prompt what the picture shows
   * @param runner carries the request out
   */
  public GenerateRequest(String prompt, Function<GenerateRequest, List<GeneratedImage>> runner) {
    this.prompt = Check.notNull(prompt, "prompt");
    this.runner = Check.notNull(runner, "runner");
  }

  private GenerateRequest(GenerateRequest other) {
    this(other, other.runner);
  }

  private GenerateRequest(
      GenerateRequest other, Function<GenerateRequest, List<GeneratedImage>> runner) {
    this.runner = runner;
    this.prompt = other.prompt;
    this.negative = other.negative;
    this.steps = other.steps;
    this.guidance = other.guidance;
    this.guidanceRescale = other.guidanceRescale;
    this.seed = other.seed;
    this.count = other.count;
    this.variationSeed = other.variationSeed;
    this.variationStrength = other.variationStrength;
    this.scheduler = other.scheduler;
    this.sigmas = other.sigmas;
    this.clipSkip = other.clipSkip;
    this.strength = other.strength;
    this.width = other.width;
    this.height = other.height;
    this.longPrompts = other.longPrompts;
    this.promptWeights = other.promptWeights;
    this.loras = other.loras;
    this.textualInversions = other.textualInversions;
    this.image = other.image;
    this.mask = other.mask;
    this.safetyChecker = other.safetyChecker;
    this.vaeTiling = other.vaeTiling;
    this.vaeRescue = other.vaeRescue;
    this.previewBy = other.previewBy;
    this.decodeBy = other.decodeBy;
    this.missing = other.missing;
    this.cancellation = other.cancellation;
    this.listener = other.listener;
  }

  /**
   * What the picture must not show. An empty text is not the same as none for SDXL.
   *
   * @param negative text
   * @return a new request
   */
  public GenerateRequest negative(String negative) {
    Check.notNull(negative, "negative");
    GenerateRequest changed = new GenerateRequest(this);
    changed.negative = negative;
    return changed;
  }

  /**
   * Number of denoising steps.
   *
   * @param steps 1 to 1000
   * @return a new request
   */
  public GenerateRequest steps(int steps) {
    Check.that(steps >= 1 && steps <= 1000, "steps: is " + steps + "; expected 1 to 1000");
    GenerateRequest changed = new GenerateRequest(this);
    changed.steps = steps;
    return changed;
  }

  /**
   * How strictly the prompt is followed (classifier-free guidance). Up to 1 the model runs once a
   * step and the negative prompt is not used.
   *
   * @param guidance at least 0; 7.5 is usual
   * @return a new request
   */
  public GenerateRequest guidance(double guidance) {
    Check.that(
        guidance >= 0 && guidance <= 1000, "guidance: is " + guidance + "; expected 0 to 1000");
    GenerateRequest changed = new GenerateRequest(this);
    changed.guidance = guidance;
    return changed;
  }

  /**
   * Brings the guided prediction's spread back to the unguided one's, so that strong guidance does
   * not burn out (arXiv 2305.08891, section 3.4).
   *
   * @param guidanceRescale 0, nothing, to 1
   * @return a new request
   */
  public GenerateRequest guidanceRescale(double guidanceRescale) {
    Check.that(
        guidanceRescale >= 0 && guidanceRescale <= 1,
        "guidanceRescale: is " + guidanceRescale + "; expected 0 to 1");
    GenerateRequest changed = new GenerateRequest(this);
    changed.guidanceRescale = guidanceRescale;
    return changed;
  }

  /**
   * The seed of the noise: the same request with the same seed makes the same picture, and the one
   * that diffusers makes with {@code torch.Generator("cpu")}.
   *
   * @param seed any; its low 32 bits count
   * @return a new request
   */
  public GenerateRequest seed(long seed) {
    GenerateRequest changed = new GenerateRequest(this);
    changed.seed = seed;
    return changed;
  }

  /**
   * How many pictures: with seeds k, k + 1, and so on, the same as so many requests.
   *
   * @param count at least 1
   * @return a new request
   */
  public GenerateRequest count(int count) {
    Check.that(count >= 1, "count: is " + count + "; expected at least 1");
    GenerateRequest changed = new GenerateRequest(this);
    changed.count = count;
    return changed;
  }

  /**
   * A variation of a seed's picture: its first noise is turned towards that of another seed, on the
   * sphere between the two (spherical interpolation of all numbers), so that it stays noise. What
   * schedulers draw later stays the first seed's.
   *
   * @param seed of the other noise; the same for all pictures of a {@link #count}
   * @param strength 0, nothing, to 1, the other seed's first noise
   * @return a new request
   */
  public GenerateRequest variation(long seed, double strength) {
    Check.that(
        strength >= 0 && strength <= 1, "variation: strength is " + strength + "; expected 0 to 1");
    GenerateRequest changed = new GenerateRequest(this);
    changed.variationSeed = seed;
    changed.variationStrength = strength;
    return changed;
  }

  /**
   * The scheduler that leads the denoising.
   *
   * @param scheduler one of {@link Generator#schedulers}
   * @return a new request
   */
  public GenerateRequest scheduler(String scheduler) {
    Check.notNull(scheduler, "scheduler");
    GenerateRequest changed = new GenerateRequest(this);
    changed.scheduler = scheduler;
    return changed;
  }

  /**
   * How noise levels are spaced.
   *
   * @param sigmas {@code karras}, {@code exponential} or {@code beta}
   * @return a new request
   */
  public GenerateRequest sigmas(String sigmas) {
    Check.notNull(sigmas, "sigmas");
    GenerateRequest changed = new GenerateRequest(this);
    changed.sigmas = sigmas;
    return changed;
  }

  /**
   * How many of the text tower's last layers are left out.
   *
   * @param clipSkip at least 0
   * @return a new request
   */
  public GenerateRequest clipSkip(int clipSkip) {
    Check.that(clipSkip >= 0, "clipSkip: is " + clipSkip + "; expected at least 0");
    GenerateRequest changed = new GenerateRequest(this);
    changed.clipSkip = clipSkip;
    return changed;
  }

  /**
   * How much of a start picture is redrawn.
   *
   * @param strength above 0, nothing, to 1, everything
   * @return a new request
   */
  public GenerateRequest strength(double strength) {
    Check.that(strength >= 0 && strength <= 1, "strength: is " + strength + "; expected 0 to 1");
    GenerateRequest changed = new GenerateRequest(this);
    changed.strength = strength;
    return changed;
  }

  /**
   * The size of the picture.
   *
   * @param width in pixels, a multiple of 8
   * @param height in pixels, a multiple of 8
   * @return a new request
   */
  public GenerateRequest size(int width, int height) {
    for (int side : new int[] {width, height}) {
      Check.that(
          side >= 8 && side <= 8192 && side % 8 == 0,
          "size: is " + width + "x" + height + "; expected multiples of 8 from 8 to 8192");
    }
    GenerateRequest changed = new GenerateRequest(this);
    changed.width = width;
    changed.height = height;
    return changed;
  }

  /**
   * Whether prompts may be longer than the text tower reads at once. They are read in chunks of 75
   * tokens, one after the other, each with a begin and an end token of its own; a chunk ends behind
   * its last comma if that stands among its last 20 tokens, and at the word {@code BREAK} if {@link
   * #promptWeights weights} are read. Of the two prompts, the shorter one is filled up with the
   * chunks of an empty prompt. Otherwise, as in diffusers, what goes beyond 75 tokens is left out,
   * with a warning.
   *
   * @param longPrompts false by default
   * @return a new request
   */
  public GenerateRequest longPrompts(boolean longPrompts) {
    GenerateRequest changed = new GenerateRequest(this);
    changed.longPrompts = longPrompts;
    return changed;
  }

  /**
   * Whether brackets in prompts weigh words, in the widely used form: {@code (word)} counts 1.1
   * times, {@code (word:1.3)} 1.3 times, {@code [word]} 1/1.1 times, brackets within brackets
   * multiply, and a backslash makes a bracket a bracket. The tower's states of a chunk are
   * multiplied with the weights of its tokens, then all with one number that brings back their
   * mean. Otherwise, as in diffusers, brackets are text.
   *
   * @param promptWeights false by default
   * @return a new request
   */
  public GenerateRequest promptWeights(boolean promptWeights) {
    GenerateRequest changed = new GenerateRequest(this);
    changed.promptWeights = promptWeights;
    return changed;
  }

  /**
   * Lets a word in prompts stand for learned vectors (textual inversion), for this request alone.
   *
   * @param word what prompts call it, for instance {@code <cat-toy>}; replaced wherever it stands,
   *     in upper or lower case
   * @param file diffusers' or the web user interface's, for SDXL with vectors for both encoders
   * @return a new request; running it fails with {@link CheckpointException} if the file is broken
   *     or not for this model
   */
  public GenerateRequest textualInversion(String word, Path file) {
    List<TextualInversion> more = new ArrayList<>(textualInversions);
    more.add(new TextualInversion(word, file));
    GenerateRequest changed = new GenerateRequest(this);
    changed.textualInversions = List.copyOf(more);
    return changed;
  }

  /**
   * Changes the model by a low-rank adapter as it was trained; see {@link #lora(Path, double)}.
   *
   * @param file the adapter
   * @return a new request
   */
  public GenerateRequest lora(Path file) {
    return lora(file, 1);
  }

  /**
   * Changes the model by a low-rank adapter (LoRA), for this request alone. Several add up. The
   * model is not loaded anew: only the parts an adapter changes are compiled again, when the
   * request's adapters are others than those of the request before; scales change at no cost.
   *
   * @param file in the names of kohya's scripts, peft or diffusers; adapters of text encoders, UNet
   *     or both
   * @param scale 1 as it was trained; may be negative
   * @return a new request; running it fails with {@link CheckpointException} if the file is broken,
   *     or is not for this model, naming what does not fit
   */
  public GenerateRequest lora(Path file, double scale) {
    List<Lora> more = new ArrayList<>(loras);
    more.add(new Lora(file, scale));
    GenerateRequest changed = new GenerateRequest(this);
    changed.loras = List.copyOf(more);
    return changed;
  }

  /**
   * Starts from a picture instead of noise alone; see {@link #strength}.
   *
   * @param image resized to the request's size; without one, its own, rounded down to multiples of
   *     8
   * @return a new request
   */
  public GenerateRequest from(Image image) {
    GenerateRequest changed = new GenerateRequest(this);
    changed.image = Check.notNull(image, "image");
    return changed;
  }

  /**
   * Redraws only a part of the picture given to {@link #from}.
   *
   * @param mask white where the picture is redrawn, black where it stays
   * @return a new request
   */
  public GenerateRequest mask(Image mask) {
    GenerateRequest changed = new GenerateRequest(this);
    changed.mask = Check.notNull(mask, "mask");
    return changed;
  }

  /**
   * Whether the autoencoder works on large pictures tile by tile, so that its memory does not grow
   * with them: pictures larger than it was made for, in tiles of that size which overlap by a
   * quarter and fade into each other, as diffusers' {@code enable_vae_tiling} does. Pictures of a
   * request are always decoded one by one.
   *
   * @param vaeTiling false by default
   * @return a new request
   */
  public GenerateRequest vaeTiling(boolean vaeTiling) {
    GenerateRequest changed = new GenerateRequest(this);
    changed.vaeTiling = vaeTiling;
    return changed;
  }

  /**
   * Whether an autoencoder whose numbers overflow in a narrow precision (NaN, an infinity, or a
   * picture that is black everywhere) is computed anew in single precision, from then on too, with
   * a warning that names the layer. Otherwise the run fails with an {@link EngineException} that
   * names it, and a black picture stays what it is.
   *
   * @param vaeRescue true by default
   * @return a new request
   */
  public GenerateRequest vaeRescue(boolean vaeRescue) {
    GenerateRequest changed = new GenerateRequest(this);
    changed.vaeRescue = vaeRescue;
    return changed;
  }

  /**
   * Makes {@link DenoisingStep#preview previews} with another autoencoder, usually a tiny one (such
   * as madebyollin/taesd, or taesdxl for SDXL) that is fast enough for every step, instead of a
   * linear map.
   *
   * @param folder with its config.json and weights; loaded once, with the first request
   * @return a new request; running it fails if its latents are not like the model's
   */
  public GenerateRequest previewBy(Path folder) {
    GenerateRequest changed = new GenerateRequest(this);
    changed.previewBy = Check.notNull(folder, "previewBy");
    return changed;
  }

  /**
   * Decodes the picture with another autoencoder, for instance a tiny one: many times faster, and a
   * little less exact.
   *
   * @param folder with its config.json and weights; loaded once, with the first request
   * @return a new request; running it fails if its latents are not like the model's
   */
  public GenerateRequest decodeBy(Path folder) {
    GenerateRequest changed = new GenerateRequest(this);
    changed.decodeBy = Check.notNull(folder, "decodeBy");
    return changed;
  }

  /**
   * Whether the model's safety checker, if it was published with one, looks at the picture. One
   * that it may find not safe for all comes out black, {@link GeneratedImage#withheld}, with a
   * warning. Previews of steps are not looked at.
   *
   * @param safetyChecker true by default
   * @return a new request
   */
  public GenerateRequest safetyChecker(boolean safetyChecker) {
    GenerateRequest changed = new GenerateRequest(this);
    changed.safetyChecker = safetyChecker;
    return changed;
  }

  /**
   * Lets a run be stopped, within one step.
   *
   * @param cancellation stops the run
   * @return a new request
   */
  public GenerateRequest cancelledBy(Cancellation cancellation) {
    GenerateRequest changed = new GenerateRequest(this);
    changed.cancellation = Check.notNull(cancellation, "cancellation");
    return changed;
  }

  /**
   * Shows every step.
   *
   * @param listener called after each step, on the thread that runs the request; what it throws
   *     ends the run
   * @return a new request
   */
  public GenerateRequest onStep(Consumer<DenoisingStep> listener) {
    GenerateRequest changed = new GenerateRequest(this);
    changed.listener = Check.notNull(listener, "listener");
    return changed;
  }

  /**
   * The same request, carried out by something around what carries it out now: to measure, to
   * limit, to try again.
   *
   * @param around gets what carries the request out, gives what shall
   * @return a new request
   */
  public GenerateRequest around(
      UnaryOperator<Function<GenerateRequest, List<GeneratedImage>>> around) {
    return new GenerateRequest(this, Check.notNull(around.apply(runner), "around"));
  }

  /**
   * Makes the pictures.
   *
   * @return as many as {@link #count} says
   * @throws InvalidRequestException if options do not fit each other or the model
   * @throws CancelledException if it was stopped
   * @throws EngineException if a part of the model made NaN or an infinity; it names the layer
   * @throws ClosedException if the model is closed
   */
  public List<GeneratedImage> run() {
    String lacks = missing;
    if (lacks != null && (image == null || (lacks.contains("mask") && mask == null))) {
      throw new InvalidRequestException(
          "image: is missing; the picture this request was read from was made from " + lacks);
    }
    return runner.apply(this);
  }

  /** Remembers what a file does not hold, but the request that was read from it needs. */
  GenerateRequest missing(String what) {
    GenerateRequest changed = new GenerateRequest(this);
    changed.missing = what;
    return changed;
  }

  // What was asked for; for implementations.

  /**
   * The request as text, in the form that the web user interfaces of the field put into PNG files
   * and read from them, and {@link Generator#again} too. Files of adapters and learned words are
   * named without their folders.
   *
   * @param model the model's name
   * @return prompt, negative prompt and a line of settings; the steps, guidance, scheduler and size
   *     of this request must be set
   */
  public String parameters(String model) {
    return RequestText.write(this, model);
  }

  /**
   * The prompt.
   *
   * @return what the picture shows
   */
  public String prompt() {
    return prompt;
  }

  /**
   * The negative prompt.
   *
   * @return the negative prompt
   */
  public @Nullable String negative() {
    return negative;
  }

  /**
   * The number of steps; -1 for the model's default.
   *
   * @return the number of steps; -1 for the model's default
   */
  public int steps() {
    return steps;
  }

  /**
   * The guidance; NaN for the model's default.
   *
   * @return the guidance; NaN for the model's default
   */
  public double guidance() {
    return guidance;
  }

  /**
   * The share of the rescaled prediction.
   *
   * @return the share of the rescaled prediction
   */
  public double guidanceRescale() {
    return guidanceRescale;
  }

  /**
   * The seed.
   *
   * @return the seed
   */
  public long seed() {
    return seed;
  }

  /**
   * The number of pictures.
   *
   * @return the number of pictures
   */
  public int count() {
    return count;
  }

  /**
   * The seed of the variation.
   *
   * @return the seed of the variation; of no meaning if its strength is 0
   */
  public long variationSeed() {
    return variationSeed;
  }

  /**
   * The strength of the variation.
   *
   * @return from 0, none, to 1
   */
  public double variationStrength() {
    return variationStrength;
  }

  /**
   * The scheduler; null for the checkpoint's own.
   *
   * @return the scheduler; null for the checkpoint's own
   */
  public @Nullable String scheduler() {
    return scheduler;
  }

  /**
   * The spacing; null for the scheduler's own.
   *
   * @return the spacing; null for the scheduler's own
   */
  public @Nullable String sigmas() {
    return sigmas;
  }

  /**
   * The number of layers left out.
   *
   * @return the number of layers left out
   */
  public int clipSkip() {
    return clipSkip;
  }

  /**
   * The strength.
   *
   * @return the strength
   */
  public double strength() {
    return strength;
  }

  /**
   * The width in pixels; 0 for the default.
   *
   * @return the width in pixels; 0 for the default
   */
  public int width() {
    return width;
  }

  /**
   * The height in pixels; 0 for the default.
   *
   * @return the height in pixels; 0 for the default
   */
  public int height() {
    return height;
  }

  /**
   * Whether prompts are read in chunks.
   *
   * @return whether prompts are read in chunks
   */
  public boolean longPrompts() {
    return longPrompts;
  }

  /**
   * Whether brackets weigh words.
   *
   * @return whether brackets weigh words
   */
  public boolean promptWeights() {
    return promptWeights;
  }

  /**
   * The words that stand for learned vectors.
   *
   * @return in the order they were given
   */
  public List<TextualInversion> textualInversions() {
    return textualInversions;
  }

  /**
   * The low-rank adapters.
   *
   * @return in the order they were given
   */
  public List<Lora> loras() {
    return loras;
  }

  /**
   * The picture to start from, or null.
   *
   * @return the picture to start from, or null
   */
  public @Nullable Image image() {
    return image;
  }

  /**
   * The mask, or null.
   *
   * @return the mask, or null
   */
  public @Nullable Image mask() {
    return mask;
  }

  /**
   * Whether the safety checker looks at the picture.
   *
   * @return whether the safety checker looks at the picture
   */
  public boolean safetyChecker() {
    return safetyChecker;
  }

  /**
   * Whether large pictures are worked on in tiles.
   *
   * @return whether large pictures are worked on in tiles
   */
  public boolean vaeTiling() {
    return vaeTiling;
  }

  /**
   * Whether an autoencoder that overflows is computed anew in single precision.
   *
   * @return whether an autoencoder that overflows is computed anew in single precision
   */
  public boolean vaeRescue() {
    return vaeRescue;
  }

  /**
   * The autoencoder of previews; null for a linear map.
   *
   * @return its folder
   */
  public @Nullable Path previewBy() {
    return previewBy;
  }

  /**
   * The autoencoder of the picture; null for the model's own.
   *
   * @return its folder
   */
  public @Nullable Path decodeBy() {
    return decodeBy;
  }

  /**
   * What may stop the run, or null.
   *
   * @return what may stop the run, or null
   */
  public @Nullable Cancellation cancellation() {
    return cancellation;
  }

  /**
   * What is told of steps, or null.
   *
   * @return what is told of steps, or null
   */
  public @Nullable Consumer<DenoisingStep> listener() {
    return listener;
  }
}
