/**
 * What a model family provides and is given: found by {@code model_type}, loaded from a checkpoint
 * onto an engine.
 */
@NullMarked
package dev.lmm.core.family;

import org.jspecify.annotations.NullMarked;
