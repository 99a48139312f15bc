package dev.lmm.core.hub;

import dev.lmm.Cancellation;
import dev.lmm.CancelledException;
import dev.lmm.Check;
import dev.lmm.CheckpointException;
import dev.lmm.EngineException;
import dev.lmm.ModelNotFoundException;
import dev.lmm.ProgressListener;
import dev.lmm.core.engine.Engine;
import dev.lmm.core.engine.Engines;
import dev.lmm.core.engine.NativeFiles;
import dev.lmm.core.engine.Platform;
import dev.lmm.core.hub.BundleManifest.PackedFile;
import dev.lmm.core.hub.BundleManifest.PackedModel;
import dev.lmm.core.hub.BundleManifest.PackedNatives;
import dev.lmm.core.internal.ZipDirectory;
import dev.lmm.core.text.TokenizerNatives;
import dev.lmm.spi.DownloadOptions;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A file that holds models, the native libraries they need, and a manifest with the hash of each
 * file: what {@code lmm bundle} writes, for machines without network.
 *
 * <p>It is a zip whose entries are stored, so that nothing in it is larger than it looks. A bundle
 * comes from a stranger: its manifest and its directory must agree on every name, length and hash,
 * names must stay in their folder on every system, and what is unpacked is hashed as it is written.
 * Unpacking goes into the library's own cache, under a name that is the manifest's hash, and is
 * atomic: several processes may do it at once. What lies there is used again if lengths and times
 * are those it was written with; a file of another time is hashed again.
 *
 * <p>Immutable; thread-safe.
 */
public final class Bundle {
  private static final int BUFFER = 1 << 20;
  private static final String STORED = "a stored entry, as lmm bundle writes them";
  private static final String DAMAGED = "; the bundle is damaged: copy or make it again";
  // Of every unpacked file: a file that was written to since has another time.
  private static final FileTime WRITTEN = FileTime.from(Instant.parse("1980-01-01T00:00:00Z"));
  // What others may write to the disk meanwhile.
  private static final long SPARE_DISK = 16L << 20;

  private final Path file;
  private final BundleManifest manifest;
  private final String key;

  private Bundle(Path file, BundleManifest manifest, String key) {
    this.file = file;
    this.manifest = manifest;
    this.key = key;
  }

  /**
   * A model of a bundle as it lies unpacked.
   *
   * @param folder with its files
   * @param variant of its weights, or empty
   */
  public record Unpacked(Path folder, String variant) {}

  /**
   * The bundle that an id names, if it names one: a file, or a file and one of its models, {@code
   * FILE#MODEL}.
   *
   * @param id what a caller loads
   * @param options whether every file is hashed again; who hears of progress, who may cancel
   * @return the model, unpacked now if need be; null if the id names no file
   * @throws CheckpointException if the bundle is broken, or cannot be unpacked
   * @throws ModelNotFoundException if it has no such model, or several and none is named
   * @throws CancelledException if it was cancelled or the thread interrupted
   */
  public static @Nullable Unpacked find(String id, DownloadOptions options) {
    String model = null;
    Path file = regularFile(id);
    int mark = id.lastIndexOf('#');
    if (file == null && mark > 0) {
      file = regularFile(id.substring(0, mark));
      model = id.substring(mark + 1);
    }
    if (file == null) {
      return null;
    }
    Bundle bundle = open(file);
    PackedModel packed = bundle.model(model);
    Path folder = bundle.unpacked(packed.folder(), options);
    return new Unpacked(folder, packed.variant());
  }

  private static @Nullable Path regularFile(String id) {
    try {
      Path path = Path.of(id);
      return Files.isRegularFile(path) ? path : null;
    } catch (InvalidPathException e) {
      return null;
    }
  }

  /**
   * Reads what a bundle holds, and compares it with the file's own directory. The files in it are
   * hashed when they are unpacked.
   *
   * @param file the bundle
   * @return what it holds
   * @throws CheckpointException if it is none, or manifest and directory differ
   */
  public static Bundle open(Path file) {
    Check.notNull(file, "file");
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      ByteBuffer first = ByteBuffer.allocate(4);
      while (first.hasRemaining() && channel.read(first, first.position()) >= 0) {}
      if (!HexFormat.of().formatHex(first.array()).equals("504b0304")) {
        throw new CheckpointException(
            file
                + ": is a file, but no bundle; expected a folder with config.json, a bundle that"
                + " lmm bundle has written, or a hub id");
      }
      ZipDirectory zip = ZipDirectory.read(file, channel);
      ZipDirectory.Entry entry = zip.find(BundleManifest.NAME);
      if (entry == null) {
        throw new CheckpointException(
            file + ": is a zip without " + BundleManifest.NAME + "; expected a bundle");
      }
      if (entry.length() > BundleManifest.LARGEST) {
        throw new CheckpointException(
            file
                + ": "
                + BundleManifest.NAME
                + " has "
                + entry.length()
                + " bytes; expected at most "
                + BundleManifest.LARGEST);
      }
      ByteBuffer bytes = ByteBuffer.allocate((int) entry.length());
      long begin = zip.offset(entry, STORED);
      while (bytes.hasRemaining()) {
        read(channel, bytes, begin + bytes.position());
      }
      BundleManifest manifest =
          BundleManifest.parse(bytes.array(), file + ": " + BundleManifest.NAME);
      compare(file, manifest, zip);
      MessageDigest digest = BundledModels.sha256();
      return new Bundle(
          file, manifest, HexFormat.of().formatHex(digest.digest(bytes.array()), 0, 16));
    } catch (IOException e) {
      throw new CheckpointException(file + ": cannot be read: " + e, e);
    }
  }

  /** Manifest and directory must name the same files, and none may lie in another. */
  private static void compare(Path file, BundleManifest manifest, ZipDirectory zip)
      throws IOException {
    for (String name : zip.entries().keySet()) {
      if (!name.equals(BundleManifest.NAME) && !manifest.files().containsKey(name)) {
        throw new CheckpointException(
            file
                + ": has the entry "
                + (name.length() > 500 ? name.substring(0, 500) + "…" : name)
                + ", which "
                + BundleManifest.NAME
                + " does not list");
      }
    }
    TreeMap<Long, ZipDirectory.Entry> places = new TreeMap<>();
    for (ZipDirectory.Entry entry : zip.entries().values()) {
      zip.offset(entry, STORED);
      ZipDirectory.Entry same = places.put(entry.header(), entry);
      if (same != null) {
        throw overlap(file, same, entry);
      }
    }
    long end = 0;
    ZipDirectory.Entry before = null;
    for (ZipDirectory.Entry entry : places.values()) {
      if (before != null && entry.header() < end) {
        throw overlap(file, before, entry);
      }
      end = zip.offset(entry, STORED) + entry.length();
      before = entry;
    }
    for (Map.Entry<String, PackedFile> listed : manifest.files().entrySet()) {
      ZipDirectory.Entry entry = zip.find(listed.getKey());
      if (entry == null) {
        throw new CheckpointException(
            file
                + ": lacks "
                + listed.getKey()
                + ", which "
                + BundleManifest.NAME
                + " lists"
                + DAMAGED);
      }
      if (entry.length() != listed.getValue().bytes()) {
        throw new CheckpointException(
            file
                + ": "
                + listed.getKey()
                + " has "
                + entry.length()
                + " bytes; "
                + BundleManifest.NAME
                + " says bytes: "
                + listed.getValue().bytes()
                + DAMAGED);
      }
    }
  }

  private static CheckpointException overlap(
      Path file, ZipDirectory.Entry one, ZipDirectory.Entry other) {
    return new CheckpointException(
        file
            + ": the entries "
            + one.name()
            + " and "
            + other.name()
            + " overlap; expected each to have bytes of its own");
  }

  /**
   * The models.
   *
   * @return their names, in the order they were packed
   */
  public List<String> models() {
    return manifest.models().stream().map(PackedModel::id).toList();
  }

  private PackedModel model(@Nullable String name) {
    List<PackedModel> models = manifest.models();
    if (name == null && models.size() == 1) {
      return models.get(0);
    }
    for (PackedModel model : models) {
      // A commit need not be repeated.
      if (model.id().equals(name) || model.id().startsWith(name + "@")) {
        return model;
      }
    }
    throw new ModelNotFoundException(
        file
            + ": holds "
            + models()
            + (name == null ? "; name one of them" : ", not " + name)
            + ": "
            + file
            + "#"
            + models.get(0).id());
  }

  /**
   * Lets this process load the bundle's native libraries, which have to be those of this platform
   * and of the versions the Java code was made for. To be called before anything is loaded.
   *
   * <p><b>Native libraries are code</b>: only for a bundle that was made by somebody you trust and
   * has come unchanged.
   *
   * @return the libraries that will be loaded from the bundle
   * @throws EngineException if it has none, they are of another platform or version, or others have
   *     been loaded already
   * @throws CheckpointException if the bundle is broken, or cannot be unpacked
   */
  public List<String> useNatives() {
    if (manifest.natives().isEmpty()) {
      throw new EngineException(file + ": has no native libraries; it was made without");
    }
    Map<String, Engine> engines = new TreeMap<>();
    Map<String, NativeFiles> known = new TreeMap<>();
    for (Engine engine : Engines.all()) {
      engine
          .natives()
          .ifPresent(
              natives -> {
                engines.put(natives.library(), engine);
                known.put(natives.library(), natives);
              });
    }
    NativeFiles tokenizers = TokenizerNatives.find();
    known.put(tokenizers.library(), tokenizers);
    String platform = Platform.current().label();
    List<PackedNatives> used =
        manifest.natives().stream().filter(n -> known.containsKey(n.library())).toList();
    for (PackedNatives natives : used) {
      if (!natives.platform().equals(platform)) {
        throw new EngineException(
            file
                + ": natives of "
                + natives.library()
                + " are for the platform "
                + natives.platform()
                + "; this is "
                + platform
                + ": make the bundle on such a machine");
      }
      String wanted = Check.notNull(known.get(natives.library()), "natives").version();
      if (!natives.version().equals(wanted)) {
        throw new EngineException(
            file
                + ": natives of "
                + natives.library()
                + " have version "
                + natives.version()
                + "; the jars on the class path need "
                + wanted);
      }
    }
    for (PackedNatives natives : used) {
      Path folder = unpacked(natives.folder(), DownloadOptions.DEFAULT);
      Engine engine = engines.get(natives.library());
      if (!(engine == null ? TokenizerNatives.use(folder) : engine.useNatives(folder))) {
        throw new EngineException(
            file
                + ": natives of "
                + natives.library()
                + " have been loaded from elsewhere already; ask for the bundle's before anything"
                + " is loaded");
      }
    }
    return used.stream().map(PackedNatives::library).toList();
  }

  // Unpacking.

  private Path unpacked(String prefix, DownloadOptions options) {
    TreeMap<String, PackedFile> files = new TreeMap<>();
    manifest
        .files()
        .forEach(
            (name, about) -> {
              if (name.startsWith(prefix)) {
                files.put(name.substring(prefix.length()), about);
              }
            });
    Path cache = CacheFolder.of("bundles");
    Path folder = cache.resolve(key + "-" + prefix.replace('/', '-').replaceAll("-$", ""));
    Cancellation cancellation = options.cancellation();
    try {
      if (intact(folder, files, options.verified())) {
        return folder;
      }
      Path lock = cache.resolve(".locks").resolve(folder.getFileName() + ".lock");
      try (BlobLock held = BlobLock.take(lock, cancellation)) {
        // Another may have done it meanwhile.
        if (held.isExclusive() && intact(folder, files, options.verified())) {
          return folder;
        }
        Path fresh = Files.createTempDirectory(cache, ".unpacking");
        try {
          unpack(prefix, files, fresh, options);
          replace(fresh, folder, files, options.verified());
        } finally {
          BundledModels.delete(fresh);
        }
      }
      return folder;
    } catch (ClosedByInterruptException e) {
      throw new CancelledException("Unpacking was interrupted", e);
    } catch (IOException e) {
      throw new CheckpointException(
          file
              + ": cannot be unpacked into "
              + folder
              + ": "
              + e
              + "; set LMM_CACHE to a folder that can be written",
          e);
    }
  }

  private void unpack(
      String prefix, Map<String, PackedFile> files, Path folder, DownloadOptions options)
      throws IOException {
    long total = files.values().stream().mapToLong(PackedFile::bytes).sum();
    long free = Files.getFileStore(folder).getUsableSpace();
    if (total > free - SPARE_DISK) {
      throw new CheckpointException(
          String.format(
              Locale.ROOT,
              "%s: needs %,d bytes when it is unpacked, and %s has %,d free; make room, or set"
                  + " LMM_CACHE to another disk",
              file,
              total,
              folder.getParent(),
              free));
    }
    Steps steps = new Steps(options.listener(), options.cancellation(), total);
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      ZipDirectory zip = ZipDirectory.read(file, channel);
      ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER);
      for (Map.Entry<String, PackedFile> each : files.entrySet()) {
        String name = prefix + each.getKey();
        ZipDirectory.Entry entry = zip.find(name);
        // The file was opened anew, and may be another by now.
        if (entry == null || entry.length() != each.getValue().bytes()) {
          throw new CheckpointException(file + ": " + name + " has changed since it was opened");
        }
        Path target = folder.resolve(each.getKey());
        Files.createDirectories(target.getParent());
        String hash =
            copy(channel, zip.offset(entry, STORED), entry.length(), target, buffer, steps);
        if (!hash.equals(each.getValue().sha256())) {
          throw new CheckpointException(
              file
                  + ": "
                  + name
                  + " has the SHA-256 "
                  + hash
                  + "; "
                  + BundleManifest.NAME
                  + " says sha256: "
                  + each.getValue().sha256()
                  + DAMAGED);
        }
        Files.setLastModifiedTime(target, WRITTEN);
      }
    }
  }

  private static String copy(
      FileChannel from, long begin, long length, Path target, ByteBuffer buffer, Steps steps)
      throws IOException {
    MessageDigest digest = BundledModels.sha256();
    try (FileChannel out =
        FileChannel.open(target, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      for (long done = 0; done < length; ) {
        buffer.clear().limit((int) Math.min(BUFFER, length - done));
        read(from, buffer, begin + done);
        buffer.flip();
        done += buffer.remaining();
        digest.update(buffer.duplicate());
        steps.add(buffer.remaining());
        while (buffer.hasRemaining()) {
          out.write(buffer);
        }
      }
      // On disk before it is seen: a power cut must not leave half a file behind.
      out.force(true);
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  private static void read(FileChannel channel, ByteBuffer buffer, long position)
      throws IOException {
    if (channel.read(buffer, position) < 0) {
      throw new EOFException("the file ended at byte " + position);
    }
  }

  private static void replace(
      Path fresh, Path folder, Map<String, PackedFile> files, boolean hashed) throws IOException {
    for (int attempt = 0; ; attempt++) {
      try {
        Files.move(fresh, folder, StandardCopyOption.ATOMIC_MOVE);
        return;
      } catch (AtomicMoveNotSupportedException e) {
        throw e;
      } catch (IOException occupied) {
        // Another process was quicker, or what is there is damaged.
        if (intact(folder, files, hashed)) {
          return;
        }
        if (attempt == 3) {
          throw occupied;
        }
        BundledModels.delete(folder);
      }
    }
  }

  private static boolean intact(Path folder, Map<String, PackedFile> files, boolean hashed)
      throws IOException {
    if (!Files.isDirectory(folder)) {
      return false;
    }
    for (Map.Entry<String, PackedFile> each : files.entrySet()) {
      Path path = folder.resolve(each.getKey());
      if (!Files.isRegularFile(path) || Files.size(path) != each.getValue().bytes()) {
        return false;
      }
      if (hashed || !Files.getLastModifiedTime(path).equals(WRITTEN)) {
        if (!hash(path, new Steps(null, null, 0)).equals(each.getValue().sha256())) {
          return false;
        }
        Files.setLastModifiedTime(path, WRITTEN);
      }
    }
    return true;
  }

  static String hash(Path path, Steps steps) throws IOException {
    MessageDigest digest = BundledModels.sha256();
    ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER);
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      while (channel.read(buffer.clear()) >= 0) {
        buffer.flip();
        steps.add(buffer.remaining());
        digest.update(buffer);
      }
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  /** Tells how far it has come, and stops when told to. */
  static final class Steps {
    private final @Nullable ProgressListener listener;
    private final @Nullable Cancellation cancellation;
    private final long total;
    private long done;
    private long told;

    Steps(@Nullable ProgressListener listener, @Nullable Cancellation cancellation, long total) {
      this.listener = listener;
      this.cancellation = cancellation;
      this.total = total;
    }

    void add(long bytes) {
      if (cancellation != null) {
        cancellation.check();
      }
      done += bytes;
      long now = System.nanoTime();
      if (listener != null && (done == total || now - told > 250_000_000L)) {
        told = now;
        listener.progress(done, total);
      }
    }
  }
}
