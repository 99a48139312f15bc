package dev.lmm.core.family;

import dev.lmm.LmmException;
import dev.lmm.core.checkpoint.CheckpointFiles;
import dev.lmm.core.checkpoint.CheckpointWeights;
import dev.lmm.core.checkpoint.RandomWeights;
import dev.lmm.core.engine.WeightStore;
import dev.lmm.core.graph.WeightRef;
import dev.lmm.core.quantization.PackedWeights;
import dev.lmm.core.quantization.QuantizedCache;
import dev.lmm.core.quantization.QuantizedWeights;
import dev.lmm.core.quantization.Recipe;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.stream.Stream;

/** The tensors of a checkpoint's folders, each opened when it is first asked for. Thread-safe. */
public final class CheckpointParts implements AutoCloseable {
  private final OptionalLong seed;
  private final Path root;
  private final String variant;
  private final Map<Path, AutoCloseable> opened = new LinkedHashMap<>();
  private final List<AutoCloseable> quantized = new ArrayList<>();

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
    WeightStore unpacked =
        PackedWeights.open(files, folder.resolve("config.json"), new QuantizedCache());
    if (unpacked instanceof PackedWeights packed) {
      opened.put(folder, packed);
    }
    return unpacked;
  }

  /**
   * Tensors with some weights in few bits, from the library's cache or made now.
   *
   * @param checkpoint one of those that {@link #open} gave
   * @param recipes what to quantize, and how
   * @return the tensors, closed with this object; the checkpoint itself if there are no recipes
   */
  public synchronized WeightStore quantized(
      WeightStore checkpoint, Map<WeightRef, Recipe> recipes) {
    if (recipes.isEmpty()) {
      return checkpoint;
    }
    QuantizedCache cache = new QuantizedCache();
    if (checkpoint.isOpenEnded()) {
      // Made-up weights have no name by which they could be found again.
      TemporaryFolder folder = new TemporaryFolder();
      quantized.add(folder);
      cache = new QuantizedCache(folder.path());
    }
    QuantizedWeights made = cache.open(checkpoint, recipes);
    quantized.add(made);
    return made;
  }

  /** A folder that goes when it is closed. */
  private record TemporaryFolder(Path path) implements AutoCloseable {
    TemporaryFolder() {
      this(make());
    }

    private static Path make() {
      try {
        return Files.createTempDirectory("lmm-quantized");
      } catch (IOException e) {
        throw new UncheckedIOException("No temporary folder for quantized weights", e);
      }
    }

    @Override
    public void close() throws IOException {
      try (Stream<Path> all = Files.walk(path)) {
        for (Path each : all.sorted(Comparator.reverseOrder()).toList()) {
          Files.deleteIfExists(each);
        }
      }
    }
  }

  @Override
  public synchronized void close() {
    LmmException failure = null;
    List<AutoCloseable> all = new ArrayList<>(opened.values());
    all.addAll(quantized);
    Collections.reverse(all);
    for (AutoCloseable each : all) {
      try {
        each.close();
      } catch (Exception e) {
        failure = new LmmException("The checkpoint's files could not be closed", e);
      }
    }
    opened.clear();
    quantized.clear();
    if (failure != null) {
      throw failure;
    }
  }
}
