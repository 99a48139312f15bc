package dev.lmm;

import java.util.List;

/** Names pictures by labels it was never trained on. Thread-safe; lives as long as its encoder. */
public interface ZeroShotClassifier {
  /**
   * The labels.
   *
   * @return in the order given
   */
  List<String> labels();

  /**
   * Scores each label for a picture.
   *
   * @param image the picture
   * @return one score for each label, in order; {@link Score#text()} is the label
   */
  default List<Score> classify(Image image) {
    return classify(List.of(Check.notNull(image, "image"))).get(0);
  }

  /**
   * Scores each label for each picture.
   *
   * @param images any number
   * @return for each picture, one score for each label, in order
   */
  List<List<Score>> classify(List<Image> images);
}
