package dev.lmm;

import java.nio.file.Path;

/**
 * A low-rank adapter (LoRA, arXiv 2106.09685) that changes a model for one request.
 *
 * @param file a {@code .safetensors}, or a {@code .bin}, {@code .pt} or {@code .ckpt} that holds
 *     tensors alone
 * @param scale how strongly it acts: 1 as it was trained, 0 not at all; may be negative
 */
public record Lora(Path file, double scale) {
  /**
   * Checks.
   *
   * @param file the file; read when a request runs
   * @param scale -100 to 100
   */
  public Lora {
    Check.notNull(file, "lora");
    Check.that(scale >= -100 && scale <= 100, "lora: scale is " + scale + "; expected -100 to 100");
  }
}
