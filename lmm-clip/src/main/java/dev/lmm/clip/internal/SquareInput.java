package dev.lmm.clip.internal;

import dev.lmm.Box;
import dev.lmm.Image;
import dev.lmm.Inspection.Pixels;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.graph.DType;
import dev.lmm.core.vision.Preprocessing;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.Map;

/** Pictures of one size: {@code pixels} [batch, 3, height, width]. */
final class SquareInput implements ImageInput {
  private final Preprocessing preprocessing;
  private final float[][] levels;

  SquareInput(Preprocessing preprocessing) {
    this.preprocessing = preprocessing;
    this.levels = preprocessing.levels();
  }

  @Override
  public Image prepare(Image image) {
    return preprocessing.pixels(image);
  }

  @Override
  public Box place(Image image) {
    return preprocessing.place(image.width(), image.height());
  }

  @Override
  public Map<String, Tensor> tensors(List<Image> prepared) {
    Image first = prepared.get(0);
    Tensor pixels = Tensor.zeros(DType.F32, prepared.size(), 3, first.height(), first.width());
    FloatBuffer target = pixels.floats();
    for (Image image : prepared) {
      Preprocessing.planes(image, levels, target);
    }
    return Map.of("pixels", pixels);
  }

  @Override
  public Pixels inspect(Image image) {
    Image prepared = prepare(image);
    float[] values = tensors(List.of(prepared)).get("pixels").toFloats();
    return new Pixels(List.of(1, 3, prepared.height(), prepared.width()), values);
  }
}
