/** Qwen2.5-VL: chat about pictures and videos, and where things are in them. */
@NullMarked
package dev.lmm.qwenvl;

import org.jspecify.annotations.NullMarked;
