/**
 * What Maven Central, and we, demand of a release: rules over a bundle, each one a list of faults.
 */
@NullMarked
package dev.lmm.release;

import org.jspecify.annotations.NullMarked;
