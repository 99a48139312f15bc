package dev.lmm;

import org.jspecify.annotations.Nullable;

/**
 * One of the things a search ordered.
 *
 * @param index its place in the list that was searched, from 0
 * @param similarity with what was searched for, each looked at alone; -1 to 1
 * @param probability that they belong together, 0 to 1; null if it was not among the best that were
 *     looked at again
 */
public record Retrieved(int index, double similarity, @Nullable Double probability) {}
