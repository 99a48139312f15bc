/**
 * Fuzz targets for what reads files and answers of strangers; not published.
 *
 * <p>Each {@link dev.lmm.fuzz.Target} serves two masters: the tests, which run a fixed number of
 * seeded mutations, and {@link dev.lmm.fuzz.Campaign}, which lets Jazzer search by coverage.
 */
@NullMarked
package dev.lmm.fuzz;

import org.jspecify.annotations.NullMarked;
