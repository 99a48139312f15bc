package dev.lmm.core.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GpusTest {
  @TempDir private Path folder;

  @BeforeEach
  void needsAShell() {
    assumeFalse(System.getProperty("os.name").startsWith("Windows"), "scripts stand for the tool");
  }

  /** What answers in the tool's place. */
  private List<String> tool(String script) throws Exception {
    Path file = folder.resolve("nvidia-smi");
    Files.writeString(file, script);
    return List.of("/bin/sh", file.toString());
  }

  @Test
  void listsCardsWithTheirMemory() throws Exception {
    Gpus gpus =
        Gpus.ask(
            tool(
                """
                echo '0, 24564, 23028, NVIDIA GeForce RTX 4090'
                echo '1, 143771, 143000, NVIDIA H200, NVL'
                """));
    assertThat(gpus.reason()).isEmpty();
    assertThat(gpus.cards())
        .containsExactly(
            new Gpus.Card(0, "NVIDIA GeForce RTX 4090", 24564L << 20, 23028L << 20),
            new Gpus.Card(1, "NVIDIA H200, NVL", 143771L << 20, 143000L << 20));
    assertThat(gpus.cards().get(1).device()).isEqualTo("cuda:1");
  }

  @Test
  void saysWhyThereIsNone() throws Exception {
    assertThat(Gpus.ask(List.of(folder.resolve("no-such-tool").toString())))
        .satisfies(
            gpus -> {
              assertThat(gpus.cards()).isEmpty();
              assertThat(gpus.reason()).contains("no NVIDIA driver", "no-such-tool");
            });
    assertThat(Gpus.ask(tool("echo; echo 'Driver/library version mismatch'; exit 18")).reason())
        .contains("does not work", "Driver/library version mismatch");
    assertThat(Gpus.ask(tool("echo 'No devices were found'")).reason()).contains("no card");
    assertThat(Gpus.ask(tool("yes")).reason()).contains("cannot be");
    assertThat(Gpus.parse("0, [N/A], [N/A], Odd").cards())
        .containsExactly(new Gpus.Card(0, "Odd", 0, 0));
  }
}
