/** How the PyTorch engine works. */
@NullMarked
package dev.lmm.pytorch.internal;

import org.jspecify.annotations.NullMarked;
