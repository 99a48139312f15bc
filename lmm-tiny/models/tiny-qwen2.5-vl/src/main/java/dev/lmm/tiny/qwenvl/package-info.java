/** A small trained checkpoint: {@code tiny-qwen2.5-vl}. */
@NullMarked
package dev.lmm.tiny.qwenvl;

import org.jspecify.annotations.NullMarked;
