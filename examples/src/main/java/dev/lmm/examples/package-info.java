/** One short program for each thing a user wants. Read any of them from top to bottom. */
@NullMarked
package dev.lmm.examples;

import org.jspecify.annotations.NullMarked;
