/** A small trained checkpoint: {@code tiny-clip}. */
@NullMarked
package dev.lmm.tiny.clip;

import org.jspecify.annotations.NullMarked;
