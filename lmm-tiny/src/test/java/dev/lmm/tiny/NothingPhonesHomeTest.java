package dev.lmm.tiny;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A process of its own, with an empty home, loads and runs models: it tries no connection and
 * leaves nothing behind but the caches this library and its tokenizers unpack into. Where the
 * system lets anybody cut the network off, it is cut off too, for native code as well.
 */
class NothingPhonesHomeTest {
  @TempDir Path home;

  @Test
  void noConnectionAndNoFileBesideTheCaches() throws Exception {
    List<String> command = new ArrayList<>();
    if (canCutTheNetwork()) {
      command.addAll(List.of("unshare", "-rn"));
    }
    command.addAll(
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Duser.home=" + home,
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            WatchedProgram.class.getName(),
            "tiny-clip",
            "tiny-siglip2"));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    // As an application starts it: nothing set that would keep a library quiet.
    builder
        .environment()
        .keySet()
        .removeIf(
            name ->
                name.startsWith("ORT_")
                    || name.startsWith("LMM_")
                    || name.startsWith("XDG_")
                    || name.startsWith("DJL_")
                    || name.equals("OPT_OUT_TRACKING")
                    || name.equals("RUST_FLAVOR"));
    builder.environment().put("HOME", home.toString());
    Process process = builder.start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(2, TimeUnit.MINUTES)).isTrue();
    assertThat(process.exitValue()).as(output).isZero();
    assertThat(output).contains("connections tried: 0");

    assertThat(files(home))
        .isNotEmpty()
        .allMatch(
            file ->
                file.startsWith(".cache/lmm/")
                    || file.startsWith("Library/Caches/lmm/")
                    || file.startsWith("AppData/Local/lmm/")
                    || file.startsWith(".djl.ai/tokenizers/"),
            "lies in a cache");
  }

  private static boolean canCutTheNetwork() throws InterruptedException {
    try {
      Process probe =
          new ProcessBuilder("unshare", "-rn", "true").redirectErrorStream(true).start();
      return probe.waitFor(10, TimeUnit.SECONDS) && probe.exitValue() == 0;
    } catch (IOException e) {
      return false;
    }
  }

  private static List<String> files(Path folder) throws IOException {
    try (Stream<Path> paths = Files.walk(folder)) {
      return paths
          .filter(Files::isRegularFile)
          .map(path -> folder.relativize(path).toString().replace('\\', '/'))
          .toList();
    }
  }
}
