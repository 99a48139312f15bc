package dev.lmm;

/**
 * Shows what a model attends to: words to words, patches of a picture to each other, words to
 * places in the picture. Thread-safe. It ends with its model; using it afterwards throws {@link
 * ClosedException}.
 *
 * <pre>{@code
 * try (Model clip = Models.load("openai/clip-vit-base-patch32")) {
 *   Image photo = Image.read(file);
 *   for (AttentionMap map : clip.attention().look(photo).text("a cat on a sofa").run()) {
 *     map.draw(photo).save(Path.of(map.kind() + ".png"));
 *   }
 * }
 * }</pre>
 *
 * <p>The parts of the model that are watched are compiled when they are first wanted, beside the
 * fast ones.
 */
public interface Attention {
  /**
   * Begins to look at a picture.
   *
   * @param image the picture
   * @return the request, to be run
   * @throws ClosedException if the model was closed
   */
  AttentionRequest look(Image image);
}
