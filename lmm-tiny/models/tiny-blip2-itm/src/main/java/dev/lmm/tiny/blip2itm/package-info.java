/** A small trained checkpoint: {@code tiny-blip2-itm}. */
@NullMarked
package dev.lmm.tiny.blip2itm;

import org.jspecify.annotations.NullMarked;
