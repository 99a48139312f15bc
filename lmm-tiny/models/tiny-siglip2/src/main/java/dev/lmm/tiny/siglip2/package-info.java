/** A small trained checkpoint: {@code tiny-siglip2}. */
@NullMarked
package dev.lmm.tiny.siglip2;

import org.jspecify.annotations.NullMarked;
