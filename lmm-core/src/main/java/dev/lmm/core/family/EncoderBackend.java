package dev.lmm.core.family;

import dev.lmm.Cancellation;
import dev.lmm.Image;
import dev.lmm.Inspection;
import dev.lmm.ModelInfo;
import dev.lmm.Probability;
import dev.lmm.Summary;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a family with two towers implements; {@link EncoderRole} makes an {@link dev.lmm.Encoder} of
 * it. Thread-safe.
 *
 * @param <P> a picture prepared for the model, in memory that is small beside the picture's
 */
public interface EncoderBackend<P> {
  /**
   * What was loaded.
   *
   * @return the info
   */
  ModelInfo info();

  /**
   * Layers and parameters.
   *
   * @return the summary
   */
  Summary summary();

  /**
   * What the model sees.
   *
   * @return the view
   */
  Inspection inspect();

  /**
   * Length of an embedding.
   *
   * @return at least 1
   */
  int dimension();

  /**
   * Resizes and cuts a picture as the model wants it. Runs on any thread.
   *
   * @param image the picture
   * @return the prepared picture
   */
  P prepare(Image image);

  /**
   * Embeds prepared pictures in one run.
   *
   * @param images at least one
   * @param cancellation stops the run, or null
   * @return the vectors as the model gives them, one after the other
   */
  float[] encodeImages(List<P> images, @Nullable Cancellation cancellation);

  /**
   * Embeds texts in one run.
   *
   * @param texts at least one
   * @param cancellation stops the run, or null
   * @return the vectors as the model gives them, one after the other
   */
  float[] encodeTexts(List<String> texts, @Nullable Cancellation cancellation);

  /**
   * What a similarity is multiplied with.
   *
   * @return the exponential of the checkpoint's {@code logit_scale}
   */
  double logitScale();

  /**
   * What is added to a scaled similarity.
   *
   * @return the checkpoint's {@code logit_bias}, or 0
   */
  double logitBias();

  /**
   * How the family was trained to turn logits into probabilities.
   *
   * @return softmax or sigmoid
   */
  Probability probability();
}
