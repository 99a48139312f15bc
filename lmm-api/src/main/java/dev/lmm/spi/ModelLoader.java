package dev.lmm.spi;

import dev.lmm.Estimate;
import dev.lmm.EstimateOptions;
import dev.lmm.Model;

/** Finds a checkpoint and loads it. Thread-safe. */
public interface ModelLoader {
  /**
   * Loads a model.
   *
   * @param id a hub id, a folder, or the name of a bundled model
   * @param options engine, device and so on
   * @return the model, to be closed
   * @throws dev.lmm.LmmException if it cannot be found or loaded
   */
  Model load(String id, LoadOptions options);

  /**
   * Says what memory a model would take, without loading it.
   *
   * @param id a hub id, a folder, or the name of a bundled model
   * @param options engine, device and so on
   * @param size of the request it is for
   * @return the estimate
   * @throws dev.lmm.LmmException if it cannot be found, or cannot take such a request
   */
  Estimate estimate(String id, LoadOptions options, EstimateOptions size);
}
