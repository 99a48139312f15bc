/** How FFmpeg is asked. */
@NullMarked
package dev.lmm.video.internal;

import org.jspecify.annotations.NullMarked;
