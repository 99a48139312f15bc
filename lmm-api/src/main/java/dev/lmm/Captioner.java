package dev.lmm;

import java.util.List;

/**
 * Writes about pictures: descriptions, and answers to questions. Thread-safe. Close it when done;
 * closing twice is harmless, and using it afterwards throws {@link ClosedException}.
 *
 * <pre>{@code
 * try (Captioner blip = Models.captioner(folder).load()) {
 *   Image image = Image.read(file);
 *   System.out.println(blip.caption(image).beams(5).run().text());
 *   System.out.println(blip.ask(image, "how many cats are there?").run().text());
 * }
 * }</pre>
 */
public interface Captioner extends AutoCloseable {
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
   * What it sees of texts and pictures.
   *
   * @return the view
   */
  Inspection inspect();

  /**
   * Begins a description.
   *
   * @param image the picture
   * @return the request, to be run
   */
  CaptionRequest caption(Image image);

  /**
   * Begins an answer: the question in the form the family was trained with.
   *
   * @param image the picture
   * @param question not blank
   * @return the request, to be run
   * @throws InvalidRequestException if the question is blank
   */
  CaptionRequest ask(Image image, String question);

  /**
   * Begins descriptions of several pictures, written side by side: faster than one by one, for the
   * model's weights are read once for all.
   *
   * @param images any number
   * @return the request, to be run
   */
  CaptionsRequest captions(List<Image> images);

  @Override
  void close();
}
