package dev.lmm.core.quantization;

import dev.lmm.Check;
import dev.lmm.CheckpointException;
import dev.lmm.LmmException;
import dev.lmm.core.checkpoint.CheckpointWeights;
import dev.lmm.core.engine.QuantizedTensor;
import dev.lmm.core.engine.WeightStore;
import dev.lmm.core.graph.WeightRef;
import dev.lmm.core.hub.CacheFolder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * Quantized weights on disk, below the library's own cache folder ({@link CacheFolder}, part {@code
 * quantized}), never inside a hub's. An entry is a folder whose name is a hash over what it was
 * made from: each source file (by the hash in its name if it lies in a hub's cache, else by path,
 * size and time of change), the weights and their recipes. It holds one safetensors file and a list
 * of the source files. Entries appear whole or not at all: they are written beside and renamed.
 * Thread-safe; processes may share it.
 */
public final class QuantizedCache {
  private final Path root;

  /** The cache of this user. */
  public QuantizedCache() {
    this(CacheFolder.of("quantized"));
  }

  /**
   * A cache elsewhere.
   *
   * @param root its folder, which may not exist yet
   */
  public QuantizedCache(Path root) {
    this.root = Check.notNull(root, "root");
  }

  /**
   * An entry.
   *
   * @param folder where it lies
   * @param sources the files it was made from, as absolute paths
   * @param bytes its size
   */
  public record Entry(Path folder, List<Path> sources, long bytes) {
    /**
     * Copies the list.
     *
     * @param folder where it lies
     * @param sources the files it was made from, as absolute paths
     * @param bytes its size
     */
    public Entry {
      sources = List.copyOf(sources);
    }
  }

  /**
   * The checkpoint with some weights quantized: from the cache if they are there, else made now, in
   * about a second a GB of bf16 and with two cores.
   *
   * @param checkpoint where the weights come from; must outlive the result
   * @param recipes what to quantize, and how
   * @return the weights, to be closed
   * @throws CheckpointException if a weight cannot be read or holds NaN
   * @throws LmmException if the cache cannot be written; says what to do
   */
  public QuantizedWeights open(WeightStore checkpoint, Map<WeightRef, Recipe> recipes) {
    Check.notNull(checkpoint, "checkpoint");
    Map<String, CacheEntry.Piece> pieces = new TreeMap<>();
    Map<WeightRef, Names> names = new LinkedHashMap<>();
    SortedSet<Path> sources = new TreeSet<>();
    recipes.forEach(
        (ref, recipe) -> {
          names.put(ref, Names.of(ref));
          plan(ref, recipe, pieces);
          sources.add(checkpoint.locate(ref.name()).file());
        });
    TreeSet<String> lines = new TreeSet<>();
    recipes.forEach((ref, recipe) -> lines.add(ref + " " + recipe.id()));
    CacheEntry entry = new CacheEntry(root, sources, lines, pieces);
    CheckpointWeights file =
        entry.open(
            checkpoint.description(),
            recipes.size(),
            (out, places) ->
                recipes.forEach(
                    (ref, recipe) -> {
                      Names own = Names.of(ref);
                      Quantizer.quantize(
                          checkpoint,
                          ref,
                          recipe,
                          out,
                          new Quantizer.Target(
                              places.of(own.codes()),
                              places.of(own.scales()),
                              recipe.zeroPoints() ? places.of(own.zeros()) : 0));
                    }));
    return new QuantizedWeights(checkpoint, file, tensors(recipes, names, file));
  }

  /**
   * What a checkpoint's packed matrices become: codes, scales, zero points and the order of the
   * columns in the library's own form, or whole numbers. From the cache if they are there, else
   * made now, in bands of a few MB.
   *
   * @param checkpoint where they lie
   * @param matrices all of the checkpoint's, by name
   * @param unpacked whether as F32, [rows, columns], under their own names
   * @return the tensors, to be closed
   * @throws CheckpointException if one cannot be read or has scales that are no numbers
   * @throws LmmException if the cache cannot be written; says what to do
   */
  CheckpointWeights open(
      WeightStore checkpoint, Map<String, PackedMatrix> matrices, boolean unpacked) {
    Map<String, CacheEntry.Piece> pieces = new TreeMap<>();
    SortedSet<Path> sources = new TreeSet<>();
    TreeSet<String> lines = new TreeSet<>();
    matrices.forEach(
        (name, matrix) -> {
          pieces.putAll(unpacked ? matrix.wholePieces() : matrix.codePieces());
          matrix.stored().forEach(tensor -> sources.add(tensor.file()));
          lines.add(name + " " + matrix.id() + (unpacked ? " unpacked" : ""));
        });
    return new CacheEntry(root, sources, lines, pieces)
        .open(
            checkpoint.description(),
            matrices.size(),
            (out, places) ->
                matrices
                    .values()
                    .forEach(
                        matrix -> {
                          PackedReader reader = new PackedReader(checkpoint, matrix);
                          if (unpacked) {
                            reader.writeWhole(out, places);
                          } else {
                            reader.writeCodes(out, places);
                          }
                        }));
  }

  // Names and sizes.

  /** What the tensors of one weight are called. */
  private record Names(String codes, String scales, String zeros) {
    static Names of(WeightRef ref) {
      String base = ref.toString();
      return new Names(base + ".codes", base + ".scales", base + ".zeros");
    }
  }

  private static void plan(WeightRef ref, Recipe recipe, Map<String, CacheEntry.Piece> pieces) {
    long rows = ref.view()[0];
    long columns = ref.view()[1];
    Names names = Names.of(ref);
    if (recipe.layout() == QuantizedTensor.Layout.COLUMNS) {
      pieces.put(
          names.codes(), new CacheEntry.Piece("I8", new long[] {columns, rows}, columns * rows));
      pieces.put(
          names.scales(), new CacheEntry.Piece("F32", new long[] {rows}, rows * Float.BYTES));
      return;
    }
    long blocks = (columns + recipe.block() - 1) / recipe.block();
    long width = (long) recipe.block() * recipe.bits() / 8;
    pieces.put(
        names.codes(),
        new CacheEntry.Piece("U8", new long[] {rows, blocks, width}, rows * blocks * width));
    pieces.put(
        names.scales(),
        new CacheEntry.Piece("F32", new long[] {rows, blocks}, rows * blocks * Float.BYTES));
    if (recipe.zeroPoints()) {
      long bytes = (blocks * recipe.bits() + 7) / 8;
      pieces.put(names.zeros(), new CacheEntry.Piece("U8", new long[] {rows, bytes}, rows * bytes));
    }
  }

  private static Map<WeightRef, QuantizedTensor> tensors(
      Map<WeightRef, Recipe> recipes, Map<WeightRef, Names> names, CheckpointWeights file) {
    Map<WeightRef, QuantizedTensor> tensors = new LinkedHashMap<>();
    recipes.forEach(
        (ref, recipe) -> {
          Names own = Check.notNull(names.get(ref), "names");
          tensors.put(
              ref,
              new QuantizedTensor(
                  recipe.layout(),
                  recipe.bits(),
                  ref.view()[0],
                  ref.view()[1],
                  recipe.blockOf(ref.view()[1]),
                  file.locate(own.codes()),
                  file.locate(own.scales()),
                  recipe.zeroPoints() ? file.locate(own.zeros()) : null,
                  null));
        });
    return tensors;
  }

  // Housekeeping.

  /**
   * What is in the cache.
   *
   * @return the entries; none if the cache does not exist
   */
  public List<Entry> list() {
    List<Entry> entries = new ArrayList<>();
    if (!Files.isDirectory(root)) {
      return entries;
    }
    try (DirectoryStream<Path> folders = Files.newDirectoryStream(root)) {
      for (Path folder : folders) {
        Path sources = folder.resolve(CacheEntry.SOURCES);
        if (Files.isRegularFile(sources)) {
          List<Path> paths = new ArrayList<>();
          for (String line : Files.readAllLines(sources, StandardCharsets.UTF_8)) {
            paths.add(Path.of(line));
          }
          entries.add(new Entry(folder, paths, size(folder)));
        }
      }
    } catch (IOException e) {
      throw new LmmException(root + ": cannot be listed: " + e.getMessage(), e);
    }
    return entries;
  }

  /**
   * Deletes what was made from files of a folder: the checkpoint's own, or a model's folder in a
   * hub's cache. Call it before the folder itself is deleted.
   *
   * @param model the folder
   * @return how many bytes were freed
   * @throws LmmException if something cannot be deleted
   */
  public long remove(Path model) {
    Path real;
    try {
      real = Check.notNull(model, "model").toRealPath();
    } catch (NoSuchFileException e) {
      real = model.toAbsolutePath().normalize();
    } catch (IOException e) {
      throw new LmmException(model + ": cannot be looked at: " + e.getMessage(), e);
    }
    long freed = 0;
    for (Entry entry : list()) {
      Path folder = real;
      if (entry.sources().stream().anyMatch(source -> source.startsWith(folder))) {
        try {
          CacheEntry.delete(entry.folder());
        } catch (IOException e) {
          throw new LmmException(
              entry.folder()
                  + ": cannot be deleted: "
                  + e.getMessage()
                  + "; is a model using it still loaded?",
              e);
        }
        freed += entry.bytes();
      }
    }
    return freed;
  }

  private static long size(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      long sum = 0;
      for (Path file : (Iterable<Path>) files::iterator) {
        sum += Files.size(file);
      }
      return sum;
    }
  }
}
