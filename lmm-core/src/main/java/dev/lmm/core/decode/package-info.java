/**
 * Text out of a language model, token by token. A family says how one step is computed ({@link
 * dev.lmm.core.decode.StepModel}); everything else is here: prefill in chunks, choosing tokens as
 * transformers does, streaming, stopping, caches reused over turns, batches and beams. Start at
 * {@link dev.lmm.core.decode.Decoder}.
 */
@NullMarked
package dev.lmm.core.decode;

import org.jspecify.annotations.NullMarked;
