/** Results drawn over pictures, and pictures written. */
@NullMarked
package dev.lmm.core.vision.draw;

import org.jspecify.annotations.NullMarked;
