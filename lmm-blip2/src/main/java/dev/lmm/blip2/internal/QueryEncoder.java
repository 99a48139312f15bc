package dev.lmm.blip2.internal;

import dev.lmm.Cancellation;
import dev.lmm.Image;
import dev.lmm.Inspection;
import dev.lmm.Model;
import dev.lmm.ModelInfo;
import dev.lmm.Probability;
import dev.lmm.Summary;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.family.EncoderBackend;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Pictures as what their queries saw, one query's vector after the other.
 *
 * @param model the loaded model
 * @param dimension numbers of all queries together
 * @param pictures how pictures are prepared
 * @param vectors how they, and texts, are embedded
 */
record QueryEncoder(Model model, int dimension, PictureInput pictures, Vectors vectors)
    implements EncoderBackend<Tensor> {
  /** What the two stages do differently. */
  interface Vectors {
    /** All queries of one picture. */
    float[] picture(Tensor pixels, @Nullable Cancellation cancellation);

    /** Texts, one after the other, each as long as a picture's vector. */
    float[] texts(List<String> texts, @Nullable Cancellation cancellation);
  }

  @Override
  public ModelInfo info() {
    return model.info();
  }

  @Override
  public Summary summary() {
    return model.summary();
  }

  @Override
  public Inspection inspect() {
    return model.inspect();
  }

  @Override
  public Tensor prepare(Image image) {
    return pictures.tensor(image);
  }

  @Override
  public float[] encodeImages(List<Tensor> images, @Nullable Cancellation cancellation) {
    float[] all = new float[images.size() * dimension];
    for (int i = 0; i < images.size(); i++) {
      float[] one = vectors.picture(images.get(i), cancellation);
      System.arraycopy(one, 0, all, i * dimension, dimension);
    }
    return all;
  }

  @Override
  public float[] encodeTexts(List<String> texts, @Nullable Cancellation cancellation) {
    return vectors.texts(texts, cancellation);
  }

  @Override
  public double logitScale() {
    return 1; // the temperature of training is in no file
  }

  @Override
  public double logitBias() {
    return 0;
  }

  @Override
  public Probability probability() {
    return Probability.SOFTMAX;
  }
}
