/** The family. */
@NullMarked
package dev.lmm.qwenvl.internal;

import org.jspecify.annotations.NullMarked;
