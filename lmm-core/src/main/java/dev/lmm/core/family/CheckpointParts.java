package dev.lmm.core.family;

import dev.lmm.LmmException;
import dev.lmm.core.checkpoint.CheckpointFiles;
import dev.lmm.core.checkpoint.CheckpointWeights;
import dev.lmm.core.checkpoint.RandomWeights;
import dev.lmm.core.engine.WeightStore;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalLong;

/** The tensors of a checkpoint's folders, each opened when it is first asked for. Thread-safe. */
public final class CheckpointParts implements AutoCloseable {
  private final OptionalLong seed;
  private final Path root;
  private final String variant;
  private final Map<Path, AutoCloseable> opened = new LinkedHashMap<>();

  /**
   * Opens nothing yet.
   *
   * @param seed of made-up weights; empty for the files' own
   * @param root the checkpoint's folder, which must have the variant; folders below it may not
   * @param variant of the weights, for instance {@code fp16}; empty for the plain files
   */
  public CheckpointParts(OptionalLong seed, Path root, String variant) {
    this.seed = seed;
    this.root = root;
    this.variant = variant;
  }

  /**
   * The tensors of a folder.
   *
   * @param folder with weights
   * @return the tensors; the same object for the same folder
   */
  public synchronized WeightStore open(Path folder) {
    AutoCloseable known = opened.get(folder);
    if (known instanceof WeightStore store) {
      return store;
    }
    if (seed.isPresent()) {
      RandomWeights made = new RandomWeights(seed.getAsLong() + opened.size());
      opened.put(folder, made);
      return made;
    }
    // A pipeline has parts without the variant asked for.
    boolean plain = !folder.equals(root) && !CheckpointFiles.has(folder, variant);
    CheckpointWeights files = CheckpointFiles.open(folder, plain ? "" : variant);
    opened.put(folder, files);
    return files;
  }

  @Override
  public synchronized void close() {
    LmmException failure = null;
    for (AutoCloseable each : opened.values()) {
      try {
        each.close();
      } catch (Exception e) {
        failure = new LmmException("The checkpoint's files could not be closed", e);
      }
    }
    opened.clear();
    if (failure != null) {
      throw failure;
    }
  }
}
