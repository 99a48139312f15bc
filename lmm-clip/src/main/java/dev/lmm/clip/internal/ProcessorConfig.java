package dev.lmm.clip.internal;

import dev.lmm.CheckpointException;
import dev.lmm.core.json.Json;
import dev.lmm.core.vision.Preprocessing;
import dev.lmm.core.vision.ResizeFilter;
import java.nio.file.Files;
import java.nio.file.Path;

/** preprocessor_config.json, in its old and new forms, with the processor classes' defaults. */
final class ProcessorConfig {
  private static final double[] CLIP_MEAN = {0.48145466, 0.4578275, 0.40821073};
  private static final double[] CLIP_STD = {0.26862954, 0.26130258, 0.27577711};
  private static final double[] HALF = {0.5, 0.5, 0.5};

  private ProcessorConfig() {}

  /** Reads the config and makes the input of the vision tower. */
  static ImageInput read(Path folder, ClipConfig config) {
    Path file = folder.resolve("preprocessor_config.json");
    if (!Files.isRegularFile(file)) {
      throw new CheckpointException(
          file + ": no such file; the model's pictures are prepared as it says");
    }
    Json json = Json.parse(file);
    if (config.kind() == ClipConfig.Kind.NAFLEX) {
      int patch = json.intAt("patch_size", config.vision().patchSize());
      int most = json.intAt("max_num_patches", 256);
      if (patch != config.vision().patchSize()) {
        throw json.at("patch_size")
            .unexpected(config.vision().patchSize() + ", as config.json says");
      }
      if (most < 1 || most > 1 << 16) {
        throw json.at("max_num_patches").unexpected("a number from 1 to " + (1 << 16));
      }
      ResizeFilter filter = filter(json, ResizeFilter.BILINEAR);
      return new NaflexInput(
          patch,
          most,
          config.vision().numPatches(),
          filter,
          steps(json, config, filter, false).levels());
    }
    boolean clip = config.kind() == ClipConfig.Kind.CLIP;
    Preprocessing steps = steps(json, config, filter(json, ResizeFilter.BICUBIC), clip);
    int side = config.vision().imageSize();
    int width = steps.crop() ? steps.cropWidth() : steps.width();
    int height = steps.crop() ? steps.cropHeight() : steps.height();
    if (width != side || height != side) {
      throw new CheckpointException(
          file
              + ": gives pictures of "
              + (width == 0 ? "varying size" : width + "x" + height)
              + "; config.json's vision_config.image_size is "
              + side);
    }
    return new SquareInput(steps);
  }

  private static ResizeFilter filter(Json json, ResizeFilter absent) {
    return json.hasValue("resample") ? ResizeFilter.ofCode(json.intAt("resample")) : absent;
  }

  private static Preprocessing steps(
      Json json, ClipConfig config, ResizeFilter filter, boolean clip) {
    int side = 224;
    int width = clip ? 0 : side;
    int height = clip ? 0 : side;
    int shortest = clip ? side : 0;
    boolean naflex = config.kind() == ClipConfig.Kind.NAFLEX;
    if (json.hasValue("size") && !naflex) {
      Json size = json.at("size");
      if (size.isNumber()) {
        // An old file's number: CLIP's shorter side, SigLIP's both.
        width = clip ? 0 : side(size);
        height = width;
        shortest = clip ? side(size) : 0;
      } else if (size.hasValue("shortest_edge")) {
        width = 0;
        height = 0;
        shortest = side(size.at("shortest_edge"));
      } else {
        width = side(size.at("width"));
        height = side(size.at("height"));
        shortest = 0;
      }
    }
    int cropWidth = 224;
    int cropHeight = 224;
    if (json.hasValue("crop_size")) {
      Json crop = json.at("crop_size");
      cropWidth = side(crop.isNumber() ? crop : crop.at("width"));
      cropHeight = side(crop.isNumber() ? crop : crop.at("height"));
    }
    boolean normalize = json.boolAt("do_normalize", true);
    return new Preprocessing(
        json.boolAt("do_resize", true),
        width,
        height,
        shortest,
        filter,
        json.boolAt("do_center_crop", clip),
        cropWidth,
        cropHeight,
        json.boolAt("do_rescale", true) ? json.doubleAt("rescale_factor", 1 / 255.0) : 1,
        normalize ? three(json, "image_mean", clip ? CLIP_MEAN : HALF) : new double[3],
        normalize ? three(json, "image_std", clip ? CLIP_STD : HALF) : new double[] {1, 1, 1});
  }

  private static int side(Json json) {
    int side = json.asInt();
    if (side < 1 || side > 1 << 14) {
      throw json.unexpected("a number from 1 to " + (1 << 14));
    }
    return side;
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
}
