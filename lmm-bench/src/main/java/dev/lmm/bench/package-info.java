/** Benchmarks and the Java sides of comparisons with Python; not published. */
@NullMarked
package dev.lmm.bench;

import org.jspecify.annotations.NullMarked;
