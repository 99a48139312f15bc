package dev.lmm.core.hub;

import dev.lmm.CheckpointException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Takes bundled models out of their jars, into a cache of this library's own, for engines map
 * weights from files. A cached model is used if every file has the hash its jar states; otherwise
 * it is taken out again. Taking out is atomic: several processes may do it at once.
 */
public final class BundledModels {
  private BundledModels() {}

  /**
   * The models on the class path.
   *
   * @return their names, sorted
   */
  public static List<String> names() {
    return List.copyOf(all().keySet());
  }

  /**
   * The folder of a bundled model, taken out if it is not there yet.
   *
   * @param name the model
   * @return its folder, or null if no such model is on the class path
   * @throws CheckpointException if it cannot be written, or its jar is damaged
   */
  public static @Nullable Path find(String name) {
    BundledModel model = all().get(name);
    return model == null ? null : unpacked(model);
  }

  private static Map<String, BundledModel> all() {
    Map<String, BundledModel> models = new TreeMap<>();
    for (BundledModel model :
        ServiceLoader.load(BundledModel.class, BundledModels.class.getClassLoader())) {
      models.put(model.name(), model);
    }
    return models;
  }

  private static Path unpacked(BundledModel model) {
    Map<String, String> files = new TreeMap<>(model.files());
    MessageDigest all = sha256();
    files.forEach(
        (file, hash) -> all.update((file + "\n" + hash + "\n").getBytes(StandardCharsets.UTF_8)));
    String key = HexFormat.of().formatHex(all.digest(), 0, 8);
    Path cache = CacheFolder.of("bundled");
    Path folder = cache.resolve(model.name() + "-" + key);
    try {
      if (intact(folder, files)) {
        return folder;
      }
      Files.createDirectories(cache);
      Path fresh = Files.createTempDirectory(cache, model.name() + "-");
      try {
        for (Map.Entry<String, String> file : files.entrySet()) {
          copy(model, file.getKey(), file.getValue(), fresh);
        }
        replace(folder, fresh, files);
      } finally {
        delete(fresh);
      }
      return folder;
    } catch (IOException e) {
      throw new CheckpointException(
          folder
              + ": the bundled model "
              + model.name()
              + " cannot be taken out: "
              + e.getMessage()
              + "; set LMM_CACHE to a folder that can be written",
          e);
    }
  }

  private static void replace(Path folder, Path fresh, Map<String, String> files)
      throws IOException {
    for (int attempt = 0; ; attempt++) {
      try {
        Files.move(fresh, folder, StandardCopyOption.ATOMIC_MOVE);
        return;
      } catch (FileAlreadyExistsException | DirectoryNotEmptyException e) {
        // Another process was quicker, or what is there is damaged.
        if (intact(folder, files)) {
          return;
        }
        if (attempt == 3) {
          throw e;
        }
        delete(folder);
      }
    }
  }

  private static void copy(BundledModel model, String file, String hash, Path folder)
      throws IOException {
    Path target = folder.resolve(file).normalize();
    if (!target.startsWith(folder)) {
      throw new CheckpointException(
          model.name() + ": file name " + file + " leaves the model's folder");
    }
    Files.createDirectories(target.getParent());
    MessageDigest digest = sha256();
    try (InputStream in = new DigestInputStream(model.open(file), digest);
        OutputStream out = Files.newOutputStream(target)) {
      in.transferTo(out);
    }
    String found = HexFormat.of().formatHex(digest.digest());
    if (!found.equals(hash)) {
      throw new CheckpointException(
          model.name() + ": " + file + " has SHA-256 " + found + "; its jar states " + hash);
    }
  }

  private static boolean intact(Path folder, Map<String, String> files) throws IOException {
    if (!Files.isDirectory(folder)) {
      return false;
    }
    for (Map.Entry<String, String> entry : files.entrySet()) {
      Path file = folder.resolve(entry.getKey());
      if (!Files.isRegularFile(file)) {
        return false;
      }
      MessageDigest digest = sha256();
      try (InputStream in = new DigestInputStream(Files.newInputStream(file), digest)) {
        in.transferTo(OutputStream.nullOutputStream());
      }
      if (!HexFormat.of().formatHex(digest.digest()).equals(entry.getValue())) {
        return false;
      }
    }
    return true;
  }

  static void delete(Path folder) throws IOException {
    if (!Files.exists(folder)) {
      return;
    }
    try (Stream<Path> paths = Files.walk(folder)) {
      for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(path);
      }
    }
  }

  static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every Java platform has SHA-256", e);
    }
  }
}
