/** Frames from video files, and video files from frames, by FFmpeg. */
@NullMarked
package dev.lmm.video;

import org.jspecify.annotations.NullMarked;
