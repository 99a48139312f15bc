/** A small trained checkpoint: {@code tiny-blip2}. */
@NullMarked
package dev.lmm.tiny.blip2;

import org.jspecify.annotations.NullMarked;
