/** BLIP-2: captions and questions about pictures. Start at {@link dev.lmm.blip2.Blip2}. */
@NullMarked
package dev.lmm.blip2;

import org.jspecify.annotations.NullMarked;
