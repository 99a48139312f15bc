/** How BLIP-2 is computed; not for callers. */
@NullMarked
package dev.lmm.blip2.internal;

import org.jspecify.annotations.NullMarked;
