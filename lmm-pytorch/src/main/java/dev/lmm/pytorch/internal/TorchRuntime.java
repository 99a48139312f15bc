package dev.lmm.pytorch.internal;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValue;
import ai.djl.pytorch.jni.IValueUtils;
import ai.djl.pytorch.jni.JniUtils;
import dev.lmm.EngineException;
import dev.lmm.core.engine.EngineStatus;
import dev.lmm.core.hub.CacheFolder;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Enumeration;
import java.util.List;
import java.util.Locale;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/**
 * The native library of this process: looked for and its version checked before anything of it is
 * loaded, for another version than the one the bindings were made for ends the process.
 */
public final class TorchRuntime {
  /** The one version the bindings work with. */
  static final String VERSION = "2.7.1";

  private static final String FOLDER = "PYTORCH_LIBRARY_PATH";

  private static @Nullable TorchRuntime loaded;
  private static @Nullable EngineStatus found;

  private final PtNDManager manager;

  private TorchRuntime(PtNDManager manager) {
    this.manager = manager;
  }

  /**
   * What was found, without loading it.
   *
   * @return the status
   */
  public static synchronized EngineStatus status() {
    EngineStatus status = found;
    if (status == null) {
      status = look();
      found = status;
    }
    return status;
  }

  private static EngineStatus look() {
    try {
      String folder = System.getenv(FOLDER);
      folder = folder == null ? System.getProperty(FOLDER) : folder;
      return folder == null ? onTheClassPath() : inFolder(Path.of(folder));
    } catch (IOException e) {
      return missing("its native library cannot be read: " + e);
    }
  }

  static EngineStatus onTheClassPath() throws IOException {
    String platform = platform(System.getProperty("os.name"), System.getProperty("os.arch"));
    if (platform == null) {
      return missing(
          "libtorch has no native library for "
              + System.getProperty("os.name")
              + " on "
              + System.getProperty("os.arch")
              + "; it has them for Linux on x64 and arm64, macOS on arm64 and Windows on x64");
    }
    ClassLoader loader = Thread.currentThread().getContextClassLoader();
    if (loader == null) {
      loader = TorchRuntime.class.getClassLoader();
    }
    Enumeration<URL> urls = loader.getResources("native/lib/pytorch.properties");
    while (urls.hasMoreElements()) {
      URL url = urls.nextElement();
      Properties properties = new Properties();
      try (InputStream in = url.openStream()) {
        properties.load(in);
      }
      if (!platform.equals(properties.getProperty("classifier"))) {
        continue;
      }
      String version = properties.getProperty("version", "");
      if (!version.equals(VERSION) && !version.startsWith(VERSION + "-")) {
        return missing(
            url + ": libtorch " + version + "; expected " + VERSION + ", which alone works");
      }
      return new EngineStatus(true, VERSION, List.of("cpu"), url.toString());
    }
    return missing(
        "no native library on the class path; add ai.djl.pytorch:pytorch-native-cpu:"
            + VERSION
            + " with classifier "
            + platform
            + ", or name a folder with libtorch by "
            + FOLDER);
  }

  /** The libraries of a folder, whose version is found in the library itself. */
  static EngineStatus inFolder(Path folder) throws IOException {
    Path library = folder.resolve(System.mapLibraryName("torch_cpu"));
    if (!Files.isRegularFile(library)) {
      return missing(FOLDER + "=" + folder + ": no " + library.getFileName() + " there");
    }
    if (!contains(library, ("\0" + VERSION + "\0").getBytes(StandardCharsets.US_ASCII))) {
      return missing(library + ": is not libtorch " + VERSION + ", which alone works");
    }
    return new EngineStatus(true, VERSION, List.of("cpu"), folder.toString());
  }

  private static EngineStatus missing(String why) {
    return new EngineStatus(false, "", List.of(), why);
  }

  /** Whether a file holds some bytes. */
  static boolean contains(Path file, byte[] wanted) throws IOException {
    byte[] buffer = new byte[1 << 20];
    int kept = 0;
    try (InputStream in = Files.newInputStream(file)) {
      for (int n; (n = in.read(buffer, kept, buffer.length - kept)) >= 0; ) {
        int end = kept + n;
        for (int i = 0; i + wanted.length <= end; i++) {
          if (buffer[i] == wanted[0]
              && java.util.Arrays.equals(buffer, i, i + wanted.length, wanted, 0, wanted.length)) {
            return true;
          }
        }
        kept = Math.min(wanted.length - 1, end);
        System.arraycopy(buffer, end - kept, buffer, 0, kept);
      }
    }
    return false;
  }

  /** DJL's name of a platform, or null if there are no libraries for it. */
  static @Nullable String platform(String os, String arch) {
    String name = os.toLowerCase(Locale.ROOT);
    boolean x64 = arch.equals("amd64") || arch.equals("x86_64");
    boolean arm64 = arch.equals("aarch64") || arch.equals("arm64");
    if (name.contains("linux")) {
      return x64 ? "linux-x86_64" : arm64 ? "linux-aarch64" : null;
    }
    if (name.contains("mac")) {
      return arm64 ? "osx-aarch64" : null;
    }
    return name.contains("windows") && x64 ? "win-x86_64" : null;
  }

  /**
   * The runtime.
   *
   * @param threads threads of one run; 0 leaves it to libtorch. Only the first call has a say
   * @throws EngineException if it cannot be loaded
   */
  static synchronized TorchRuntime get(int threads) {
    TorchRuntime runtime = loaded;
    if (runtime == null) {
      EngineStatus status = status();
      if (!status.available()) {
        throw new EngineException("engine pytorch cannot run: " + status.detail());
      }
      try {
        runtime = load(threads);
      } catch (RuntimeException | LinkageError e) {
        found = missing("the native library does not load: " + e);
        throw new EngineException("engine pytorch cannot run: " + e.getMessage(), e);
      }
      loaded = runtime;
    }
    return runtime;
  }

  private static TorchRuntime load(int threads) {
    // Read by DJL when its classes load: no usage report, no download.
    System.setProperty("OPT_OUT_TRACKING", "true");
    System.setProperty("ai.djl.offline", "true");
    setIfAbsent("ENGINE_CACHE_DIR", CacheFolder.of("natives").toString());
    setIfAbsent("PYTORCH_FLAVOR", "cpu");
    setIfAbsent("ai.djl.pytorch.graph_optimizer", "false");
    Engine engine = Engine.getEngine("PyTorch");
    if (!engine.getVersion().equals(VERSION)) {
      throw new EngineException("libtorch " + engine.getVersion() + "; expected " + VERSION);
    }
    if (threads > 0) {
      JniUtils.setNumThreads(threads);
    }
    return new TorchRuntime((PtNDManager) engine.newBaseManager(Device.cpu()));
  }

  private static void setIfAbsent(String name, String value) {
    if (System.getenv(name) == null && System.getProperty(name) == null) {
      System.setProperty(name, value);
    }
  }

  PtNDManager manager() {
    return manager;
  }

  /** Loads a module; to be closed. */
  PtSymbolBlock module(String code) {
    prepareThread();
    try {
      return JniUtils.loadModule(manager, new ByteArrayInputStream(Archive.of(code)), false, false);
    } catch (IOException e) {
      throw new EngineException("memory cannot be read: " + e.getMessage(), e);
    }
  }

  /** Calls a method; the result is to be closed. */
  IValue call(PtSymbolBlock module, String method, IValue... arguments) {
    prepareThread();
    return IValueUtils.runMethod(module, method, arguments);
  }

  /**
   * The default optimiser of graphs merges equal allocations, so that two buffers become one. The
   * switch belongs to the native thread, and a virtual thread changes those: set before every call.
   */
  private static void prepareThread() {
    JniUtils.setGraphExecutorOptimize(false);
  }
}
