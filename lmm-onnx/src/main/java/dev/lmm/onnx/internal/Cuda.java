package dev.lmm.onnx.internal;

import ai.onnxruntime.OrtEnvironment;
import dev.lmm.core.engine.Gpus;
import dev.lmm.core.engine.Platform;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What the runtime needs to compute on an NVIDIA card, looked for before any of it is loaded: the
 * jar that holds the provider, a card with its driver, and CUDA's libraries, of which a missing one
 * would only be told by the native loader.
 *
 * @param devices the cards it can compute on; empty if something is missing
 * @param reason what is missing and how to get it, or empty
 */
public record Cuda(List<String> devices, String reason) {
  /** The version of CUDA that the provider of onnxruntime 1.28 is built for. */
  private static final List<String> LIBRARIES =
      List.of("libcudart.so.12", "libcublasLt.so.12", "libcublas.so.12", "libcudnn.so.9");

  private static final List<String> LIBRARIES_WINDOWS =
      List.of("cudart64_12.dll", "cublasLt64_12.dll", "cublas64_12.dll", "cudnn64_9.dll");

  private static @Nullable Cuda found;

  /**
   * Copies the list.
   *
   * @param devices the cards
   * @param reason what is missing, or empty
   */
  public Cuda {
    devices = List.copyOf(devices);
  }

  /**
   * Looks, the first time.
   *
   * @return what was found
   */
  public static synchronized Cuda find() {
    Cuda cuda = found;
    if (cuda == null) {
      String platform = Natives.platform(Platform.current());
      boolean inJar =
          platform != null
              && OrtEnvironment.class.getResource(
                      "/ai/onnxruntime/native/"
                          + platform
                          + "/"
                          + System.mapLibraryName("onnxruntime_providers_cuda"))
                  != null;
      boolean windows = platform != null && platform.startsWith("win");
      cuda =
          of(
              inJar,
              inJar ? Gpus.find() : new Gpus(List.of(), ""),
              windows ? LIBRARIES_WINDOWS : LIBRARIES,
              folders(System.getenv(), windows));
      found = cuda;
    }
    return cuda;
  }

  static Cuda of(boolean inJar, Gpus gpus, List<String> libraries, List<Path> folders) {
    if (!inJar) {
      return none(
          "the onnxruntime on the class path has no CUDA; for NVIDIA cards take"
              + " com.microsoft.onnxruntime:onnxruntime_gpu:1.28.0 in its place");
    }
    if (gpus.cards().isEmpty()) {
      return none(gpus.reason());
    }
    List<String> missing = new ArrayList<>();
    for (String library : libraries) {
      if (folders.stream().noneMatch(folder -> Files.exists(folder.resolve(library)))) {
        missing.add(library);
      }
    }
    if (!missing.isEmpty()) {
      return none(
          "CUDA 12 with cuDNN 9 is needed; not found: "
              + String.join(", ", missing)
              + ". Install them, or name their folder in "
              + (folders.isEmpty() ? "LD_LIBRARY_PATH" : "the library path"));
    }
    return new Cuda(gpus.cards().stream().map(Gpus.Card::device).toList(), "");
  }

  private static Cuda none(String reason) {
    return new Cuda(List.of(), reason);
  }

  /** Where the system's loader looks, and where CUDA is usually installed. */
  static List<Path> folders(Map<String, String> environment, boolean windows) {
    List<Path> folders = new ArrayList<>();
    String path = environment.get(windows ? "PATH" : "LD_LIBRARY_PATH");
    if (path != null) {
      for (String each : path.split(windows ? ";" : ":", -1)) {
        if (!each.isBlank()) {
          folders.add(Path.of(each));
        }
      }
    }
    if (!windows) {
      folders.addAll(
          List.of(
              Path.of("/usr/lib/x86_64-linux-gnu"),
              Path.of("/usr/lib/aarch64-linux-gnu"),
              Path.of("/usr/lib64"),
              Path.of("/usr/lib")));
      try (DirectoryStream<Path> installed =
          Files.newDirectoryStream(Path.of("/usr/local"), "cuda*")) {
        installed.forEach(each -> folders.add(each.resolve("lib64")));
      } catch (IOException e) {
        // There is no such folder, so nothing is installed there.
      }
    }
    return folders;
  }
}
