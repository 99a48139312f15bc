/**
 * Checkpoints as their authors publish them: which files there are, which tensors they hold, where
 * each lies. Nothing in a file is trusted.
 */
@NullMarked
package dev.lmm.core.checkpoint;

import org.jspecify.annotations.NullMarked;
