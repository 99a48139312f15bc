/** Low-rank adapters: files, their names for a pipeline's layers, and what they add up to. */
@NullMarked
package dev.lmm.diffusion.internal.lora;

import org.jspecify.annotations.NullMarked;
