package dev.lmm.pytorch;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A process of its own, with an empty home, loads libtorch and runs a graph: it tries no connection
 * and leaves nothing behind but what it unpacked into this library's cache. The bindings would
 * report usage and download natives.
 */
class NothingPhonesHomeTest {
  @TempDir Path home;

  @Test
  void noConnectionAndNoFileBesideTheCache() throws Exception {
    ProcessBuilder builder =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Duser.home=" + home,
                "-Djava.io.tmpdir=" + Files.createDirectories(home.resolve("tmp")),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                WatchedProgram.class.getName())
            .redirectErrorStream(true);
    // As an application starts it: nothing set that would keep a library quiet.
    builder
        .environment()
        .keySet()
        .removeIf(
            name ->
                name.startsWith("LMM_")
                    || name.startsWith("XDG_")
                    || name.startsWith("DJL_")
                    || name.startsWith("PYTORCH_")
                    || name.equals("ENGINE_CACHE_DIR")
                    || name.equals("OPT_OUT_TRACKING"));
    builder.environment().put("HOME", home.toString());
    Process process = builder.start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(5, TimeUnit.MINUTES)).isTrue();
    assertThat(process.exitValue()).as(output).isZero();
    assertThat(output).contains("connections tried: 0");
    try (Stream<Path> paths = Files.walk(home)) {
      List<String> files =
          paths
              .filter(Files::isRegularFile)
              .map(path -> home.relativize(path).toString().replace('\\', '/'))
              .filter(path -> !path.startsWith("tmp/"))
              .toList();
      assertThat(files)
          .isNotEmpty()
          .allMatch(
              file ->
                  file.startsWith(".cache/lmm/")
                      || file.startsWith("Library/Caches/lmm/")
                      || file.startsWith("AppData/Local/lmm/"),
              "lies in the cache");
    }
  }
}
