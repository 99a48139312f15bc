/**
 * The SPI of engines: compile a graph, run it with tensors in direct memory. Engines know no model
 * family; families know no engine.
 */
@NullMarked
package dev.lmm.core.engine;

import org.jspecify.annotations.NullMarked;
