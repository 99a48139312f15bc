/** Where checkpoints come from: bundled on the class path, or a hub's cache. */
@NullMarked
package dev.lmm.core.hub;

import org.jspecify.annotations.NullMarked;
