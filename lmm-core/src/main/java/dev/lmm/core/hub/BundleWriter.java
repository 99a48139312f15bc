package dev.lmm.core.hub;

import dev.lmm.Bundled;
import dev.lmm.CancelledException;
import dev.lmm.Check;
import dev.lmm.CheckpointException;
import dev.lmm.InvalidRequestException;
import dev.lmm.core.engine.NativeFiles;
import dev.lmm.core.hub.BundleManifest.PackedFile;
import dev.lmm.core.hub.BundleManifest.PackedModel;
import dev.lmm.core.hub.BundleManifest.PackedNatives;
import dev.lmm.spi.DownloadOptions;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipOutputStream;
import org.jspecify.annotations.Nullable;

/**
 * Writes a {@link Bundle}. Every file is read twice, once for its hash and once to be packed, and
 * none is held in memory. The same models and natives make the same bytes, wherever and whenever
 * they are packed.
 */
public final class BundleWriter {
  private static final int BUFFER = 1 << 20;
  private static final LocalDateTime TIME = LocalDateTime.of(1980, 1, 1, 0, 0);

  private BundleWriter() {}

  /**
   * A model to pack.
   *
   * @param id what it is to be called
   * @param folder with its files
   * @param variant of the weights, or empty
   */
  public record Source(String id, Path folder, String variant) {}

  /** Where an entry's bytes come from, and what was found when they were first read. */
  private record Entry(URL from, long bytes, long crc, String sha256) {}

  /**
   * Packs models.
   *
   * @param models at least one, of different names
   * @param natives native libraries to go with them; may be empty
   * @param out the file, overwritten once all is written
   * @param options who hears of progress (twice the bytes: read, then written), who may cancel
   * @return what was written
   * @throws InvalidRequestException if two models have one name, or the file cannot lie there
   * @throws CheckpointException if a model is not complete, or the file cannot be written
   * @throws CancelledException if it was cancelled or the thread interrupted; nothing is left
   */
  public static Bundled write(
      List<Source> models, List<NativeFiles> natives, Path out, DownloadOptions options) {
    Check.that(!models.isEmpty(), "models: is empty; expected at least one");
    Path target = out.toAbsolutePath();
    Path folder = Check.notNull(target.getParent(), "out");
    Check.that(
        Files.isDirectory(folder) && !Files.isDirectory(target),
        out
            + ": cannot be written: "
            + (Files.isDirectory(target) ? "is a folder" : "there is no folder " + folder));
    Map<String, URL> sources = new TreeMap<>();
    List<PackedModel> packedModels = new ArrayList<>();
    List<PackedNatives> packedNatives = new ArrayList<>();
    try {
      for (Source model : models) {
        Check.that(
            packedModels.stream().noneMatch(other -> other.id().equals(model.id())),
            "models: " + model.id() + " comes twice");
        String prefix = "models/" + packedModels.size() + "/";
        packedModels.add(new PackedModel(model.id(), prefix, model.variant()));
        for (String name : HubFiles.needed(model.folder(), model.variant())) {
          Check.that(
              BundleManifest.isSafe(name),
              model.folder().resolve(name) + ": not every system can have a file of this name");
          sources.put(prefix + name, model.folder().resolve(name).toUri().toURL());
        }
      }
      for (NativeFiles each : natives) {
        if (each.files().isEmpty()) {
          continue;
        }
        String prefix = "natives/" + each.library() + "/";
        packedNatives.add(
            new PackedNatives(each.library(), each.version(), each.platform(), prefix));
        each.files().forEach((name, url) -> sources.put(prefix + name, url));
      }
      long total = 0;
      for (URL url : sources.values()) {
        total += length(url);
      }
      long free = Files.getFileStore(folder).getUsableSpace();
      if (total > free) {
        throw new CheckpointException(
            String.format(
                Locale.ROOT, "%s: needs %,d bytes, and %s has %,d free", out, total, folder, free));
      }
      Bundle.Steps steps = new Bundle.Steps(options.listener(), options.cancellation(), 2 * total);
      Map<String, Entry> entries = new TreeMap<>();
      TreeMap<String, PackedFile> files = new TreeMap<>();
      for (Map.Entry<String, URL> source : sources.entrySet()) {
        Entry entry = measure(source.getValue(), steps);
        entries.put(source.getKey(), entry);
        files.put(source.getKey(), new PackedFile(entry.bytes(), entry.sha256()));
      }
      BundleManifest manifest = new BundleManifest(packedModels, packedNatives, files);
      Path partial = Files.createTempFile(folder, "." + target.getFileName(), ".part");
      try {
        write(partial, manifest.toBytes(), entries, steps);
        move(partial, target);
      } finally {
        Files.deleteIfExists(partial);
      }
      return new Bundled(
          out,
          Files.size(target),
          packedModels.stream().map(PackedModel::id).toList(),
          packedNatives.stream().map(n -> n.library() + " " + n.version()).toList());
    } catch (ClosedByInterruptException e) {
      throw new CancelledException("Packing was interrupted", e);
    } catch (IOException e) {
      throw new CheckpointException(out + ": cannot be written: " + e, e);
    }
  }

  private static void move(Path partial, Path target) throws IOException {
    if (Files.getFileStore(partial).supportsFileAttributeView("posix")) {
      // A temporary file is its owner's alone; what is handed on is as any other file.
      Files.setPosixFilePermissions(partial, PosixFilePermissions.fromString("rw-r--r--"));
    }
    Files.move(
        partial, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  private static void write(
      Path file, byte[] manifest, Map<String, Entry> entries, Bundle.Steps steps)
      throws IOException {
    try (OutputStream out = Files.newOutputStream(file);
        ZipOutputStream zip = new ZipOutputStream(new BufferedOutputStream(out, BUFFER))) {
      CRC32 crc = new CRC32();
      crc.update(manifest);
      begin(zip, BundleManifest.NAME, manifest.length, crc.getValue());
      zip.write(manifest);
      byte[] buffer = new byte[BUFFER];
      for (Map.Entry<String, Entry> each : entries.entrySet()) {
        Entry entry = each.getValue();
        begin(zip, each.getKey(), entry.bytes(), entry.crc());
        MessageDigest digest = BundledModels.sha256();
        try (InputStream in = entry.from().openStream()) {
          for (int n; (n = in.read(buffer)) >= 0; ) {
            steps.add(n);
            digest.update(buffer, 0, n);
            zip.write(buffer, 0, n);
          }
          zip.closeEntry();
        } catch (ZipException e) {
          throw changed(entry.from(), e);
        }
        if (!HexFormat.of().formatHex(digest.digest()).equals(entry.sha256())) {
          throw changed(entry.from(), null);
        }
      }
    }
  }

  private static IOException changed(URL from, @Nullable Exception why) {
    return new IOException(from + " changed while it was being packed", why);
  }

  /** An entry that is stored: what comes out of a bundle is as long as what is in it. */
  private static void begin(ZipOutputStream zip, String name, long bytes, long crc)
      throws IOException {
    ZipEntry entry = new ZipEntry(name);
    entry.setMethod(ZipEntry.STORED);
    entry.setSize(bytes);
    entry.setCompressedSize(bytes);
    entry.setCrc(crc);
    entry.setTimeLocal(TIME);
    zip.putNextEntry(entry);
  }

  private static Entry measure(URL url, Bundle.Steps steps) throws IOException {
    CRC32 crc = new CRC32();
    MessageDigest digest = BundledModels.sha256();
    long bytes = 0;
    byte[] buffer = new byte[BUFFER];
    try (InputStream in = url.openStream()) {
      for (int n; (n = in.read(buffer)) >= 0; bytes += n) {
        steps.add(n);
        crc.update(buffer, 0, n);
        digest.update(buffer, 0, n);
      }
    }
    return new Entry(url, bytes, crc.getValue(), HexFormat.of().formatHex(digest.digest()));
  }

  private static long length(URL url) throws IOException {
    if (url.getProtocol().equals("file")) {
      try {
        return Files.size(Path.of(url.toURI()));
      } catch (URISyntaxException e) {
        throw new IOException(url + " is no address", e);
      }
    }
    return url.openConnection().getContentLengthLong();
  }
}
