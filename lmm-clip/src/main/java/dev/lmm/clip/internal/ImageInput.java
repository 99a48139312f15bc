package dev.lmm.clip.internal;

import dev.lmm.Image;
import dev.lmm.Inspection.Pixels;
import dev.lmm.core.engine.Tensor;
import java.util.List;
import java.util.Map;

/**
 * From pictures to the inputs of a vision tower. A prepared picture is an 8-bit one of the size the
 * tower takes: four times smaller than the numbers made of it.
 */
interface ImageInput {
  /** Resizes and cuts. */
  Image prepare(Image image);

  /** The tower's inputs for some prepared pictures. */
  Map<String, Tensor> tensors(List<Image> prepared);

  /** The most patches of a picture, where they vary. */
  default int maxPatches() {
    return 1;
  }

  /** The numbers of one picture, for inspection. */
  Pixels inspect(Image image);
}
