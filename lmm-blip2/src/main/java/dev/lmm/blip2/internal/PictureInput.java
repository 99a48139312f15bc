package dev.lmm.blip2.internal;

import dev.lmm.CheckpointException;
import dev.lmm.Image;
import dev.lmm.Inspection.Pixels;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.graph.DType;
import dev.lmm.core.json.Json;
import dev.lmm.core.vision.Preprocessing;
import dev.lmm.core.vision.ResizeFilter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * preprocessor_config.json: pictures are squashed to a square, whatever their aspect. Absent keys
 * have the defaults of transformers' BlipImageProcessor.
 */
final class PictureInput {
  private static final double[] CLIP_MEAN = {0.48145466, 0.4578275, 0.40821073};
  private static final double[] CLIP_STD = {0.26862954, 0.26130258, 0.27577711};

  private final Preprocessing preprocessing;
  private final float[][] levels;

  private PictureInput(Preprocessing preprocessing) {
    this.preprocessing = preprocessing;
    this.levels = preprocessing.levels();
  }

  static PictureInput read(Path folder, int side) {
    Path file = folder.resolve("preprocessor_config.json");
    if (!Files.isRegularFile(file)) {
      throw new CheckpointException(
          file + ": no such file; the model's pictures are prepared as it says");
    }
    Json json = Json.parse(file);
    int width = 384;
    int height = 384;
    if (json.hasValue("size")) {
      Json size = json.at("size");
      width = size.isNumber() ? size.asInt() : size.intAt("width");
      height = size.isNumber() ? size.asInt() : size.intAt("height");
    }
    if (width != side || height != side || !json.boolAt("do_resize", true)) {
      throw new CheckpointException(
          file
              + ": gives pictures of "
              + (json.boolAt("do_resize", true) ? width + "x" + height : "varying size")
              + "; config.json's vision_config.image_size is "
              + side);
    }
    boolean normalize = json.boolAt("do_normalize", true);
    return new PictureInput(
        new Preprocessing(
            true,
            width,
            height,
            0,
            json.hasValue("resample")
                ? ResizeFilter.ofCode(json.intAt("resample"))
                : ResizeFilter.BICUBIC,
            false,
            side,
            side,
            json.boolAt("do_rescale", true) ? json.doubleAt("rescale_factor", 1 / 255.0) : 1,
            normalize ? three(json, "image_mean", CLIP_MEAN) : new double[3],
            normalize ? three(json, "image_std", CLIP_STD) : new double[] {1, 1, 1}));
  }

  private static double[] three(Json json, String key, double[] absent) {
    if (!json.hasValue(key)) {
      return absent;
    }
    double[] values = json.at(key).doubles();
    if (values.length != 3) {
      throw json.at(key).unexpected("three numbers");
    }
    return values;
  }

  /** {@code pixels} [1, 3, side, side]. */
  Tensor tensor(Image image) {
    Image prepared = preprocessing.pixels(image);
    Tensor pixels = Tensor.zeros(DType.F32, 1, 3, prepared.height(), prepared.width());
    Preprocessing.planes(prepared, levels, pixels.floats());
    return pixels;
  }

  Pixels inspect(Image image) {
    Tensor pixels = tensor(image);
    return new Pixels(
        List.of(1, 3, preprocessing.height(), preprocessing.width()), pixels.toFloats());
  }
}
