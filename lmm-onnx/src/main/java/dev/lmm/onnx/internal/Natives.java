package dev.lmm.onnx.internal;

import ai.onnxruntime.OrtEnvironment;
import dev.lmm.core.engine.NativeFiles;
import dev.lmm.core.engine.Platform;
import dev.lmm.core.hub.CacheFolder;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.JarURLConnection;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLConnection;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings the runtime's native libraries out of their jar, once for each user and version, into a
 * folder that later processes load from at once. Left to itself the runtime unpacks them at every
 * start, into a temporary folder.
 *
 * <p>Nothing of the runtime may be initialised before {@link #prepare}.
 */
final class Natives {
  private static final Logger LOG = LoggerFactory.getLogger(Natives.class);

  /** The runtime's own property: the folder to load from. */
  private static final String PATH_PROPERTY = "onnxruntime.native.path";

  private static final List<String> NAMES = List.of("onnxruntime", "onnxruntime4j_jni");

  private static final String RECORD = "unpacked.properties";

  /**
   * A library that holds this name sends usage data unless a variable of this name is set before it
   * is loaded, which no Java code can do.
   */
  private static final byte[] TELEMETRY_SWITCH =
      "ORT_DISABLE_TELEMETRY".getBytes(StandardCharsets.US_ASCII);

  private Natives() {}

  /**
   * What was found.
   *
   * @param usable whether the libraries may be loaded
   * @param detail the folder, or why not
   */
  record Found(boolean usable, String detail) {}

  /** Makes the libraries ready to load. Not to be called by two threads at once. */
  static Found prepare() {
    return prepare(Platform.current(), System.getenv());
  }

  static Found prepare(Platform machine, Map<String, String> environment) {
    String platform = platform(machine);
    String own = System.getProperty(PATH_PROPERTY);
    if (own != null) {
      return checked(Path.of(own), platform, environment);
    }
    List<URL> libraries = platform == null ? List.of() : libraries(platform);
    if (platform == null || libraries.isEmpty()) {
      return new Found(false, missing(machine));
    }
    try {
      Path folder = unpacked(CacheFolder.of("natives"), libraries);
      Properties record = read(folder.resolve(RECORD));
      if (sends(platform, environment, Boolean.parseBoolean(record.getProperty("telemetry")))) {
        return new Found(false, refusal(folder.toString()));
      }
      System.setProperty(PATH_PROPERTY, folder.toString());
      return new Found(true, folder.toString());
    } catch (IOException | UncheckedIOException | SecurityException e) {
      LOG.debug("natives are unpacked for this process only: {}", e.toString());
      try {
        for (URL library : libraries) {
          try (InputStream in = library.openStream()) {
            if (sends(platform, environment, contains(in, OutputStream.nullOutputStream()))) {
              return new Found(false, refusal(library.toString()));
            }
          }
        }
      } catch (IOException unreadable) {
        return new Found(false, "native library cannot be read: " + unreadable);
      }
      return new Found(true, "unpacked for this process only (" + e.getMessage() + ")");
    }
  }

  private static String missing(Platform machine) {
    return "onnxruntime has no native library for "
        + machine.label()
        + (machine.supported()
            ? " on the class path: was the jar of com.microsoft.onnxruntime:onnxruntime replaced or"
                + " stripped?"
            : "; " + machine.cure() + ".")
        + " Or use the engine \"reference\" (slow), or give a folder with the library by -D"
        + PATH_PROPERTY;
  }

  /** The runtime's name of a platform, or null if it has no libraries for it. */
  static @Nullable String platform(Platform machine) {
    if (!machine.supported()) {
      return null;
    }
    String processor = machine.processor().equals("arm64") ? "aarch64" : "x64";
    return (machine.system().equals("windows") ? "win" : machine.system()) + "-" + processor;
  }

  /** The libraries to carry elsewhere, as they lie in the jar or in the folder that is set. */
  static NativeFiles files(Platform machine, String version) {
    String platform = platform(machine);
    String own = System.getProperty(PATH_PROPERTY);
    Map<String, URL> files = new TreeMap<>();
    try {
      List<URL> libraries = platform == null ? List.of() : libraries(platform);
      for (URL library : libraries) {
        files.put(fileName(library), library);
      }
      if (libraries.isEmpty() && own != null) {
        for (String name : NAMES) {
          Path file = Path.of(own, System.mapLibraryName(name));
          if (Files.isRegularFile(file)) {
            files.put(file.getFileName().toString(), file.toUri().toURL());
          }
        }
      }
    } catch (MalformedURLException e) {
      LOG.debug("{} is no folder that could be packed", own, e);
    }
    return new NativeFiles("onnxruntime", version, machine.label(), files);
  }

  /** Sets the folder to load from, unless one is set. */
  static boolean use(Path folder) {
    String own = System.getProperty(PATH_PROPERTY);
    if (own != null) {
      return Path.of(own).equals(folder);
    }
    System.setProperty(PATH_PROPERTY, folder.toString());
    return true;
  }

  private static Found checked(
      Path folder, @Nullable String platform, Map<String, String> environment) {
    Path library = folder.resolve(System.mapLibraryName("onnxruntime"));
    try (InputStream in = Files.newInputStream(library)) {
      return sends(platform, environment, contains(in, OutputStream.nullOutputStream()))
          ? new Found(false, refusal(library.toString()))
          : new Found(true, folder.toString());
    } catch (IOException e) {
      return new Found(false, "-D" + PATH_PROPERTY + "=" + folder + ": no library there: " + e);
    }
  }

  private static boolean sends(
      @Nullable String platform, Map<String, String> environment, boolean telemetry) {
    // On Windows the switch is in the API, and the runtime is told.
    boolean windows = platform != null && platform.startsWith("win");
    return telemetry && !windows && !"1".equals(environment.get("ORT_DISABLE_TELEMETRY"));
  }

  private static String refusal(String where) {
    return where
        + ": this version of onnxruntime sends usage data by default, which only the environment"
        + " variable ORT_DISABLE_TELEMETRY=1 switches off. Set it, or use onnxruntime 1.28.0";
  }

  private static List<URL> libraries(String platform) {
    List<URL> found = new ArrayList<>();
    for (String name : NAMES) {
      // A class literal does not initialise the class.
      URL url =
          OrtEnvironment.class.getResource(
              "/ai/onnxruntime/native/" + platform + "/" + System.mapLibraryName(name));
      if (url == null) {
        return List.of();
      }
      found.add(url);
    }
    for (String name : List.of("onnxruntime_providers_shared", "onnxruntime_providers_cuda")) {
      URL url =
          OrtEnvironment.class.getResource(
              "/ai/onnxruntime/native/" + platform + "/" + System.mapLibraryName(name));
      if (url != null) {
        found.add(url);
      }
    }
    return found;
  }

  /** The folder that holds the libraries, unpacked now if need be. */
  static Path unpacked(Path cache, List<URL> libraries) throws IOException {
    StringBuilder key = new StringBuilder("onnxruntime");
    for (URL library : libraries) {
      key.append('-').append(Long.toHexString(identity(library)));
    }
    Path folder = cache.resolve(key.toString());
    if (intact(folder, libraries)) {
      return folder;
    }
    createPrivate(cache);
    Path work = Files.createTempDirectory(cache, ".unpacking");
    try {
      Properties record = new Properties();
      boolean telemetry = false;
      for (URL library : libraries) {
        String name = fileName(library);
        Path file = work.resolve(name);
        MessageDigest sha = sha256();
        try (InputStream in = library.openStream();
            OutputStream out = new DigestOutputStream(Files.newOutputStream(file), sha)) {
          telemetry |= contains(in, out);
        }
        record.setProperty(name + ".size", Long.toString(Files.size(file)));
        record.setProperty(
            name + ".modified", Long.toString(Files.getLastModifiedTime(file).toMillis()));
        record.setProperty(name + ".sha256", HexFormat.of().formatHex(sha.digest()));
      }
      record.setProperty("telemetry", Boolean.toString(telemetry));
      try (OutputStream out = Files.newOutputStream(work.resolve(RECORD))) {
        record.store(out, null);
      }
      for (URL library : libraries) {
        // On disk before it is seen: a power cut must not leave a half library behind.
        try (FileChannel file =
            FileChannel.open(work.resolve(fileName(library)), StandardOpenOption.WRITE)) {
          file.force(true);
        }
      }
      place(work, folder, libraries);
    } finally {
      delete(work);
    }
    return folder;
  }

  private static void place(Path work, Path folder, List<URL> libraries) throws IOException {
    for (int attempt = 0; ; attempt++) {
      try {
        Files.move(work, folder, StandardCopyOption.ATOMIC_MOVE);
        return;
      } catch (AtomicMoveNotSupportedException e) {
        throw e;
      } catch (IOException occupied) {
        // Another process was first, or what lies there is damaged.
        if (intact(folder, libraries)) {
          return;
        }
        if (attempt == 2) {
          throw occupied;
        }
        Path aside = Files.createTempDirectory(folder.getParent(), ".damaged");
        Files.move(folder, aside.resolve("natives"), StandardCopyOption.ATOMIC_MOVE);
        delete(aside);
      }
    }
  }

  /** Whether a folder holds what was unpacked: by size and time, by content if the time differs. */
  private static boolean intact(Path folder, List<URL> libraries) {
    try {
      if (!Files.exists(folder.resolve(RECORD))) {
        return false;
      }
      Properties record = read(folder.resolve(RECORD));
      for (URL library : libraries) {
        String name = fileName(library);
        Path file = folder.resolve(name);
        if (!Long.toString(Files.size(file)).equals(record.getProperty(name + ".size"))) {
          return false;
        }
        String modified = Long.toString(Files.getLastModifiedTime(file).toMillis());
        if (!modified.equals(record.getProperty(name + ".modified"))
            && !hash(file).equals(record.getProperty(name + ".sha256"))) {
          return false;
        }
      }
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  /** What tells one build of a library from another, without reading it: the jar's checksum. */
  private static long identity(URL library) throws IOException {
    URLConnection connection = library.openConnection();
    if (connection instanceof JarURLConnection jar) {
      ZipEntry entry = jar.getJarEntry();
      if (entry != null && entry.getCrc() != -1) {
        return entry.getCrc();
      }
    }
    try (InputStream in = library.openStream()) {
      java.util.zip.CRC32 crc = new java.util.zip.CRC32();
      in.transferTo(new java.util.zip.CheckedOutputStream(OutputStream.nullOutputStream(), crc));
      return crc.getValue();
    }
  }

  private static String fileName(URL library) {
    String path = library.getPath();
    return path.substring(path.lastIndexOf('/') + 1);
  }

  /** Copies, and says whether the telemetry switch is in what was copied. */
  private static boolean contains(InputStream in, OutputStream out) throws IOException {
    byte[] buffer = new byte[1 << 16];
    int overlap = TELEMETRY_SWITCH.length - 1;
    int kept = 0;
    boolean found = false;
    for (int n; (n = in.read(buffer, kept, buffer.length - kept)) >= 0; ) {
      out.write(buffer, kept, n);
      int end = kept + n;
      found = found || indexOf(buffer, end) >= 0;
      kept = Math.min(overlap, end);
      System.arraycopy(buffer, end - kept, buffer, 0, kept);
    }
    return found;
  }

  private static int indexOf(byte[] data, int end) {
    byte first = TELEMETRY_SWITCH[0];
    for (int i = 0; i + TELEMETRY_SWITCH.length <= end; i++) {
      if (data[i] == first
          && java.util.Arrays.equals(
              data, i, i + TELEMETRY_SWITCH.length, TELEMETRY_SWITCH, 0, TELEMETRY_SWITCH.length)) {
        return i;
      }
    }
    return -1;
  }

  private static String hash(Path file) throws IOException {
    MessageDigest sha = sha256();
    try (InputStream in = Files.newInputStream(file)) {
      in.transferTo(new DigestOutputStream(OutputStream.nullOutputStream(), sha));
    }
    return HexFormat.of().formatHex(sha.digest());
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java has SHA-256", e);
    }
  }

  private static Properties read(Path file) throws IOException {
    Properties properties = new Properties();
    try (InputStream in = Files.newInputStream(file)) {
      properties.load(in);
    } catch (IllegalArgumentException e) {
      throw new IOException(file + ": " + e.getMessage(), e);
    }
    return properties;
  }

  private static void createPrivate(Path folder) throws IOException {
    Files.createDirectories(folder);
    if (folder.getFileSystem().supportedFileAttributeViews().contains("posix")) {
      Files.setPosixFilePermissions(
          folder, java.nio.file.attribute.PosixFilePermissions.fromString("rwx------"));
    }
  }

  private static void delete(Path folder) throws IOException {
    if (!Files.exists(folder)) {
      return;
    }
    try (Stream<Path> tree = Files.walk(folder)) {
      for (Path path : tree.sorted(java.util.Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(path);
      }
    }
  }
}
