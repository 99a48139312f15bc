/** Schedulers: which noise levels a picture passes, and how one step is made from a prediction. */
@NullMarked
package dev.lmm.diffusion.internal.scheduler;

import org.jspecify.annotations.NullMarked;
