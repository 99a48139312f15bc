/** What the packages of this module share and nobody else sees. */
@NullMarked
package dev.lmm.core.internal;

import org.jspecify.annotations.NullMarked;
