package dev.lmm.core.quantization;

import dev.lmm.Check;
import dev.lmm.CheckpointException;
import dev.lmm.LmmException;
import dev.lmm.core.checkpoint.CheckpointWeights;
import dev.lmm.core.engine.StoredTensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SortedSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An entry of {@link QuantizedCache}: a folder named after what it is made from, with one
 * safetensors file and a list of the source files. It appears whole or not at all.
 */
final class CacheEntry {
  /** Raised whenever equal recipes give other bytes than before. */
  private static final String FORMAT = "lmm quantized 1";

  static final String SOURCES = "sources.txt";
  private static final String WEIGHTS = "weights.safetensors";
  private static final Pattern BLOB = Pattern.compile("[0-9a-f]{64}");
  private static final Logger LOG = LoggerFactory.getLogger(QuantizedCache.class);
  private static final Map<Path, Object> LOCKS = new ConcurrentHashMap<>();

  private final Path root;
  private final Path folder;
  private final SortedSet<Path> sources;
  private final Map<String, Piece> pieces;

  /** A tensor of the file. */
  @SuppressWarnings("ArrayRecordComponent") // a carrier, never compared
  record Piece(String dtype, long[] shape, long bytes) {}

  /** Where the tensors of the file begin, in bytes from its start. */
  interface Places {
    long of(String piece);
  }

  /** Writes the tensors' elements. */
  interface Writer {
    void write(FileChannel out, Places places);
  }

  /**
   * An entry, which may exist or not.
   *
   * @param root the cache's folder
   * @param sources the files it is made from
   * @param recipes what is made of them, sorted
   * @param pieces the tensors of its file, by name
   */
  CacheEntry(
      Path root, SortedSet<Path> sources, SortedSet<String> recipes, Map<String, Piece> pieces) {
    this.root = root;
    this.folder = root.resolve(key(sources, recipes));
    this.sources = sources;
    this.pieces = pieces;
  }

  /**
   * The file's tensors; they are made if they are not there.
   *
   * @param checkpoint what to call the source in messages
   * @param weights how many weights they stand for
   * @param writer makes them
   * @return the tensors, to be closed
   * @throws LmmException if the cache cannot be written; says what to do
   */
  CheckpointWeights open(String checkpoint, int weights, Writer writer) {
    synchronized (LOCKS.computeIfAbsent(folder, path -> new Object())) {
      try {
        CheckpointWeights file = existing();
        if (file == null) {
          long start = System.nanoTime();
          QuantizeEvent event = new QuantizeEvent();
          event.begin();
          make(writer);
          event.end();
          if (event.shouldCommit()) {
            event.checkpoint = checkpoint;
            event.weights = weights;
            event.bytes = pieces.values().stream().mapToLong(Piece::bytes).sum();
            event.commit();
          }
          LOG.info(
              "Quantized {} weights of {} into {} in {} ms",
              weights,
              checkpoint,
              folder,
              (System.nanoTime() - start) / 1_000_000);
          file = existing();
        }
        if (file == null) {
          throw new LmmException(
              folder + ": was made and is gone; is another process cleaning up?");
        }
        return file;
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

  private static String key(SortedSet<Path> sources, SortedSet<String> recipes) {
    StringBuilder text = new StringBuilder(FORMAT).append('\n');
    for (Path source : sources) {
      text.append(identity(source)).append('\n');
    }
    recipes.forEach(line -> text.append(line).append('\n'));
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
  private @Nullable CheckpointWeights existing() throws IOException {
    Path file = folder.resolve(WEIGHTS);
    if (!Files.isRegularFile(file)) {
      return null;
    }
    String damage;
    try {
      CheckpointWeights weights = CheckpointWeights.ofSafetensors(file.toString(), List.of(file));
      damage = difference(weights);
      if (damage == null) {
        return weights;
      }
      weights.close();
    } catch (CheckpointException e) {
      damage = e.getMessage();
    }
    LOG.warn("{} is damaged and will be made again: {}", folder, damage);
    delete(folder);
    return null;
  }

  private @Nullable String difference(CheckpointWeights weights) {
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

  private void make(Writer writer) throws IOException {
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
        long base = header.length;
        writer.write(out, name -> base + Check.notNull(places.get(name), name));
        out.force(true);
      }
      StringBuilder list = new StringBuilder();
      for (Path source : sources) {
        list.append(source.toRealPath()).append('\n');
      }
      Files.writeString(beside.resolve(SOURCES), list, StandardCharsets.UTF_8);
      try {
        Files.move(beside, folder, StandardCopyOption.ATOMIC_MOVE);
      } catch (IOException e) {
        // Another process was faster; what it made is the same.
        if (!Files.isRegularFile(folder.resolve(WEIGHTS))) {
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

  static void delete(Path folder) throws IOException {
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
