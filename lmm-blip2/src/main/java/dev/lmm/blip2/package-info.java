/** BLIP-2: captions, questions and matching. Start at {@link dev.lmm.blip2.Blip2}. */
@NullMarked
package dev.lmm.blip2;

import org.jspecify.annotations.NullMarked;
