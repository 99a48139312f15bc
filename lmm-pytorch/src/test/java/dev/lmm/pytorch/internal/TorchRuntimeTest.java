package dev.lmm.pytorch.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lmm.core.engine.EngineStatus;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TorchRuntimeTest {
  @TempDir Path folder;

  @Test
  void refusesAnotherVersionBeforeItIsLoaded() throws Exception {
    EngineStatus empty = TorchRuntime.inFolder(folder);
    assertThat(empty.available()).isFalse();
    assertThat(empty.detail()).contains(folder.toString());
    Path library = folder.resolve(System.mapLibraryName("torch_cpu"));
    Files.write(library, "x\0002.15.0\0 12.7.1\0".getBytes(StandardCharsets.US_ASCII));
    EngineStatus other = TorchRuntime.inFolder(folder);
    assertThat(other.available()).isFalse();
    assertThat(other.detail()).contains(library.toString(), "is not libtorch 2.7.1");
    byte[] right = new byte[(1 << 20) + 100];
    byte[] version = "\0002.7.1\000".getBytes(StandardCharsets.US_ASCII);
    // Across the edge of what is read at once.
    System.arraycopy(version, 0, right, (1 << 20) - 3, version.length);
    Files.write(library, right);
    assertThat(TorchRuntime.inFolder(folder).available()).isTrue();
  }

  @Test
  void refusesAnotherVersionOnTheClassPath() throws Exception {
    String platform =
        TorchRuntime.platform(System.getProperty("os.name"), System.getProperty("os.arch"));
    Path file = Files.createDirectories(folder.resolve("native/lib")).resolve("pytorch.properties");
    Files.writeString(file, "classifier=" + platform + "\nversion=2.8.0\n");
    Thread thread = Thread.currentThread();
    ClassLoader before = thread.getContextClassLoader();
    try (URLClassLoader other = new URLClassLoader(new URL[] {folder.toUri().toURL()}, null)) {
      thread.setContextClassLoader(other);
      EngineStatus status = TorchRuntime.onTheClassPath();
      assertThat(status.available()).isFalse();
      assertThat(status.detail())
          .endsWith("pytorch.properties: libtorch 2.8.0; expected 2.7.1, which alone works");
    } finally {
      thread.setContextClassLoader(before);
    }
  }

  @Test
  void knowsThePlatformsThatHaveLibraries() {
    assertThat(TorchRuntime.platform("Linux", "amd64")).isEqualTo("linux-x86_64");
    assertThat(TorchRuntime.platform("Linux", "aarch64")).isEqualTo("linux-aarch64");
    assertThat(TorchRuntime.platform("Mac OS X", "aarch64")).isEqualTo("osx-aarch64");
    assertThat(TorchRuntime.platform("Windows 11", "amd64")).isEqualTo("win-x86_64");
    assertThat(TorchRuntime.platform("Mac OS X", "x86_64")).isNull();
  }
}
