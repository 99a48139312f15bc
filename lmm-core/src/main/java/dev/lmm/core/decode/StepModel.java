package dev.lmm.core.decode;

import dev.lmm.Cancellation;
import dev.lmm.InvalidRequestException;
import dev.lmm.core.engine.Tensor;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A language model as decoding sees it: it reads entries into a cache and gives the logits of what
 * may come next. A family implements it over its compiled graph; {@link ProgramCache} is the cache
 * to use. Thread-safe: steps of different caches may overlap.
 *
 * <p>An entry is a token id or a foreign embedding in its place (a patch of a picture), at one
 * position or, with several axes, at several.
 */
public interface StepModel {
  /**
   * How many logits a step gives.
   *
   * @return the width of the head, at least 1
   */
  int vocabularySize();

  /**
   * How many entries a cache may ever hold: prompt and answer together.
   *
   * @return the model's context length
   */
  int contextLength();

  /**
   * Makes an empty cache.
   *
   * @param rows how many sequences side by side, at least 1
   * @param capacity entries of each, at most {@link #contextLength}
   * @return the cache, to be closed
   */
  KvCache newCache(int rows, int capacity);

  /**
   * Makes an empty cache whose rows all go on from one prompt, as beams do. An encoder-decoder then
   * keeps one source for all of them.
   *
   * @param rows how many sequences side by side, at least 1
   * @param capacity entries of each, at most {@link #contextLength}
   * @return the cache, to be closed
   */
  default KvCache newBeams(int rows, int capacity) {
    return newCache(rows, capacity);
  }

  /**
   * Shows a cache of one row what its steps look at; {@link KvCache#copyRows} hands it on. Of
   * encoder-decoders only.
   *
   * @param cache made by {@link #newCache} with one row
   * @param source as {@link Prompt#source} gave it; kept, not copied
   * @throws InvalidRequestException if the model has no encoder
   */
  default void attend(KvCache cache, Map<String, Tensor> source) {
    throw new InvalidRequestException("prompt: has a source, and the model looks at none");
  }

  /**
   * Reads the same number of new entries into each row, behind those it keeps.
   *
   * @param cache made by {@link #newCache}; written
   * @param input the entries
   * @param cancellation stops the run, or null
   * @return the logits of the last entry, F32 [rows, vocabularySize]; null if {@link
   *     StepInput#logits} is false
   * @throws dev.lmm.CancelledException if it was stopped; entries before the new ones are intact
   */
  @Nullable Tensor step(KvCache cache, StepInput input, @Nullable Cancellation cancellation);
}
