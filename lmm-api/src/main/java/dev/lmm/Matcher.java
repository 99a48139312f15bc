package dev.lmm;

import java.util.List;

/**
 * Says whether pictures and texts belong together, and finds one by the other: BLIP-2 of the first
 * stage. Thread-safe. Close it when done; closing twice is harmless, and using it afterwards throws
 * {@link ClosedException}.
 *
 * <p>Two measures: a similarity, for which picture and text are looked at alone (fast: each once),
 * and a probability, for which they are looked at together (slower: every pair, and more exact).
 * Texts may be empty; one that is longer than the model reads is refused.
 *
 * <pre>{@code
 * try (Matcher blip = Models.matcher("Salesforce/blip2-itm-vit-g").load()) {
 *   System.out.println(blip.match(Image.read(file), "two cats on a sofa").probability());
 * }
 * }</pre>
 */
public interface Matcher extends AutoCloseable {
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
   * Compares a picture and a text.
   *
   * @param image the picture
   * @param text the text
   * @return probability and similarity
   * @throws InvalidRequestException if the text is longer than the model reads
   * @throws ClosedException if the model was closed
   */
  default Match match(Image image, String text) {
    return match(List.of(Check.notNull(image, "image")), List.of(Check.notNull(text, "text")))
        .run()
        .get(0)
        .get(0);
  }

  /**
   * A request to compare every picture with every text.
   *
   * @param images any number
   * @param texts any number
   * @return the request, to be run
   */
  MatchRequest match(List<Image> images, List<String> texts);

  /**
   * A request to find the pictures of a text: all are compared by similarity, and the best of them
   * looked at again together with the text.
   *
   * @param text what to search for
   * @param images where to search
   * @return the request, to be run
   */
  RetrieveRequest retrieve(String text, List<Image> images);

  /**
   * A request to find the texts of a picture: all are compared by similarity, and the best of them
   * looked at again together with the picture.
   *
   * @param image what to search for
   * @param texts where to search
   * @return the request, to be run
   */
  RetrieveRequest retrieve(Image image, List<String> texts);

  @Override
  void close();
}
