/**
 * Pictures: decoding, Pillow-exact resizing, and the preprocessing that image processors of
 * published checkpoints describe.
 */
@NullMarked
package dev.lmm.core.vision;

import org.jspecify.annotations.NullMarked;
