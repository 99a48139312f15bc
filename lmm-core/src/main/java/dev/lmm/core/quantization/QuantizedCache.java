package dev.lmm.core.quantization;

import dev.lmm.Check;
import dev.lmm.CheckpointException;
import dev.lmm.LmmException;
import dev.lmm.core.checkpoint.CheckpointWeights;
import dev.lmm.core.engine.QuantizedTensor;
import dev.lmm.core.engine.StoredTensor;
import dev.lmm.core.engine.WeightStore;
import dev.lmm.core.graph.WeightRef;
import dev.lmm.core.hub.CacheFolder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Quantized weights on disk, below the library's own cache folder ({@link CacheFolder}, part {@code
 * quantized}), never inside a hub's. An entry is a folder whose name is a hash over what it was
 * made from: each source file (by the hash in its name if it lies in a hub's cache, else by path,
 * size and time of change), the weights and their recipes. It holds one safetensors file and a list
 * of the source files. Entries appear whole or not at all: they are written beside and renamed.
 * Thread-safe; processes may share it.
 */
public final class QuantizedCache {
  /** Raised whenever equal recipes give other bytes than before. */
  private static final String FORMAT = "lmm quantized 1";

  private static final String WEIGHTS = "weights.safetensors";
  private static final String SOURCES = "sources.txt";
  private static final Pattern BLOB = Pattern.compile("[0-9a-f]{64}");
  private static final Logger LOG = LoggerFactory.getLogger(QuantizedCache.class);
  private static final Map<Path, Object> LOCKS = new ConcurrentHashMap<>();

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
    Map<String, Piece> pieces = new TreeMap<>();
    Map<WeightRef, Names> names = new LinkedHashMap<>();
    SortedSet<Path> sources = new TreeSet<>();
    recipes.forEach(
        (ref, recipe) -> {
          names.put(ref, Names.of(ref));
          plan(ref, recipe, pieces);
          sources.add(checkpoint.locate(ref.name()).file());
        });
    Path entry = root.resolve(key(sources, recipes));
    synchronized (LOCKS.computeIfAbsent(entry, path -> new Object())) {
      try {
        CheckpointWeights file = existing(entry, pieces);
        if (file == null) {
          long start = System.nanoTime();
          QuantizeEvent event = new QuantizeEvent();
          event.begin();
          make(entry, checkpoint, recipes, pieces, sources);
          event.end();
          if (event.shouldCommit()) {
            event.checkpoint = checkpoint.description();
            event.weights = recipes.size();
            event.bytes = pieces.values().stream().mapToLong(Piece::bytes).sum();
            event.commit();
          }
          LOG.info(
              "Quantized {} weights of {} into {} in {} ms",
              recipes.size(),
              checkpoint.description(),
              entry,
              (System.nanoTime() - start) / 1_000_000);
          file = existing(entry, pieces);
        }
        if (file == null) {
          throw new LmmException(entry + ": was made and is gone; is another process cleaning up?");
        }
        return new QuantizedWeights(checkpoint, file, tensors(recipes, names, file));
      } catch (IOException | UncheckedIOException e) {
        throw new LmmException(
            root
                + ": quantized weights cannot be kept here: "
                + e.getMessage()
                + "; name another folder by LMM_CACHE or the system property lmm.cache",
            e);
      }
    }
  }

  // Names and sizes.

  /** A tensor of the file. */
  @SuppressWarnings("ArrayRecordComponent") // a carrier, never compared
  private record Piece(String dtype, long[] shape, long bytes) {}

  /** What the tensors of one weight are called. */
  private record Names(String codes, String scales, String zeros) {
    static Names of(WeightRef ref) {
      String base = ref.toString();
      return new Names(base + ".codes", base + ".scales", base + ".zeros");
    }
  }

  private static void plan(WeightRef ref, Recipe recipe, Map<String, Piece> pieces) {
    long rows = ref.view()[0];
    long columns = ref.view()[1];
    Names names = Names.of(ref);
    if (recipe.layout() == QuantizedTensor.Layout.COLUMNS) {
      pieces.put(names.codes(), new Piece("I8", new long[] {columns, rows}, columns * rows));
      pieces.put(names.scales(), new Piece("F32", new long[] {rows}, rows * Float.BYTES));
      return;
    }
    long blocks = (columns + recipe.block() - 1) / recipe.block();
    long width = (long) recipe.block() * recipe.bits() / 8;
    pieces.put(
        names.codes(), new Piece("U8", new long[] {rows, blocks, width}, rows * blocks * width));
    pieces.put(
        names.scales(), new Piece("F32", new long[] {rows, blocks}, rows * blocks * Float.BYTES));
    if (recipe.zeroPoints()) {
      long bytes = (blocks * recipe.bits() + 7) / 8;
      pieces.put(names.zeros(), new Piece("U8", new long[] {rows, bytes}, rows * bytes));
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
                  recipe.zeroPoints() ? file.locate(own.zeros()) : null));
        });
    return tensors;
  }

  private static String key(SortedSet<Path> sources, Map<WeightRef, Recipe> recipes) {
    StringBuilder text = new StringBuilder(FORMAT).append('\n');
    for (Path source : sources) {
      text.append(identity(source)).append('\n');
    }
    TreeSet<String> lines = new TreeSet<>();
    recipes.forEach((ref, recipe) -> lines.add(ref + " " + recipe.id()));
    lines.forEach(line -> text.append(line).append('\n'));
    return hash(text.toString()).substring(0, 40);
  }

  private static String identity(Path source) {
    try {
      Path real = source.toRealPath();
      String name = real.getFileName().toString();
      Path parent = real.getParent();
      if (BLOB.matcher(name).matches()
          && parent != null
          && parent.getFileName() != null
          && parent.getFileName().toString().equals("blobs")) {
        return "sha256 " + name;
      }
      FileTime changed = Files.getLastModifiedTime(real);
      return real + " " + Files.size(real) + " " + changed;
    } catch (IOException e) {
      throw new CheckpointException(source + ": cannot be looked at: " + e.getMessage(), e);
    }
  }

  private static String hash(String text) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java has SHA-256", e);
    }
  }

  // Files.

  /**
   * The file of an entry, or null if there is none or it is damaged, in which case it is removed.
   */
  private static @Nullable CheckpointWeights existing(Path entry, Map<String, Piece> pieces)
      throws IOException {
    Path file = entry.resolve(WEIGHTS);
    if (!Files.isRegularFile(file)) {
      return null;
    }
    String damage;
    try {
      CheckpointWeights weights = CheckpointWeights.ofSafetensors(file.toString(), List.of(file));
      damage = difference(weights, pieces);
      if (damage == null) {
        return weights;
      }
      weights.close();
    } catch (CheckpointException e) {
      damage = e.getMessage();
    }
    LOG.warn("{} is damaged and will be made again: {}", entry, damage);
    delete(entry);
    return null;
  }

  private static @Nullable String difference(CheckpointWeights weights, Map<String, Piece> pieces) {
    if (!weights.names().equals(pieces.keySet())) {
      return "it holds other tensors than its name says";
    }
    for (Map.Entry<String, Piece> piece : pieces.entrySet()) {
      StoredTensor found = weights.locate(piece.getKey());
      if (!found.dtype().name().equals(piece.getValue().dtype())
          || !Arrays.equals(found.shape(), piece.getValue().shape())) {
        return found + " should be " + Arrays.toString(piece.getValue().shape());
      }
    }
    return null;
  }

  private void make(
      Path entry,
      WeightStore checkpoint,
      Map<WeightRef, Recipe> recipes,
      Map<String, Piece> pieces,
      SortedSet<Path> sources)
      throws IOException {
    Files.createDirectories(root);
    Path beside = Files.createTempDirectory(root, "making-");
    try {
      Map<String, Long> places = new LinkedHashMap<>();
      byte[] header = header(pieces, places);
      long size = header.length + pieces.values().stream().mapToLong(Piece::bytes).sum();
      long room = Files.getFileStore(root).getUsableSpace();
      if (room < size) {
        throw new IOException(size + " bytes are needed, " + room + " are free");
      }
      try (FileChannel out =
          FileChannel.open(
              beside.resolve(WEIGHTS), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
        write(out, 0, header);
        recipes.forEach(
            (ref, recipe) -> {
              Names names = Names.of(ref);
              long base = header.length;
              Quantizer.quantize(
                  checkpoint,
                  ref,
                  recipe,
                  out,
                  new Quantizer.Target(
                      base + Check.notNull(places.get(names.codes()), names.codes()),
                      base + Check.notNull(places.get(names.scales()), names.scales()),
                      base + places.getOrDefault(names.zeros(), 0L)));
            });
        out.force(true);
      }
      StringBuilder list = new StringBuilder();
      for (Path source : sources) {
        list.append(source.toRealPath()).append('\n');
      }
      Files.writeString(beside.resolve(SOURCES), list, StandardCharsets.UTF_8);
      try {
        Files.move(beside, entry, StandardCopyOption.ATOMIC_MOVE);
      } catch (IOException e) {
        // Another process was faster; what it made is the same.
        if (!Files.isRegularFile(entry.resolve(WEIGHTS))) {
          throw e;
        }
      }
    } finally {
      delete(beside);
    }
  }

  private static void write(FileChannel out, long position, byte[] bytes) throws IOException {
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    while (buffer.hasRemaining()) {
      position += out.write(buffer, position);
    }
  }

  /** The header of the safetensors file, and where each tensor will be behind it. */
  private static byte[] header(Map<String, Piece> pieces, Map<String, Long> places) {
    StringBuilder json = new StringBuilder("{\"__metadata__\":{\"format\":\"" + FORMAT + "\"}");
    long end = 0;
    for (Map.Entry<String, Piece> entry : pieces.entrySet()) {
      Piece piece = entry.getValue();
      places.put(entry.getKey(), end);
      json.append(',');
      quoted(entry.getKey(), json);
      json.append(":{\"dtype\":\"")
          .append(piece.dtype())
          .append("\",\"shape\":")
          .append(Arrays.toString(piece.shape()).replace(" ", ""))
          .append(",\"data_offsets\":[")
          .append(end)
          .append(',')
          .append(end + piece.bytes())
          .append("]}");
      end += piece.bytes();
    }
    byte[] text = json.append('}').toString().getBytes(StandardCharsets.UTF_8);
    int length = (text.length + 63) / 64 * 64 - 8 + 64;
    byte[] header = new byte[8 + length];
    Arrays.fill(header, (byte) ' ');
    ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN).putLong(length);
    System.arraycopy(text, 0, header, 8, text.length);
    return header;
  }

  private static void quoted(String text, StringBuilder json) {
    json.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"' || c == '\\') {
        json.append('\\').append(c);
      } else if (c < 0x20) {
        json.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
      } else {
        json.append(c);
      }
    }
    json.append('"');
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
        Path sources = folder.resolve(SOURCES);
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
          delete(entry.folder());
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

  private static void delete(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      return;
    }
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
      for (Path file : files) {
        Files.deleteIfExists(file);
      }
    }
    Files.deleteIfExists(folder);
  }
}
