package dev.lmm.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lmm.core.engine.EngineStatus;
import dev.lmm.core.engine.NativeFiles;
import dev.lmm.core.engine.Platform;
import dev.lmm.core.text.TokenizerNatives;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Machines that are not here, as doctor would find them. */
class CheckupTest {
  private static final EngineStatus GOOD = new EngineStatus(true, "1", List.of("cpu"), "");
  private static final EngineStatus BAD =
      new EngineStatus(false, "", List.of(), "it has no library; add one");
  @TempDir Path folder;

  private Checkup checkup(
      Platform platform, int java, long heap, Path cache, EngineStatus onnx, NativeFiles natives) {
    return new Checkup(
        platform,
        java,
        heap,
        Map.of("LMM_CACHE", cache),
        Map.of("onnx", onnx, "reference", GOOD),
        natives);
  }

  @Test
  void findsNothingWrongWithASoundMachine() {
    assertThat(
            checkup(Platform.current(), 17, 1L << 30, folder, GOOD, TokenizerNatives.find())
                .problems())
        .isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "Linux,amd64,/lib/ld-musl-x86_64.so.1,linux-musl-x64,an image with glibc",
    "Linux,x86,,linux-x86,install a JDK of 64 bits",
    "Mac OS X,x86_64,,osx-x64,on a Mac with Apple silicon this Java was made for Intel",
    "Windows 11,aarch64,,windows-arm64,install a JDK for x64"
  })
  void namesThePlatformFirst(String os, String arch, String mapped, String label, String cure) {
    Platform platform = Platform.of(os, arch, List.of("0-1 r-xp " + mapped));
    NativeFiles none = new NativeFiles("tokenizers", "1", label, Map.of());
    assertThat(checkup(platform, 17, 1L << 30, folder, BAD, none).problems().get(0))
        .satisfies(
            problem -> {
              assertThat(problem.what()).isEqualTo("there are no native libraries for " + label);
              assertThat(problem.cure()).contains(cure);
            });
  }

  @Test
  void namesTheJdkTheEnginesTheCacheAndTheHeap() throws IOException {
    Path file = Files.createFile(folder.resolve("a file"));
    Platform here = Platform.current();
    NativeFiles none = new NativeFiles("tokenizers", "1", here.label(), Map.of());
    assertThat(checkup(here, 11, 64L << 20, file.resolve("cache"), BAD, none).problems())
        .extracting(problem -> problem.what() + " => " + problem.cure())
        .containsExactly(
            "Java 11 is too old => install a JDK of 17 or later",
            "the jar of the tokenizers has no library for "
                + here.label()
                + " => put ai.djl.huggingface:tokenizers on the class path as it is published",
            "no engine can run but the slow interpreter; onnx: it has no library; add one => add"
                + " dev.lmm:lmm-onnx, or what the engine names",
            "the cache "
                + file.resolve("cache")
                + " cannot be written: "
                + file
                + " is not a folder that may be => set LMM_CACHE to a folder that can",
            "Java's heap may take 67.1 MB at most => start Java with -Xmx512m");
  }
}
