package dev.lmm.core.family;

import dev.lmm.EstimateOptions;
import dev.lmm.core.graph.WeightSource;
import dev.lmm.core.json.Json;
import java.nio.file.Path;
import java.util.function.Function;

/**
 * What a family tells its {@link Stage}s from: configs, and names and shapes of tensors. Nothing of
 * a tensor's content is there, nor need a tokenizer be.
 *
 * @param folder with the configs
 * @param config its config.json, or model_index.json if it has several folders
 * @param size of the request
 * @param tensors names and shapes, by folder
 */
public record StageContext(
    Path folder, Json config, EstimateOptions size, Function<Path, WeightSource> tensors) {
  /**
   * The tensors of the checkpoint's own folder.
   *
   * @return names and shapes
   */
  public WeightSource weights() {
    return tensors.apply(folder);
  }

  /**
   * The tensors of a folder below the checkpoint's own.
   *
   * @param part name of the folder, for instance {@code unet}
   * @return names and shapes
   */
  public WeightSource weights(String part) {
    return tensors.apply(folder.resolve(part));
  }

  /**
   * The width of the picture.
   *
   * @param own what the model takes or makes if the caller leaves it open
   * @return at least 1
   */
  public int width(int own) {
    return size.width() == 0 ? own : size.width();
  }

  /**
   * The height of the picture.
   *
   * @param own what the model takes or makes if the caller leaves it open
   * @return at least 1
   */
  public int height(int own) {
    return size.height() == 0 ? own : size.height();
  }

  /**
   * Entries of a language model's cache.
   *
   * @param most what the model can hold
   * @return at least 1
   */
  public int tokens(int most) {
    return Math.min(size.tokens(), most);
  }
}
