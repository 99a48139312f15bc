/** Random numbers that equal those of PyTorch. */
@NullMarked
package dev.lmm.core.random;

import org.jspecify.annotations.NullMarked;
