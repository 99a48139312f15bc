package dev.lmm.diffusion.internal.lora;

import dev.lmm.CheckpointException;
import dev.lmm.core.checkpoint.Safetensors;
import dev.lmm.core.json.Json;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * What peft and diffusers write about alphas beside the tensors: in the safetensors header under
 * {@code lora_adapter_metadata}, or in an adapter_config.json in the same folder. Without either,
 * alpha is the rank.
 */
final class LoraAlphas {
  private static final String KEY = "lora_adapter_metadata";

  private final @Nullable Json config;

  private LoraAlphas(@Nullable Json config) {
    this.config = config;
  }

  static LoraAlphas of(Path file) {
    if (file.toString().endsWith(".safetensors")) {
      String text = Safetensors.metadata(file).get(KEY);
      if (text != null) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return new LoraAlphas(Json.parse(bytes, file + ": __metadata__." + KEY));
      }
    }
    Path beside = file.resolveSibling("adapter_config.json");
    return file.getFileName().toString().startsWith("adapter_model.") && Files.isRegularFile(beside)
        ? new LoraAlphas(Json.parse(beside))
        : new LoraAlphas(null);
  }

  /** What a layer's product of factors is multiplied with. */
  double factor(LoraLayer layer, int rank) {
    Json all = config;
    if (all == null) {
      return 1;
    }
    if (flag(all, layer, "use_dora")) {
      throw new CheckpointException(all.source() + ": use_dora is true; DoRA is not supported");
    }
    double alpha = alpha(all, layer, rank);
    return flag(all, layer, "use_rslora") ? alpha / Math.sqrt(rank) : alpha / rank;
  }

  private static double alpha(Json all, LoraLayer layer, int rank) {
    String pattern = key(all, layer, "alpha_pattern");
    if (all.hasValue(pattern)) {
      Json patterns = all.at(pattern);
      for (String end : patterns.keys()) {
        if (layer.path().equals(end) || layer.path().endsWith("." + end)) {
          return patterns.doubleAt(end);
        }
      }
    }
    return all.doubleAt(key(all, layer, "lora_alpha"), rank);
  }

  private static boolean flag(Json all, LoraLayer layer, String name) {
    return all.boolAt(key(all, layer, name), false);
  }

  /** In one file of several parts, keys begin with the part. */
  private static String key(Json all, LoraLayer layer, String name) {
    String prefixed = layer.part() + "." + name;
    return all.has(prefixed) ? prefixed : name;
  }
}
