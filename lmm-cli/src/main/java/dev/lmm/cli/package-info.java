/** The command line {@code lmm}: a thin user of the public API. */
@NullMarked
package dev.lmm.cli;

import org.jspecify.annotations.NullMarked;
