package dev.lmm.diffusion.internal;

import dev.lmm.core.engine.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * What the UNet is told of the prompts; with guidance the negative one first.
 *
 * @param context [batch, tokens, width]
 * @param added SDXL's pooled text and sizes [batch, width], or null
 */
record Conditioning(Tensor context, @Nullable Tensor added) {
  /** Whether there is a negative row to guide away from. */
  boolean guided() {
    return context.dim(0) == 2;
  }
}
