package dev.lmm;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Follows things through a video: looks at each frame and links what it finds. Immutable: every
 * option gives a new request.
 *
 * <p>All frames are looked at; sample the video first ({@link Video#frames(int)}, {@link
 * Video#sample(double)}) to look at fewer.
 */
public final class TrackRequest {
  private final Grounder grounder;
  private final Video video;
  private final String query;
  private List<String> labels = List.of();
  private int atMost;
  private int gap = 2;
  private boolean interpolated;
  private int minPixels;
  private int maxPixels;
  private @Nullable BiConsumer<Integer, Integer> listener;
  private @Nullable Cancellation cancellation;

  TrackRequest(Grounder grounder, Video video, String query) {
    this.grounder = grounder;
    this.video = Check.notNull(video, "video");
    this.query = Check.notNull(query, "query");
    Check.that(!query.isBlank(), "query: is empty; expected what to look for");
  }

  private TrackRequest(TrackRequest other) {
    this.grounder = other.grounder;
    this.video = other.video;
    this.query = other.query;
    this.labels = other.labels;
    this.atMost = other.atMost;
    this.gap = other.gap;
    this.interpolated = other.interpolated;
    this.minPixels = other.minPixels;
    this.maxPixels = other.maxPixels;
    this.listener = other.listener;
    this.cancellation = other.cancellation;
  }

  /**
   * Only things of these labels.
   *
   * @param labels at least one, none blank
   * @return a new request
   */
  public TrackRequest labels(String... labels) {
    TrackRequest changed = new TrackRequest(this);
    changed.labels = List.of(Check.notNull(labels, "labels"));
    Check.that(
        labels.length > 0 && changed.labels.stream().noneMatch(String::isBlank),
        "labels: are none, or one is blank; expected at least one word");
    return changed;
  }

  /**
   * No more things in a frame than these.
   *
   * @param atMost 1 to 100
   * @return a new request
   */
  public TrackRequest atMost(int atMost) {
    Check.that(atMost >= 1 && atMost <= 100, "atMost: is " + atMost + "; expected 1 to 100");
    TrackRequest changed = new TrackRequest(this);
    changed.atMost = atMost;
    return changed;
  }

  /**
   * For how many frames a thing may be out of sight and still be the same.
   *
   * @param gap at least 0; 2 by default
   * @return a new request
   */
  public TrackRequest gap(int gap) {
    Check.that(gap >= 0, "gap: is " + gap + "; expected at least 0");
    TrackRequest changed = new TrackRequest(this);
    changed.gap = gap;
    return changed;
  }

  /**
   * Fills in the frames of the original video between those that were looked at.
   *
   * @return a new request
   */
  public TrackRequest interpolated() {
    TrackRequest changed = new TrackRequest(this);
    changed.interpolated = true;
    return changed;
  }

  /**
   * Between how many pixels the model sees of each frame.
   *
   * @param minPixels 0 for what the checkpoint says
   * @param maxPixels 0 for what the checkpoint says
   * @return a new request
   */
  public TrackRequest pixels(int minPixels, int maxPixels) {
    TrackRequest changed = new TrackRequest(this);
    changed.minPixels = minPixels;
    changed.maxPixels = maxPixels;
    return changed;
  }

  /**
   * Told after each frame how many are done, and of how many.
   *
   * @param listener quick
   * @return a new request
   */
  public TrackRequest onProgress(BiConsumer<Integer, Integer> listener) {
    TrackRequest changed = new TrackRequest(this);
    changed.listener = Check.notNull(listener, "listener");
    return changed;
  }

  /**
   * What stops the run.
   *
   * @param cancellation the switch
   * @return a new request
   */
  public TrackRequest cancelledBy(Cancellation cancellation) {
    TrackRequest changed = new TrackRequest(this);
    changed.cancellation = Check.notNull(cancellation, "cancellation");
    return changed;
  }

  /**
   * Looks at every frame and links.
   *
   * @return frames and tracks
   * @throws CancelledException if it was stopped
   */
  public Tracked run() {
    List<Tracked.Frame> frames = new ArrayList<>();
    int count = video.frames().size();
    for (int i = 0; i < count; i++) {
      LocateRequest request =
          grounder.locate(video.frames().get(i), query).pixels(minPixels, maxPixels);
      request = labels.isEmpty() ? request : request.labels(labels.toArray(new String[0]));
      request = atMost == 0 ? request : request.atMost(atMost);
      request = cancellation == null ? request : request.cancelledBy(cancellation);
      frames.add(
          new Tracked.Frame(
              video.indices().get(i), video.seconds().get(i), request.run().regions()));
      if (listener != null) {
        listener.accept(i + 1, count);
      }
    }
    return new Tracked(frames, new Linker(gap).link(frames, interpolated));
  }
}
