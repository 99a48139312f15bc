package dev.lmm;

import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;

/**
 * Embeds pictures and texts in one space and compares them: CLIP, SigLIP, SigLIP 2.
 *
 * <pre>{@code
 * try (Encoder clip = Models.encoder("openai/clip-vit-base-patch32").load()) {
 *   List<Score> scores = clip.rank(Image.read(file), List.of("a photo of a cat", "a photo of a dog"));
 * }
 * }</pre>
 *
 * <p>Texts may be in any language, empty, or longer than the model reads; longer ones are cut as
 * the reference does. Thread-safe.
 */
public interface Encoder extends AutoCloseable {
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
   * Length of every embedding.
   *
   * @return at least 1
   */
  int dimension();

  /**
   * Embeds a picture.
   *
   * @param image the picture
   * @return a vector of length 1
   */
  default float[] embed(Image image) {
    return images(List.of(Check.notNull(image, "image"))).run().vector(0);
  }

  /**
   * Embeds a text.
   *
   * @param text the text
   * @return a vector of length 1
   */
  default float[] embed(String text) {
    return texts(List.of(Check.notNull(text, "text"))).run().vector(0);
  }

  /**
   * A request to embed pictures.
   *
   * @param images any number
   * @return the request, to be run
   */
  EmbedRequest images(List<Image> images);

  /**
   * A request to embed texts.
   *
   * @param texts any number
   * @return the request, to be run
   */
  EmbedRequest texts(List<String> texts);

  /**
   * Embeds picture files, however many, in bounded memory: decoding, preprocessing and inference
   * overlap. Results arrive in order, on the calling thread, and a file that cannot be read is a
   * result too.
   *
   * @param files the files
   * @param options batch size, cancellation, progress; {@link FilesOptions#DEFAULT}
   * @param consumer takes each result
   * @throws CancelledException if the run was cancelled or its thread interrupted
   */
  void embedFiles(Iterable<Path> files, FilesOptions options, Consumer<FileEmbedding> consumer);

  /**
   * Scores texts for a picture, with the family's own probability.
   *
   * @param image the picture
   * @param texts at least one
   * @return one score for each text, in order
   */
  default List<Score> rank(Image image, List<String> texts) {
    return rank(List.of(Check.notNull(image, "image")), texts, Probability.FAMILY).get(0);
  }

  /**
   * Scores every text for every picture.
   *
   * @param images any number
   * @param texts at least one
   * @param probability how logits become probabilities
   * @return for each picture, one score for each text, in order
   */
  List<List<Score>> rank(List<Image> images, List<String> texts, Probability probability);

  /**
   * A zero-shot classifier: the texts are embedded once and reused.
   *
   * @param labels what to tell apart, at least one
   * @param templates sentences in which {@code {}} stands for the label; the normalised embeddings
   *     of a label's sentences are averaged and normalised again. At least one
   * @return the classifier
   */
  ZeroShotClassifier classifier(List<String> labels, List<String> templates);

  @Override
  void close();
}
