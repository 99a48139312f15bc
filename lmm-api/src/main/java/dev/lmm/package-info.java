/**
 * Local multimodal models: the roles a model can play, their requests and their results.
 *
 * <p>Start at {@link dev.lmm.Models}. Nothing here shows tensors or engine types; nothing here
 * accepts or returns {@code null} unless a signature says so.
 */
@NullMarked
package dev.lmm;

import org.jspecify.annotations.NullMarked;
