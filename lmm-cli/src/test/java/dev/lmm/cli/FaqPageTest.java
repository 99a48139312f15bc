package dev.lmm.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/**
 * Every mistake that docs/faq.md lists is made by a test, and the page shows the words that the
 * test sees.
 */
class FaqPageTest {
  private static final Path ROOT = Path.of("..");
  private static final Pattern ROW =
      Pattern.compile(
          "^\\| (?!what \\||---)([^|]+) \\| ([^|]+) \\| ([^|]*) ?\\|$", Pattern.MULTILINE);

  private static final String CORE = "lmm-core/src/test/java/dev/lmm/core/";
  private static final String MISTAKES = "lmm-cli/src/test/java/dev/lmm/cli/UsersMistakesTest.java";

  /**
   * Where a mistake is made.
   *
   * @param file of the test
   * @param name of the test, or of its case
   * @param words that it sees and the page shows; empty if there are none
   */
  private record Made(String file, String name, String words) {}

  private static final Map<String, Made> MADE = new LinkedHashMap<>();

  private static void made(String row, String file, String name, String words) {
    MADE.put(row, new Made(file, name, words));
  }

  static {
    // A JDK older than 17 is not here. What it refuses is the byte code, whose version is checked.
    made(
        "JDK older than 17",
        "release/checks/src/test/java/dev/lmm/release/RulesTest.java",
        "needs more than Java 17",
        "61");
    String platform = CORE + "engine/PlatformTest.java";
    made(
        "Java of 32 bits",
        MISTAKES,
        "doctorFindsMachinesWithoutNativesFirst",
        "onnxruntime has no native library for ");
    made(
        "Alpine Linux, musl",
        platform,
        "knowsMuslByWhatJavaItselfHasMapped",
        "this Java runs on musl");
    made(
        "Mac with Intel processor",
        platform,
        "saysWhatToDoOnTheOthers",
        "there are no native libraries for Macs with Intel processors");
    made(
        "Windows on arm64",
        platform,
        "saysWhatToDoOnTheOthers",
        "there are no native libraries for Windows on arm64");
    made(
        "JDK 24 and later warns of native access",
        "downstream/java25/run",
        "target/warnings",
        "--enable-native-access=ALL-UNNAMED");
    made(
        "home folder that cannot be written",
        MISTAKES,
        "aHomeThatCannotBeWrittenIsToldWithTheCure",
        "set LMM_CACHE to a folder that can be written");
    made(
        "too little memory",
        MISTAKES,
        "aModelThatIsTooLargeIsToldBeforeItIsLoaded",
        "it does not fit");
    made(
        "Java's heap too small",
        MISTAKES,
        "aHeapThatIsTooSmallIsToldWithTheCure",
        "start Java with more, for instance -Xmx2g");
    String nothing = CORE + "family/NothingOnTheClassPathTest.java";
    made(
        "no family",
        nothing,
        "saysWhichFamilyToAdd",
        "the families on the class path load nothing (add for instance dev.lmm:lmm-clip)");
    made("no engine", nothing, "saysWhichEngineToAdd", "No engine can run here");
    made(
        "libtorch missing",
        MISTAKES,
        "PyTorch without its library",
        "Engine pytorch cannot run here: no native library on the class path");
    made(
        "another ONNX Runtime (1.29 or later)",
        "lmm-onnx/src/test/java/dev/lmm/onnx/internal/NativesTest.java",
        "refusesAVersionThatSendsUsageData",
        "sends usage data by default");
    made(
        "another libtorch",
        "lmm-pytorch/src/test/java/dev/lmm/pytorch/internal/TorchRuntimeTest.java",
        "refusesAnotherVersionOnTheClassPath",
        "libtorch 2.8.0; expected 2.7.1, which alone works");
    made(
        "another engine's name",
        MISTAKES,
        "an engine that does not exist",
        "There is no engine tensorflow");
    made(
        "slip in an id",
        MISTAKES,
        "a bundled model's name with a slip",
        "is no folder, no file of lmm bundle, no bundled model and no hub id");
    made(
        "no network",
        MISTAKES,
        "no network, and the model is not in the cache",
        "load it once with network, or set HF_HUB_CACHE");
    made(
        "gated or private model",
        CORE + "hub/HubAccessTest.java",
        "saysWhyTheHubRefuses",
        "is gated: accept its terms at");
    made(
        "disk full",
        CORE + "hub/HubDiskTest.java",
        "refusesARealDiskThatIsTooSmall",
        " bytes more, and ");
    made("family not supported", MISTAKES, "a family that is not there", "model_type is florence2");
    made(
        "weights missing, download cut",
        MISTAKES,
        "a checkpoint without weights",
        "is the download complete?");
    made(
        "a clone without Git LFS",
        MISTAKES,
        "a clone without Git LFS",
        "is a pointer of Git LFS, not the weights");
    made(
        "a model that cannot do it",
        MISTAKES,
        "a model that cannot do it",
        "tiny-clip does not talk");
    made(
        "slip in a picture's path",
        MISTAKES,
        "a picture's name with a slip",
        "b.png: there is no such file");
    made(
        "no picture, or half a one",
        MISTAKES,
        "a picture that was not copied whole",
        "the file ends too early");
    made("blanks or Hangul in paths", MISTAKES, "spacesAndHangulInPathsAreNoMistake", "");
    made(
        "a prompt too long",
        "lmm-diffusion/src/test/java/dev/lmm/diffusion/internal/PromptsTest.java",
        "aPromptThatIsCutIsToldOf",
        "the model reads 77, the rest is left out");
    made("size, steps, scheduler", MISTAKES, "a size the model cannot make", "size: is 65x64");
    made(
        "closed model",
        CORE + "engine/RunGateTest.java",
        "closeWaitsForRunsAndRefusesLaterOnes",
        "is closed; load it again to use it");
    made(
        "slow at first",
        CORE + "quantization/QuantizedCacheTest.java",
        "class QuantizedCacheTest",
        "");
  }

  @Test
  void everyMistakeIsMadeByATest() throws IOException {
    Map<String, String> rows = new LinkedHashMap<>();
    Matcher row = ROW.matcher(Files.readString(ROOT.resolve("docs/faq.md")));
    while (row.find()) {
      rows.put(row.group(1), row.group(2));
    }
    assertThat(rows).hasSizeGreaterThanOrEqualTo(25);
    assertThat(MADE.keySet()).containsExactlyInAnyOrderElementsOf(rows.keySet());
    for (Map.Entry<String, Made> each : MADE.entrySet()) {
      Made made = each.getValue();
      // Literals that are broken over lines, as one.
      String test = Files.readString(ROOT.resolve(made.file())).replaceAll("\"\\s*\\+\\s*\"", "");
      assertThat(test).as(each.getKey()).contains(made.name()).contains(made.words());
      assertThat(rows.get(each.getKey())).as(each.getKey()).contains(made.words());
    }
  }
}
