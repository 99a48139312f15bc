/**
 * CLIP, SigLIP and SigLIP 2: pictures and texts in one space. Start at {@link dev.lmm.clip.Clip}.
 */
@NullMarked
package dev.lmm.clip;

import org.jspecify.annotations.NullMarked;
