package dev.lmm.onnx.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lmm.core.engine.Gpus;
import dev.lmm.onnx.OnnxEngine;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CudaTest {
  private static final Gpus TWO =
      new Gpus(List.of(new Gpus.Card(0, "A", 1, 1), new Gpus.Card(1, "B", 1, 1)), "");
  private static final List<String> LIBRARIES = List.of("libcudart.so.12", "libcudnn.so.9");

  @TempDir private Path folder;

  @Test
  void namesWhatIsMissing() throws Exception {
    assertThat(Cuda.of(false, TWO, LIBRARIES, List.of(folder)).reason())
        .contains("onnxruntime_gpu:1.28.0");
    Gpus none = new Gpus(List.of(), "no NVIDIA driver: its tool nvidia-smi is not there");
    assertThat(Cuda.of(true, none, LIBRARIES, List.of(folder)).reason()).isEqualTo(none.reason());
    Files.createFile(folder.resolve("libcudart.so.12"));
    Cuda cuda = Cuda.of(true, TWO, LIBRARIES, List.of(folder));
    assertThat(cuda.devices()).isEmpty();
    assertThat(cuda.reason()).contains("not found: libcudnn.so.9.").doesNotContain("libcudart");
  }

  @Test
  void withEverythingThereEachCardIsADevice() throws Exception {
    for (String library : LIBRARIES) {
      Files.createFile(folder.resolve(library));
    }
    Cuda cuda = Cuda.of(true, TWO, LIBRARIES, List.of(folder.resolve("empty"), folder));
    assertThat(cuda.devices()).containsExactly("cuda:0", "cuda:1");
    assertThat(cuda.reason()).isEmpty();
  }

  @Test
  void looksWhereTheLoaderLooks() {
    assertThat(Cuda.folders(Map.of("LD_LIBRARY_PATH", "/a::/b"), false))
        .startsWith(Path.of("/a"), Path.of("/b"))
        .contains(Path.of("/usr/lib64"));
  }

  /** The test's class path has the runtime without CUDA. */
  @Test
  void saysWhatToAddHere() {
    assertThat(new OnnxEngine().withoutGpu()).contains("onnxruntime_gpu");
    assertThat(new OnnxEngine().status().devices()).containsExactly("cpu");
  }
}
