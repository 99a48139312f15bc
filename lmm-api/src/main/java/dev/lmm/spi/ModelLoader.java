package dev.lmm.spi;

import dev.lmm.Bundled;
import dev.lmm.DevicePlan;
import dev.lmm.Estimate;
import dev.lmm.EstimateOptions;
import dev.lmm.Model;
import java.nio.file.Path;
import java.util.List;

/** Finds a checkpoint and loads it. Thread-safe. */
public interface ModelLoader {
  /**
   * Loads a model.
   *
   * @param id a hub id, a folder, a bundle's file, or the name of a bundled model
   * @param options engine, device and so on
   * @return the model, to be closed
   * @throws dev.lmm.LmmException if it cannot be found or loaded
   */
  Model load(String id, LoadOptions options);

  /**
   * Says what memory a model would take, without loading it.
   *
   * @param id a hub id, a folder, a bundle's file, or the name of a bundled model
   * @param options engine, device and so on
   * @param size of the request it is for
   * @return the estimate
   * @throws dev.lmm.LmmException if it cannot be found, or cannot take such a request
   */
  Estimate estimate(String id, LoadOptions options, EstimateOptions size);

  /**
   * Packs models into one file.
   *
   * @param ids hub ids, folders, or names of bundled models; at least one
   * @param options where from, which variant, who hears of progress
   * @param natives whether the native libraries of this platform are packed
   * @param file to be written
   * @return what was written
   * @throws dev.lmm.LmmException if a model cannot be found or the file not written
   */
  Bundled bundle(List<String> ids, LoadOptions options, boolean natives, Path file);

  /**
   * Loads native libraries from a bundle from now on.
   *
   * @param bundle the file
   * @return the libraries
   * @throws dev.lmm.LmmException if it has none that fit, or others are loaded already
   */
  List<String> useNatives(Path bundle);

  /**
   * Says where each part of a model would compute, without loading it.
   *
   * @param id as {@link #load} takes it
   * @param options how it is to be loaded
   * @param size how large a request is to fit
   * @return the plan
   * @throws dev.lmm.LmmException if the model is not there or no engine can run
   */
  DevicePlan plan(String id, LoadOptions options, EstimateOptions size);
}
