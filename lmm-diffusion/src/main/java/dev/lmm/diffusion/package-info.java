/** Stable Diffusion: text to picture from the folders diffusers publishes. */
@NullMarked
package dev.lmm.diffusion;

import org.jspecify.annotations.NullMarked;
