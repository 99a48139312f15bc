package dev.lmm.spi;

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
}
