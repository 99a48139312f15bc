/** The engine that runs graphs in PyTorch. It knows no model family. */
@NullMarked
package dev.lmm.pytorch;

import org.jspecify.annotations.NullMarked;
