package dev.lmm.clip.internal;

import dev.lmm.AttentionMap.Axis;
import dev.lmm.Box;
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

  /**
   * Rows and columns of a picture's patches, and the part of it that they cover.
   *
   * @param image as it was given
   * @param prepared as {@link #prepare} gave it
   * @param patch side of a patch in pixels
   * @param before names of what stands before the patches
   */
  default Axis axis(Image image, Image prepared, int patch, String... before) {
    return Axis.patches(prepared.height() / patch, prepared.width() / patch, place(image), before);
  }

  /** The part of a picture that is prepared, in shares of its width and height. */
  default Box place(Image image) {
    return Axis.WHOLE;
  }

  /** The most patches of a picture, where they vary. */
  default int maxPatches() {
    return 1;
  }

  /** The numbers of one picture, for inspection. */
  Pixels inspect(Image image);
}
