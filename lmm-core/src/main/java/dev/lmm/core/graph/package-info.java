/**
 * The graph a model is written as: typed values over checkpoint tensor names, semantic operators,
 * and the rules every graph must obey.
 *
 * <p>A family builds a {@link dev.lmm.core.graph.Graph} with {@link
 * dev.lmm.core.graph.GraphBuilder}; an engine compiles it. The graph knows no engine and no
 * precision: weights are references into checkpoint files.
 */
@NullMarked
package dev.lmm.core.graph;

import org.jspecify.annotations.NullMarked;
