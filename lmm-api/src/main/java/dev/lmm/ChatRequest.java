package dev.lmm;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A question to a {@link Chat}. Immutable: every option gives a new request.
 *
 * <p>What is not chosen is as the checkpoint's generation_config.json says.
 */
public final class ChatRequest {
  private final Function<ChatRequest, TokenStream> runner;
  private final String text;
  private List<Image> images = List.of();
  private List<Video> videos = List.of();
  private int maxTokens;
  private @Nullable Double temperature;
  private @Nullable Double topP;
  private @Nullable Double minP;
  private @Nullable Integer topK;
  private @Nullable Double repetitionPenalty;
  private long seed;
  private int minPixels;
  private int maxPixels;
  private long videoPixels;
  private List<String> stop = List.of();
  private @Nullable String jsonSchema;
  private @Nullable String regex;
  private @Nullable Cancellation cancellation;

  /**
   * A request with default options; for implementations of {@link Chat}.
   *
   * @param text the question
   * @param runner begins the answer
   * @throws InvalidRequestException if the text is blank
   */
  public ChatRequest(String text, Function<ChatRequest, TokenStream> runner) {
    this.text = Check.notNull(text, "text");
    Check.that(!text.isBlank(), "text: is empty; expected a question");
    this.runner = Check.notNull(runner, "runner");
  }

  private ChatRequest(ChatRequest other) {
    this(other, other.runner);
  }

  private ChatRequest(ChatRequest other, Function<ChatRequest, TokenStream> runner) {
    this.runner = runner;
    this.text = other.text;
    this.images = other.images;
    this.videos = other.videos;
    this.maxTokens = other.maxTokens;
    this.temperature = other.temperature;
    this.topP = other.topP;
    this.minP = other.minP;
    this.topK = other.topK;
    this.repetitionPenalty = other.repetitionPenalty;
    this.seed = other.seed;
    this.minPixels = other.minPixels;
    this.maxPixels = other.maxPixels;
    this.videoPixels = other.videoPixels;
    this.stop = other.stop;
    this.jsonSchema = other.jsonSchema;
    this.regex = other.regex;
    this.cancellation = other.cancellation;
  }

  /**
   * One more picture. Pictures stand before the text in the order they are given.
   *
   * @param image the picture
   * @return a new request
   */
  public ChatRequest image(Image image) {
    ChatRequest changed = new ChatRequest(this);
    changed.images = with(images, Check.notNull(image, "image"));
    return changed;
  }

  /**
   * One more video. Videos stand behind the pictures and before the text.
   *
   * @param video its frames
   * @return a new request
   */
  public ChatRequest video(Video video) {
    ChatRequest changed = new ChatRequest(this);
    changed.videos = with(videos, Check.notNull(video, "video"));
    return changed;
  }

  private static <T> List<T> with(List<T> list, T more) {
    List<T> all = new ArrayList<>(list);
    all.add(more);
    return List.copyOf(all);
  }

  /**
   * How long the answer may become.
   *
   * @param maxTokens at least 1; 512 by default, or what the context has room for
   * @return a new request
   */
  public ChatRequest maxTokens(int maxTokens) {
    Check.that(maxTokens > 0, "maxTokens: is " + maxTokens + "; expected at least 1");
    ChatRequest changed = new ChatRequest(this);
    changed.maxTokens = maxTokens;
    return changed;
  }

  /**
   * How freely words are chosen.
   *
   * @param temperature 0 for always the likeliest, higher for more surprise
   * @return a new request
   */
  public ChatRequest temperature(double temperature) {
    Check.that(
        temperature >= 0 && temperature <= 100,
        "temperature: is " + temperature + "; expected 0 to 100");
    ChatRequest changed = new ChatRequest(this);
    changed.temperature = temperature;
    return changed;
  }

  /**
   * Draws only from the likeliest tokens that together are this probable.
   *
   * @param topP above 0, at most 1
   * @return a new request
   */
  public ChatRequest topP(double topP) {
    Check.that(topP > 0 && topP <= 1, "topP: is " + topP + "; expected above 0, at most 1");
    ChatRequest changed = new ChatRequest(this);
    changed.topP = topP;
    return changed;
  }

  /**
   * Draws only from so many tokens.
   *
   * @param topK at least 1, or 0 for all
   * @return a new request
   */
  public ChatRequest topK(int topK) {
    Check.that(topK >= 0, "topK: is " + topK + "; expected at least 0");
    ChatRequest changed = new ChatRequest(this);
    changed.topK = topK;
    return changed;
  }

  /**
   * Draws only tokens that are at least this fraction as probable as the likeliest.
   *
   * @param minP 0 to 1
   * @return a new request
   */
  public ChatRequest minP(double minP) {
    Check.that(minP >= 0 && minP <= 1, "minP: is " + minP + "; expected 0 to 1");
    ChatRequest changed = new ChatRequest(this);
    changed.minP = minP;
    return changed;
  }

  /**
   * Makes what was said already less likely.
   *
   * @param repetitionPenalty 1 for nothing, above 1 for less repetition
   * @return a new request
   */
  public ChatRequest repetitionPenalty(double repetitionPenalty) {
    Check.that(
        repetitionPenalty > 0 && repetitionPenalty <= 100,
        "repetitionPenalty: is " + repetitionPenalty + "; expected above 0, at most 100");
    ChatRequest changed = new ChatRequest(this);
    changed.repetitionPenalty = repetitionPenalty;
    return changed;
  }

  /**
   * What chance begins with: the same request with the same seed has the same answer.
   *
   * @param seed any; 0 by default
   * @return a new request
   */
  public ChatRequest seed(long seed) {
    ChatRequest changed = new ChatRequest(this);
    changed.seed = seed;
    return changed;
  }

  /**
   * Between how many pixels the model sees of each picture or frame. More pixels show smaller
   * things and take more time and memory.
   *
   * @param minPixels smaller pictures are enlarged; 0 for what the checkpoint says
   * @param maxPixels larger pictures are reduced; 0 for what the checkpoint says
   * @return a new request
   */
  public ChatRequest pixels(int minPixels, int maxPixels) {
    Check.that(
        minPixels >= 0 && maxPixels >= 0 && (maxPixels == 0 || maxPixels >= minPixels),
        "pixels: are "
            + minPixels
            + " to "
            + maxPixels
            + "; expected numbers of at least 0, the smaller first");
    ChatRequest changed = new ChatRequest(this);
    changed.minPixels = minPixels;
    changed.maxPixels = maxPixels;
    return changed;
  }

  /**
   * How many pixels the model sees of all frames of a video together, shared out as Qwen's own
   * utilities do: each frame has at most twice the total divided by the number of frames (two make
   * a step of time), at most 602,112 (768 tokens) or what {@link #pixels} says if that is less, and
   * at least 100,352 (128 tokens) or what it says. Without this option frames have the limits of
   * pictures.
   *
   * @param total pixels of a video; the utilities' own is {@link FrameRule#QWEN_VIDEO_PIXELS}
   * @return a new request
   */
  public ChatRequest videoPixels(long total) {
    Check.that(total >= 1, "videoPixels: is " + total + "; expected at least 1");
    ChatRequest changed = new ChatRequest(this);
    changed.videoPixels = total;
    return changed;
  }

  /**
   * Ends the answer where one of these would stand.
   *
   * @param stop texts, none empty
   * @return a new request
   */
  public ChatRequest stop(String... stop) {
    ChatRequest changed = new ChatRequest(this);
    changed.stop = List.of(Check.notNull(stop, "stop"));
    Check.that(changed.stop.stream().noneMatch(String::isEmpty), "stop: holds an empty text");
    return changed;
  }

  /**
   * Keeps the answer to JSON that satisfies a schema: what comes out always parses.
   *
   * @param jsonSchema a JSON schema
   * @return a new request; running it fails if the schema is broken or cannot be satisfied
   */
  public ChatRequest json(String jsonSchema) {
    ChatRequest changed = new ChatRequest(this);
    changed.jsonSchema = Check.notNull(jsonSchema, "jsonSchema");
    changed.regex = null;
    return changed;
  }

  /**
   * Keeps the answer to a regular expression, from beginning to end.
   *
   * @param regex without look-around and back-references
   * @return a new request; running it fails if the expression is broken
   */
  public ChatRequest regex(String regex) {
    ChatRequest changed = new ChatRequest(this);
    changed.regex = Check.notNull(regex, "regex");
    changed.jsonSchema = null;
    return changed;
  }

  /**
   * What stops the run.
   *
   * @param cancellation the switch
   * @return a new request
   */
  public ChatRequest cancelledBy(Cancellation cancellation) {
    ChatRequest changed = new ChatRequest(this);
    changed.cancellation = Check.notNull(cancellation, "cancellation");
    return changed;
  }

  /**
   * The same request, carried out by something around what carries it out now: to measure, to
   * limit, to try again.
   *
   * @param around gets what carries the request out, gives what shall
   * @return a new request
   */
  public ChatRequest around(UnaryOperator<Function<ChatRequest, TokenStream>> around) {
    return new ChatRequest(this, Check.notNull(around.apply(runner), "around"));
  }

  /**
   * Answers.
   *
   * @return the whole answer
   * @throws InvalidRequestException if the question does not fit the model's context, or options
   *     contradict each other
   * @throws CancelledException if it was stopped
   */
  public Answer run() {
    try (TokenStream stream = stream()) {
      while (stream.hasNext()) {
        stream.next();
      }
      return stream.answer();
    }
  }

  /**
   * Answers word by word.
   *
   * @return the answer to come, to be closed; nothing has been computed yet
   * @throws InvalidRequestException as {@link #run}
   */
  public TokenStream stream() {
    return runner.apply(this);
  }

  /**
   * The question.
   *
   * @return as given
   */
  public String text() {
    return text;
  }

  /**
   * The pictures.
   *
   * @return in order
   */
  public List<Image> images() {
    return images;
  }

  /**
   * The videos.
   *
   * @return in order
   */
  public List<Video> videos() {
    return videos;
  }

  /**
   * The most tokens.
   *
   * @return at least 1, or 0 for the default
   */
  public int maxTokens() {
    return maxTokens;
  }

  /**
   * The temperature.
   *
   * @return at least 0, or null for the checkpoint's
   */
  public @Nullable Double temperature() {
    return temperature;
  }

  /**
   * The probability drawn from.
   *
   * @return above 0, or null for the checkpoint's
   */
  public @Nullable Double topP() {
    return topP;
  }

  /**
   * The least relative probability.
   *
   * @return 0 to 1, or null for the checkpoint's
   */
  public @Nullable Double minP() {
    return minP;
  }

  /**
   * The number of tokens drawn from.
   *
   * @return at least 0, or null for the checkpoint's
   */
  public @Nullable Integer topK() {
    return topK;
  }

  /**
   * The penalty.
   *
   * @return above 0, or null for the checkpoint's
   */
  public @Nullable Double repetitionPenalty() {
    return repetitionPenalty;
  }

  /**
   * The seed.
   *
   * @return as given
   */
  public long seed() {
    return seed;
  }

  /**
   * The fewest pixels.
   *
   * @return 0 for the checkpoint's
   */
  public int minPixels() {
    return minPixels;
  }

  /**
   * The most pixels.
   *
   * @return 0 for the checkpoint's
   */
  public int maxPixels() {
    return maxPixels;
  }

  /**
   * The pixels of all frames of a video.
   *
   * @return 0 if frames have the limits of pictures
   */
  public long videoPixels() {
    return videoPixels;
  }

  /**
   * Texts that end the answer.
   *
   * @return as given
   */
  public List<String> stop() {
    return stop;
  }

  /**
   * The schema.
   *
   * @return a JSON schema, or null
   */
  public @Nullable String jsonSchema() {
    return jsonSchema;
  }

  /**
   * The expression.
   *
   * @return a regular expression, or null
   */
  public @Nullable String regex() {
    return regex;
  }

  /**
   * The switch.
   *
   * @return it, or null
   */
  public @Nullable Cancellation cancellation() {
    return cancellation;
  }
}
