package dev.lmm.core.quantization;

import dev.lmm.Check;
import dev.lmm.CheckpointException;
import dev.lmm.core.checkpoint.CheckpointWeights;
import dev.lmm.core.engine.QuantizedTensor;
import dev.lmm.core.engine.StoredTensor;
import dev.lmm.core.engine.WeightStore;
import dev.lmm.core.graph.WeightRef;
import dev.lmm.core.json.Json;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A checkpoint whose linear layers were published in four bits, by AWQ or GPTQ. It looks like one
 * that was not: a layer's {@code qweight}, {@code qzeros}, {@code scales} and {@code g_idx} are its
 * {@code weight}. Linear layers read the published codes in the library's own form; whoever asks
 * for the tensor itself gets whole numbers. Both are made when first asked for, and kept in {@link
 * QuantizedCache}. Thread-safe.
 */
public final class PackedWeights implements WeightStore, AutoCloseable {
  private final CheckpointWeights files;
  private final QuantizedCache cache;
  private final Map<String, PackedMatrix> matrices;
  private final Set<String> names;
  private @Nullable CheckpointWeights codes;
  private @Nullable CheckpointWeights whole;

  private PackedWeights(
      CheckpointWeights files, QuantizedCache cache, Map<String, PackedMatrix> matrices) {
    this.files = files;
    this.cache = cache;
    this.matrices = matrices;
    Set<String> seen = new LinkedHashSet<>(files.names());
    matrices.forEach(
        (name, matrix) -> {
          String module = name.substring(0, name.length() - ".weight".length());
          for (String part :
              List.of(
                  PackedMatrix.CODES,
                  PackedMatrix.ZEROS,
                  PackedMatrix.SCALES,
                  PackedMatrix.GROUP_OF)) {
            seen.remove(module + part);
          }
          // GPTQ gives layers without a bias one of zeros, which no graph asks for.
          String bias = module + ".bias";
          if (seen.contains(bias) && isZero(files, bias)) {
            seen.remove(bias);
          }
          seen.add(name);
        });
    this.names = Collections.unmodifiableSet(seen);
  }

  /**
   * The tensors of a checkpoint, unpacked if its config says that they are packed.
   *
   * @param files the tensors; closed with the result
   * @param config the config.json beside them, which may not exist
   * @param cache where the library's own form is kept
   * @return the tensors; {@code files} itself if nothing is packed
   * @throws dev.lmm.UnsupportedModelException if the config names another quantization
   * @throws CheckpointException if tensors do not fit each other or the config
   */
  public static WeightStore open(CheckpointWeights files, Path config, QuantizedCache cache) {
    if (!Files.isRegularFile(Check.notNull(config, "config"))) {
      return files;
    }
    Json json = Json.parse(config);
    if (!json.hasValue("quantization_config")) {
      return files;
    }
    PackedLayout.Config packed = PackedLayout.of(json);
    Map<String, PackedMatrix> matrices = new TreeMap<>();
    for (String name : files.names()) {
      if (name.endsWith(PackedMatrix.CODES)) {
        String module = name.substring(0, name.length() - PackedMatrix.CODES.length());
        PackedMatrix matrix = PackedMatrix.of(files, module, packed.layout(), packed.group());
        if (files.shape(matrix.name()) != null) {
          throw new CheckpointException(
              files.description()
                  + ": has both "
                  + matrix.name()
                  + " and "
                  + name
                  + "; expected one");
        }
        matrices.put(matrix.name(), matrix);
      }
    }
    return matrices.isEmpty() ? files : new PackedWeights(files, cache, matrices);
  }

  /**
   * The same tensors for a part that computes in whole numbers.
   *
   * @param store any tensors
   * @return without the published codes; the same if it has none
   */
  public static WeightStore unpacked(WeightStore store) {
    return store instanceof PackedWeights ? new WrappedWeights(store) : store;
  }

  private static boolean isZero(CheckpointWeights files, String name) {
    StoredTensor tensor = files.locate(name);
    if (tensor.length() > 1 << 24) {
      return false;
    }
    ByteBuffer bytes = files.map(name, 0, (int) tensor.length());
    while (bytes.hasRemaining()) {
      if (bytes.get() != 0) {
        return false;
      }
    }
    return true;
  }

  private synchronized CheckpointWeights codes() {
    CheckpointWeights made = codes;
    if (made == null) {
      made = cache.open(files, matrices, false);
      codes = made;
    }
    return made;
  }

  private synchronized CheckpointWeights whole() {
    CheckpointWeights made = whole;
    if (made == null) {
      made = cache.open(files, matrices, true);
      whole = made;
    }
    return made;
  }

  private CheckpointWeights owner(String name) {
    return matrices.containsKey(name) ? whole() : files;
  }

  @Override
  public @Nullable QuantizedTensor quantized(WeightRef ref) {
    PackedMatrix matrix = matrices.get(ref.name());
    return matrix == null
            || !ref.equals(WeightRef.whole(ref.name(), matrix.rows(), matrix.columns()))
        ? null
        : matrix.tensor(codes());
  }

  @Override
  public ByteBuffer map(StoredTensor piece, long offset, int length) {
    return codes().map(piece.name(), offset, length);
  }

  @Override
  public StoredTensor locate(String name) {
    return owner(name).locate(name);
  }

  @Override
  public long storedBytes(String name) {
    PackedMatrix matrix = matrices.get(name);
    return matrix == null
        ? files.storedBytes(name)
        : matrix.stored().stream().mapToLong(StoredTensor::length).sum();
  }

  @Override
  public ByteBuffer map(String name, long offset, int length) {
    return owner(name).map(name, offset, length);
  }

  @Override
  public long @Nullable [] shape(String name) {
    PackedMatrix matrix = matrices.get(name);
    return matrix == null ? files.shape(name) : new long[] {matrix.rows(), matrix.columns()};
  }

  @Override
  public Set<String> names() {
    return names;
  }

  @Override
  public String description() {
    return files.description();
  }

  @Override
  public synchronized void close() {
    files.close();
    if (codes != null) {
      codes.close();
    }
    if (whole != null) {
      whole.close();
    }
  }
}
