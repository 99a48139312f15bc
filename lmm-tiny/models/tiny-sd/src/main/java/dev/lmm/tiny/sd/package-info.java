/** A small trained checkpoint: {@code tiny-sd}. */
@NullMarked
package dev.lmm.tiny.sd;

import org.jspecify.annotations.NullMarked;
