/** The family. */
@NullMarked
package dev.lmm.diffusion.internal;

import org.jspecify.annotations.NullMarked;
