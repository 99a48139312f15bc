/**
 * The interpreter: slow, plain Java without natives, and the oracle that every other engine is
 * tested against.
 */
@NullMarked
package dev.lmm.core.engine.reference;

import org.jspecify.annotations.NullMarked;
