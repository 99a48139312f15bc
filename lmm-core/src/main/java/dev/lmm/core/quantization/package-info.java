/**
 * Weights in few bits: which layers, in which form, made once and kept in the library's own cache.
 * Engines find the result through {@link dev.lmm.core.engine.WeightStore#quantized}.
 */
@NullMarked
package dev.lmm.core.quantization;

import org.jspecify.annotations.NullMarked;
