package dev.lmm;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What the model sees of a text or a picture, as plain arrays. Thread-safe. */
public interface Inspection {
  /**
   * The tokenizer's own output: with special tokens, not padded, not cut.
   *
   * @param text any text
   * @return ids and pieces
   */
  Tokens tokenize(String text);

  /**
   * The tensor the model computes with for a picture.
   *
   * @param image a picture
   * @return the numbers and their shape
   */
  Pixels preprocess(Image image);

  /**
   * Looks for the layer in which a picture's numbers stop being finite. Runs the slow interpreter:
   * for finding out, not for every day.
   *
   * @param image a picture
   * @return the first layer, weight or input that holds a NaN or an infinity, or empty
   */
  Optional<String> firstNonFinite(Image image);

  /**
   * Looks for the layer in which a text's numbers stop being finite, as {@link
   * #firstNonFinite(Image)}.
   *
   * @param text a text
   * @return the first layer, weight or input that holds a NaN or an infinity, or empty
   */
  Optional<String> firstNonFinite(String text);

  /**
   * How much there is to compute: floating point operations of the matrix products, two for each
   * multiply-add.
   *
   * @return operations for one item, by stage: {@code image}, {@code text} (of the longest length)
   */
  Map<String, Double> flops();

  /**
   * A tokenized text.
   *
   * @param ids the ids
   * @param tokens the pieces in the vocabulary's own spelling
   */
  record Tokens(List<Integer> ids, List<String> tokens) {
    /**
     * Copies the lists.
     *
     * @param ids the ids
     * @param tokens the pieces in the vocabulary's own spelling
     */
    public Tokens {
      ids = List.copyOf(ids);
      tokens = List.copyOf(tokens);
    }
  }

  /**
   * A preprocessed picture.
   *
   * @param shape lengths of all axes
   * @param values the numbers, row by row
   */
  @SuppressWarnings("ArrayRecordComponent") // large, handed over without a copy
  record Pixels(List<Integer> shape, float[] values) {
    /**
     * Copies the shape.
     *
     * @param shape lengths of all axes
     * @param values the numbers, row by row
     */
    public Pixels {
      shape = List.copyOf(shape);
    }
  }
}
