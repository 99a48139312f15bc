package dev.lmm.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lmm.core.json.Json;
import dev.lmm.tiny.TinyPictures;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code bundle}, and what a machine without network does with what it wrote. */
class BundleCommandTest {
  @TempDir Path folder;

  private record Ran(int status, String out, String err) {}

  private static Ran run(String... arguments) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    int status =
        Main.run(
            new PrintStream(out, true, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8),
            arguments);
    return new Ran(
        status, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
  }

  @Test
  void packsWhatAMachineWithoutNetworkNeeds() throws Exception {
    Path place = Files.createDirectory(folder.resolve("내 모델 (오프라인)"));
    Path file = place.resolve("작은 모델.lmm");
    Ran packed = run("bundle", "tiny-clip", "tiny-siglip2", "--out", file.toString(), "--json");
    assertThat(packed.err()).isEmpty();
    Json json = Json.parse(packed.out().getBytes(StandardCharsets.UTF_8), "stdout");
    assertThat(json.stringAt("file")).isEqualTo(file.toString());
    assertThat(json.longAt("bytes")).isEqualTo(Files.size(file));
    assertThat(json.at("models").elements().stream().map(Json::string))
        .containsExactly("tiny-clip", "tiny-siglip2");
    assertThat(json.at("natives").elements().stream().map(Json::string))
        .anyMatch(name -> name.startsWith("onnxruntime 1."))
        .anyMatch(name -> name.startsWith("tokenizers "));

    Path home = Files.createDirectory(folder.resolve("home"));
    TinyPictures.Captioned picture = TinyPictures.all().get(1);
    Path image = Files.write(place.resolve("그림 1.png"), TinyPictures.bytes(picture.file()));
    String printed =
        withoutNetwork(
            home,
            "rank",
            file + "#tiny-siglip2",
            "--bundle-natives",
            "--image",
            image.toString(),
            "--text",
            TinyPictures.all().get(0).korean(),
            "--text",
            picture.korean(),
            "--json");
    Json ranked = Json.parse(printed.getBytes(StandardCharsets.UTF_8), "stdout");
    List<Json> scores = ranked.at("results").elements().get(0).at("scores").elements();
    assertThat(scores.get(1).doubleAt("similarity"))
        .isGreaterThan(scores.get(0).doubleAt("similarity"));
    // Its own natives: neither those of the jars were unpacked, nor the other model.
    List<String> left;
    try (Stream<Path> paths = Files.walk(home)) {
      left =
          paths
              .filter(Files::isRegularFile)
              .map(path -> home.relativize(path).toString().replace('\\', '/'))
              .toList();
    }
    assertThat(left)
        .anyMatch(
            name -> name.endsWith("-natives-onnxruntime/" + System.mapLibraryName("onnxruntime")))
        .anyMatch(
            name -> name.endsWith("-natives-tokenizers/" + System.mapLibraryName("tokenizers")))
        .anyMatch(name -> name.endsWith("-models-1/model.safetensors"))
        .noneMatch(name -> name.contains("-models-0/"))
        .noneMatch(name -> name.contains("lmm/natives/"))
        .noneMatch(name -> name.contains(".djl.ai"));
  }

  private static String withoutNetwork(Path home, String... arguments) throws Exception {
    List<String> command = new ArrayList<>();
    if (canCutTheNetwork()) {
      command.addAll(List.of("unshare", "-rn"));
    }
    command.addAll(
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Duser.home=" + home,
            "-XX:TieredStopAtLevel=1",
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            Main.class.getName()));
    command.addAll(List.of(arguments));
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
    builder
        .environment()
        .keySet()
        .removeIf(name -> name.startsWith("LMM_") || name.startsWith("XDG_"));
    builder.environment().put("HOME", home.toString());
    Process process = builder.start();
    String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(2, TimeUnit.MINUTES)).isTrue();
    assertThat(process.exitValue()).isZero();
    return printed;
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

  @Test
  void isLoadedByItsPathLikeAFolder() {
    Path file = folder.resolve("a.lmm");
    Ran packed = run("bundle", "tiny-clip", "--no-natives", "--out", file.toString());
    assertThat(packed.out()).startsWith(file + ": ").contains("  model tiny-clip");
    assertThat(packed.out()).doesNotContain("natives");
    assertThat(run("embed", file.toString(), "--text", "a red circle", "--json").out())
        .contains(
            run("embed", "tiny-clip", "--text", "a red circle", "--json")
                .out()
                .split("\"items\"", -1)[1]);
    assertThat(run("summary", file.toString()).status()).isZero();
    assertThat(run("estimate", file.toString(), "--json").out()).contains("\"total\":");
    assertThat(run("embed", file.toString(), "--text", "a", "--bundle-natives").err())
        .startsWith("lmm: " + file + ": has no native libraries");
  }

  @Test
  void tellsWhatIsWrong() {
    Path file = folder.resolve("a.lmm");
    assertThat(run("bundle", "tiny-clip").status()).isEqualTo(2);
    Ran unknown = run("bundle", "tiny-clop", "--out", file.toString());
    assertThat(unknown.status()).isEqualTo(1);
    assertThat(unknown.err()).startsWith("lmm: tiny-clop: is no folder").hasLineCount(1);
    Ran nowhere = run("bundle", "tiny-clip", "--out", folder.resolve("no/a.lmm").toString());
    assertThat(nowhere.status()).isEqualTo(1);
    assertThat(nowhere.err()).contains("cannot be written: there is no folder").hasLineCount(1);
    assertThat(file).doesNotExist();
  }
}
