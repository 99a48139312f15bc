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
 * preprocessor_config.json: pictures are squashed to one size, whatever their aspect. Absent keys
 * have the defaults of transformers' BlipImageProcessor.
 */
final class PictureInput {
  private static final String FILE = "preprocessor_config.json";
  private static final int LARGEST = 1 << 14;
  private static final double[] CLIP_MEAN = {0.48145466, 0.4578275, 0.40821073};
  private static final double[] CLIP_STD = {0.26862954, 0.26130258, 0.27577711};

  private final Preprocessing preprocessing;
  private final float[][] levels;

  private PictureInput(Preprocessing preprocessing) {
    this.preprocessing = preprocessing;
    this.levels = preprocessing.levels();
  }

  /**
   * How large pictures become.
   *
   * @param height in pixels
   * @param width in pixels
   */
  record Size(int height, int width) {}

  /**
   * Reads the size alone; what the model was trained on where the file is not there.
   *
   * @param folder of the checkpoint
   * @param trained side of the pictures that the model was trained on
   * @param patch side of a patch
   */
  static Size size(Path folder, int trained, int patch) {
    Path file = folder.resolve(FILE);
    if (!Files.isRegularFile(file)) {
      return new Size(trained, trained);
    }
    Json json = Json.parse(file);
    if (!json.boolAt("do_resize", true)) {
      throw json.at("do_resize").unexpected("true: the model looks at pictures of one size");
    }
    if (!json.hasValue("size")) {
      return new Size(384, 384);
    }
    Json size = json.at("size");
    return size.isNumber()
        ? new Size(bounded(size, patch), bounded(size, patch))
        : new Size(bounded(size.at("height"), patch), bounded(size.at("width"), patch));
  }

  private static int bounded(Json length, int patch) {
    int value = length.asInt();
    if (value < patch || value > LARGEST) {
      throw length.unexpected(
          "at least config.json's vision_config.patch_size, " + patch + ", and at most " + LARGEST);
    }
    return value;
  }

  static PictureInput read(Path folder, Blip2Config.Vision vision) {
    Path file = folder.resolve(FILE);
    if (!Files.isRegularFile(file)) {
      throw new CheckpointException(
          file + ": no such file; the model's pictures are prepared as it says");
    }
    Json json = Json.parse(file);
    boolean normalize = json.boolAt("do_normalize", true);
    return new PictureInput(
        new Preprocessing(
            true,
            vision.width(),
            vision.height(),
            0,
            json.hasValue("resample")
                ? ResizeFilter.ofCode(json.intAt("resample"))
                : ResizeFilter.BICUBIC,
            false,
            vision.width(),
            vision.height(),
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

  /** {@code pixels} [1, 3, height, width]. */
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
