package dev.lmm.onnx.internal;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession.SessionOptions;
import dev.lmm.EngineException;
import dev.lmm.core.engine.EngineStatus;
import dev.lmm.core.engine.NativeFiles;
import dev.lmm.core.engine.Platform;
import java.io.IOException;
import java.lang.module.ModuleDescriptor;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The native runtime of this process: loaded once, with one pool of threads for all programs. */
public final class OrtRuntime {
  private static final Logger LOG = LoggerFactory.getLogger(OrtRuntime.class);

  private static Natives.@Nullable Found natives;
  private static @Nullable OrtRuntime loaded;
  private static @Nullable String failure;

  private final OrtEnvironment environment;
  private final boolean sharedThreads;
  private final int threads;

  private OrtRuntime(OrtEnvironment environment, boolean sharedThreads, int threads) {
    this.environment = environment;
    this.sharedThreads = sharedThreads;
    this.threads = threads;
  }

  /**
   * What was found, without loading the library: that would settle the number of threads.
   *
   * @return the status
   */
  public static synchronized EngineStatus status() {
    Natives.Found found = natives();
    if (failure != null) {
      return new EngineStatus(false, "", List.of(), failure);
    }
    String version = "";
    if (loaded != null) {
      version = loaded.environment.getVersion();
    } else if (found.usable()) {
      version = versionOfJar();
    }
    List<String> devices = new ArrayList<>();
    if (found.usable()) {
      devices.add("cpu");
      devices.addAll(Cuda.find().devices());
    }
    return new EngineStatus(found.usable(), version, devices, found.detail());
  }

  /**
   * The libraries of this platform, without looking for a place to unpack them.
   *
   * @return as they lie in the runtime's jar, or in the folder that a property names
   */
  public static NativeFiles nativeFiles() {
    return Natives.files(Platform.current(), versionOfJar());
  }

  /**
   * Loads the libraries from a folder from now on.
   *
   * @param folder with the libraries
   * @return false if they have been looked for already, and are elsewhere
   */
  public static synchronized boolean useNatives(Path folder) {
    if (natives != null) {
      return natives.detail().equals(folder.toString());
    }
    return Natives.use(folder);
  }

  private static String versionOfJar() {
    // On the class path the manifest says it, on the module path the name of the jar.
    String version = OrtEnvironment.class.getPackage().getImplementationVersion();
    ModuleDescriptor module = OrtEnvironment.class.getModule().getDescriptor();
    return version != null ? version : module == null ? "" : module.rawVersion().orElse("");
  }

  private static Natives.Found natives() {
    Natives.Found found = natives;
    if (found == null) {
      found = Natives.prepare();
      natives = found;
    }
    return found;
  }

  /**
   * The runtime.
   *
   * @param threads threads of the pool; 0 for one a core. Only the first call has a say
   * @return the runtime
   * @throws EngineException if it cannot be loaded
   */
  static synchronized OrtRuntime get(int threads) {
    OrtRuntime runtime = loaded;
    if (runtime == null) {
      Natives.Found found = natives();
      if (!found.usable()) {
        throw new EngineException("engine onnx cannot run: " + found.detail());
      }
      try {
        runtime = load(threads > 0 ? threads : cores());
      } catch (OrtException | LinkageError | IllegalCallerException e) {
        failure = "the native library does not load: " + e;
        throw new EngineException("engine onnx cannot run: " + failure, e);
      }
      loaded = runtime;
    } else if (threads > 0 && threads != runtime.threads) {
      LOG.debug(
          "the pool has {} threads, as the first program asked; {} are asked for now",
          runtime.threads,
          threads);
    }
    return runtime;
  }

  private static OrtRuntime load(int threads) throws OrtException {
    OrtRuntime runtime;
    try (OrtEnvironment.ThreadingOptions options = new OrtEnvironment.ThreadingOptions()) {
      options.setGlobalIntraOpNumThreads(threads);
      options.setGlobalInterOpNumThreads(1);
      options.setGlobalSpinControl(true);
      OrtEnvironment environment =
          OrtEnvironment.getEnvironment(OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL, "lmm", options);
      runtime = new OrtRuntime(environment, true, threads);
    } catch (IllegalStateException e) {
      LOG.debug("the application made the runtime's environment first: {}", e.getMessage());
      runtime = new OrtRuntime(OrtEnvironment.getEnvironment(), false, threads);
    }
    runtime.environment.setTelemetry(false);
    return runtime;
  }

  OrtEnvironment environment() {
    return environment;
  }

  /** Options of a session that runs on the pool; to be closed. */
  SessionOptions sessionOptions() throws OrtException {
    SessionOptions options = new SessionOptions();
    if (sharedThreads) {
      options.disablePerSessionThreads();
    } else {
      options.setIntraOpNumThreads(threads);
      options.setInterOpNumThreads(1);
    }
    return options;
  }

  /**
   * Cores this process may use. Two hardware threads of one core count once: they share the units
   * that multiply.
   */
  private static int cores() {
    int available = Runtime.getRuntime().availableProcessors();
    Set<String> cores = new HashSet<>();
    try (DirectoryStream<Path> cpus =
        Files.newDirectoryStream(Path.of("/sys/devices/system/cpu"), "cpu[0-9]*")) {
      for (Path cpu : cpus) {
        Path siblings = cpu.resolve("topology").resolve("thread_siblings_list");
        if (Files.exists(siblings)) {
          cores.add(Files.readString(siblings));
        }
      }
    } catch (IOException e) {
      LOG.debug("cores are not listed: {}", e.toString());
    }
    return cores.isEmpty() ? available : Math.min(available, cores.size());
  }
}
