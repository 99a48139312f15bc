package dev.lmm;

import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A search in a picture. Immutable: every option gives a new request.
 *
 * <p>By default the answer is kept to a list of boxes with labels, whose numbers lie within the
 * picture, so that it always parses.
 */
public final class LocateRequest {
  /** What the model is to write. */
  public enum Form {
    /** A list of boxes with labels. */
    BOXES,
    /** A list of points with labels. */
    POINTS,
    /** Whatever it likes; boxes and points are read out of it as far as they can be. */
    FREE
  }

  private final Function<LocateRequest, Located> runner;
  private final Image picture;
  private final String query;
  private Form form = Form.BOXES;
  private List<String> labels = List.of();
  private int atMost;
  private int maxTokens;
  private int minPixels;
  private int maxPixels;
  private int tilesAcross = 1;
  private int tilesDown = 1;
  private @Nullable Consumer<Region> listener;
  private @Nullable Cancellation cancellation;

  /**
   * A request with default options; for implementations of {@link Grounder}.
   *
   * @param picture where to look
   * @param query what to look for
   * @param runner carries the request out
   * @throws InvalidRequestException if the query is blank
   */
  public LocateRequest(Image picture, String query, Function<LocateRequest, Located> runner) {
    this.picture = Check.notNull(picture, "picture");
    this.query = Check.notNull(query, "query");
    Check.that(!query.isBlank(), "query: is empty; expected what to look for");
    this.runner = Check.notNull(runner, "runner");
  }

  private LocateRequest(LocateRequest other, Image picture) {
    this(other, picture, other.runner);
  }

  private LocateRequest(
      LocateRequest other, Image picture, Function<LocateRequest, Located> runner) {
    this.runner = runner;
    this.picture = picture;
    this.query = other.query;
    this.form = other.form;
    this.labels = other.labels;
    this.atMost = other.atMost;
    this.maxTokens = other.maxTokens;
    this.minPixels = other.minPixels;
    this.maxPixels = other.maxPixels;
    this.tilesAcross = other.tilesAcross;
    this.tilesDown = other.tilesDown;
    this.listener = other.listener;
    this.cancellation = other.cancellation;
  }

  private LocateRequest copy() {
    return new LocateRequest(this, picture);
  }

  /**
   * What the model is to write.
   *
   * @param form boxes by default
   * @return a new request
   */
  public LocateRequest form(Form form) {
    LocateRequest changed = copy();
    changed.form = Check.notNull(form, "form");
    return changed;
  }

  /**
   * Only regions of these labels. In the forms of boxes and points the model can write no others.
   *
   * @param labels at least one, none blank
   * @return a new request
   */
  public LocateRequest labels(String... labels) {
    LocateRequest changed = copy();
    changed.labels = List.of(Check.notNull(labels, "labels"));
    Check.that(
        labels.length > 0 && changed.labels.stream().noneMatch(String::isBlank),
        "labels: are none, or one is blank; expected at least one word");
    return changed;
  }

  /**
   * No more regions than these.
   *
   * @param atMost 1 to 100
   * @return a new request
   */
  public LocateRequest atMost(int atMost) {
    Check.that(atMost >= 1 && atMost <= 100, "atMost: is " + atMost + "; expected 1 to 100");
    LocateRequest changed = copy();
    changed.atMost = atMost;
    return changed;
  }

  /**
   * How long each answer may become.
   *
   * @param maxTokens at least 1; 1,024 by default, or what the context has room for
   * @return a new request
   */
  public LocateRequest maxTokens(int maxTokens) {
    Check.that(maxTokens > 0, "maxTokens: is " + maxTokens + "; expected at least 1");
    LocateRequest changed = copy();
    changed.maxTokens = maxTokens;
    return changed;
  }

  /**
   * Between how many pixels the model sees of the picture, or of each tile.
   *
   * @param minPixels smaller pictures are enlarged; 0 for what the checkpoint says
   * @param maxPixels larger pictures are reduced; 0 for what the checkpoint says
   * @return a new request
   */
  public LocateRequest pixels(int minPixels, int maxPixels) {
    Check.that(
        minPixels >= 0 && maxPixels >= 0 && (maxPixels == 0 || maxPixels >= minPixels),
        "pixels: are "
            + minPixels
            + " to "
            + maxPixels
            + "; expected numbers of at least 0, the smaller first");
    LocateRequest changed = copy();
    changed.minPixels = minPixels;
    changed.maxPixels = maxPixels;
    return changed;
  }

  /**
   * Looks at overlapping parts of a large picture one by one, for small things; what is found twice
   * is merged.
   *
   * @param across 1 to 32
   * @param down 1 to 32
   * @return a new request
   */
  public LocateRequest tiles(int across, int down) {
    Check.that(
        across >= 1 && across <= 32 && down >= 1 && down <= 32,
        "tiles: are " + across + "x" + down + "; expected 1 to 32 each way");
    LocateRequest changed = copy();
    changed.tilesAcross = across;
    changed.tilesDown = down;
    return changed;
  }

  /**
   * Told of each region as soon as it is written, on the running thread. Regions of tiles are told
   * before they are merged.
   *
   * @param listener quick
   * @return a new request
   */
  public LocateRequest onRegion(Consumer<Region> listener) {
    LocateRequest changed = copy();
    changed.listener = Check.notNull(listener, "listener");
    return changed;
  }

  /**
   * What stops the run.
   *
   * @param cancellation the switch
   * @return a new request
   */
  public LocateRequest cancelledBy(Cancellation cancellation) {
    LocateRequest changed = copy();
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
  public LocateRequest around(UnaryOperator<Function<LocateRequest, Located>> around) {
    return new LocateRequest(this, picture, Check.notNull(around.apply(runner), "around"));
  }

  /**
   * Looks.
   *
   * @return the regions
   * @throws CancelledException if it was stopped
   */
  public Located run() {
    return runner.apply(this);
  }

  /**
   * The picture.
   *
   * @return as given
   */
  public Image picture() {
    return picture;
  }

  /**
   * The query.
   *
   * @return as given
   */
  public String query() {
    return query;
  }

  /**
   * The form.
   *
   * @return boxes by default
   */
  public Form form() {
    return form;
  }

  /**
   * The labels.
   *
   * @return none for any
   */
  public List<String> labels() {
    return labels;
  }

  /**
   * The most regions.
   *
   * @return 0 for any number
   */
  public int atMost() {
    return atMost;
  }

  /**
   * The most tokens.
   *
   * @return 0 for the default
   */
  public int maxTokens() {
    return maxTokens;
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
   * Tiles from left to right.
   *
   * @return 1 for the whole picture
   */
  public int tilesAcross() {
    return tilesAcross;
  }

  /**
   * Tiles from top to bottom.
   *
   * @return 1 for the whole picture
   */
  public int tilesDown() {
    return tilesDown;
  }

  /**
   * Who is told of regions.
   *
   * @return the listener, or null
   */
  public @Nullable Consumer<Region> listener() {
    return listener;
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
