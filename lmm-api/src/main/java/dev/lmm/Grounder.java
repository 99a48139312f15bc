package dev.lmm;

/**
 * Finds things in pictures and follows them through videos. Thread-safe. Close it when done;
 * closing twice is harmless, and using it afterwards throws {@link ClosedException}.
 *
 * <pre>{@code
 * try (Grounder qwen = Models.grounder("Qwen/Qwen2.5-VL-7B-Instruct").load()) {
 *   Located people = qwen.locate(photo, "Locate every person.").run();
 *   people.draw(photo).save(file);                    // boxes in the photo's own pixels
 * }
 * }</pre>
 */
public interface Grounder extends AutoCloseable {
  /**
   * What was loaded.
   *
   * @return id, type, engine, device, precision
   */
  ModelInfo info();

  /**
   * Its layers and parameters.
   *
   * @return the summary
   */
  Summary summary();

  /**
   * Begins a search in a picture.
   *
   * @param picture where to look
   * @param query what to look for, in a language the model knows
   * @return the request, to be run
   * @throws InvalidRequestException if the query is blank
   */
  LocateRequest locate(Image picture, String query);

  /**
   * Begins to follow things through a video.
   *
   * @param video where to look
   * @param query what to look for in each frame
   * @return the request, to be run
   * @throws InvalidRequestException if the query is blank
   */
  default TrackRequest track(Video video, String query) {
    return new TrackRequest(this, video, query);
  }

  @Override
  void close();
}
