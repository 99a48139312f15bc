package dev.lmm.diffusion.internal;

import dev.lmm.core.json.Json;
import dev.lmm.core.vision.Preprocessing;
import dev.lmm.core.vision.ResizeFilter;

/**
 * config.json of a safety checker ({@code StableDiffusionSafetyChecker}).
 *
 * @param layers the vision tower's; what is of texts alone is not used
 * @param imageSize side of the pictures it looks at
 * @param patchSize side of a patch
 * @param projection width of the embeddings
 */
record SafetyConfig(TextEncoderConfig layers, int imageSize, int patchSize, int projection) {
  private static final double[] MEAN = {0.48145466, 0.4578275, 0.40821073};
  private static final double[] STD = {0.26862954, 0.26130258, 0.27577711};

  static SafetyConfig of(Json c) {
    Json vision = c.at("vision_config");
    Configs.only(vision, "num_channels", 3L);
    int image = Configs.positive(vision, "image_size", 224);
    int patch = Configs.positive(vision, "patch_size", 32);
    if (image % patch != 0 || image > 4096) {
      throw vision.at("image_size").unexpected("a multiple of patch_size up to 4096");
    }
    return new SafetyConfig(
        TextEncoderConfig.of(vision, false, 768, 3072),
        image,
        patch,
        Configs.positive(c, "projection_dim", 512));
  }

  /** preprocessor_config.json of the folder feature_extractor. */
  Preprocessing preprocessing(Json c) {
    int shortest = side(c, "size", "shortest_edge");
    int crop = side(c, "crop_size", "height");
    if (crop != imageSize) {
      throw c.at("crop_size").unexpected(imageSize + ", as the safety checker's config says");
    }
    return new Preprocessing(
        true,
        0,
        0,
        shortest,
        c.hasValue("resample") ? ResizeFilter.ofCode(c.intAt("resample")) : ResizeFilter.BICUBIC,
        true,
        crop,
        crop,
        c.doubleAt("rescale_factor", 1 / 255.0),
        c.hasValue("image_mean") ? c.at("image_mean").doubles() : MEAN,
        c.hasValue("image_std") ? c.at("image_std").doubles() : STD);
  }

  /** A number in older files, an object in newer ones. */
  private static int side(Json c, String key, String within) {
    return c.hasValue(key) && c.at(key).isObject()
        ? Configs.positive(c.at(key), within, 224)
        : Configs.positive(c, key, 224);
  }
}
