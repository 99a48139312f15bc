package dev.lmm.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lmm.core.hub.BundledModels;
import dev.lmm.tiny.TinyPictures;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What new users do wrong: each is told in one line what is wrong, and what to do. */
class UsersMistakesTest {
  @TempDir Path folder;

  @BeforeEach
  void writeFiles() throws IOException {
    byte[] picture = TinyPictures.bytes(TinyPictures.all().get(0).file());
    Files.write(folder.resolve("a.png"), picture);
    Files.write(folder.resolve("cut.png"), Arrays.copyOf(picture, picture.length / 2));
    Files.writeString(folder.resolve("text.png"), "hello\n");
    Files.createDirectory(folder.resolve("empty"));
    Files.createDirectory(folder.resolve("other"));
    Files.writeString(folder.resolve("other/config.json"), "{\"model_type\": \"florence2\"}");
    for (String name : List.of("no-weights", "pointer")) {
      Path model = Files.createDirectory(folder.resolve(name));
      for (String file : List.of("config.json", "preprocessor_config.json", "tokenizer.json")) {
        try (InputStream stream =
            TinyPictures.class.getResourceAsStream("/dev/lmm/tiny/clip/" + file)) {
          if (stream != null) {
            Files.copy(stream, model.resolve(file));
          }
        }
      }
      assertThat(model.resolve("config.json")).exists();
    }
    Files.writeString(
        folder.resolve("pointer/model.safetensors"),
        """
        version https://git-lfs.github.com/spec/v1
        oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393
        size 605247071
        """);
  }

  static Stream<Arguments> mistakes() {
    String rank = "rank|tiny-clip|--image|F/a.png|--text|a|";
    String draw = "generate|tiny-sd|--prompt|a|--steps|1|--out|F/x.png|";
    return Stream.of(
        mistake(
            "a bundled model's name with a slip",
            "rank|tiny-clop|--image|F/a.png|--text|a",
            "tiny-clop: is no folder, no file of lmm bundle, no bundled model and no hub id",
            "tiny-clip, "),
        mistake(
            "no network, and the model is not in the cache",
            "rank|someone/clip|--offline|--image|F/a.png|--text|a",
            "someone/clip: is not in the cache",
            "load it once with network, or set HF_HUB_CACHE"),
        mistake(
            "a folder that is not there",
            "rank|F/nowhere|--image|F/a.png|--text|a",
            "nowhere: is no folder",
            "hub id (owner/name)"),
        mistake(
            "a folder without a model",
            "rank|F/empty|--image|F/a.png|--text|a",
            "config.json: no such file",
            "the folder of a checkpoint?"),
        mistake(
            "a family that is not there",
            "rank|F/other|--image|F/a.png|--text|a",
            "model_type is florence2",
            "the families on the class path load ["),
        mistake(
            "a checkpoint without weights",
            "rank|F/no-weights|--image|F/a.png|--text|a",
            "has no weights",
            "is the download complete?"),
        mistake(
            "a clone without Git LFS",
            "rank|F/pointer|--image|F/a.png|--text|a",
            "model.safetensors: is a pointer of Git LFS, not the weights",
            "run git lfs pull"),
        mistake(
            "a picture's name with a slip",
            "rank|tiny-clip|--image|F/b.png|--text|a",
            "b.png: there is no such file",
            ""),
        mistake(
            "a folder as a picture",
            "rank|tiny-clip|--image|F/empty|--text|a",
            "empty: is a folder",
            "expected a picture file"),
        mistake(
            "a file that is no picture",
            "rank|tiny-clip|--image|F/text.png|--text|a",
            "text.png: this is no known picture format (it begins with 68 65 6c 6c 6f 0a)",
            "expected JPEG, PNG"),
        mistake(
            "a picture that was not copied whole",
            "rank|tiny-clip|--image|F/cut.png|--text|a",
            "cut.png: the file ends too early",
            ""),
        mistake(
            "a model that cannot do it", "chat|tiny-clip|--text|a", "tiny-clip does not talk", ""),
        mistake(
            "an engine that does not exist",
            rank + "--engine|tensorflow",
            "There is no engine tensorflow",
            "on the class path are auto, onnx, pytorch, reference"),
        mistake(
            "PyTorch without its library",
            rank + "--engine|pytorch",
            "Engine pytorch cannot run here: no native library on the class path",
            "add ai.djl.pytorch:pytorch-native-cpu:2.7.1 with classifier"),
        mistake(
            "a device that is not there",
            rank + "--device|cuda:0",
            "cuda:0 is not there",
            "engine onnx finds [cpu]"),
        mistake(
            "a precision the engine lacks",
            rank + "--precision|bf16",
            "engine onnx has no bf16 on cpu",
            "it has fp32, int8, int4"),
        mistake(
            "a scheduler's name with a slip",
            draw + "--scheduler|eulr",
            "scheduler: is eulr",
            "expected one of [ddim,"),
        mistake(
            "a size the model cannot make",
            draw + "--width|65|--height|64",
            "size: is 65x64",
            "expected multiples of 8"),
        mistake(
            "no steps",
            draw.replace("--steps|1", "--steps|0"),
            "steps: is 0",
            "expected 1 to 1000"),
        mistake(
            "a picture format that is not written",
            draw.replace("x.png", "x.gif"),
            "x.gif: expected a name that ends in",
            ".png, .jpg or .jpeg"),
        mistake(
            "a folder for the picture that is not there",
            draw.replace("x.png", "nowhere/x.png"),
            "x.png: cannot be written: there is no folder",
            "nowhere"),
        mistake(
            "nothing asked",
            "chat|tiny-qwen2.5-vl|--text| ",
            "text: is empty",
            "expected a question"));
  }

  private static Arguments mistake(String what, String line, String wrong, String cure) {
    return Arguments.of(what, line, wrong, cure);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("mistakes")
  void isToldInOneLineWithTheCure(String what, String line, String wrong, String cure) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    String[] arguments =
        Stream.of(line.split("\\|", -1))
            .filter(argument -> !argument.isEmpty())
            .map(argument -> argument.replace("F/", folder + "/"))
            .toArray(String[]::new);
    int status =
        Main.run(
            new PrintStream(out, true, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8),
            arguments);
    String told = err.toString(StandardCharsets.UTF_8);
    assertThat(status).as(told).isEqualTo(1);
    assertThat(out.toString(StandardCharsets.UTF_8)).isEmpty();
    assertThat(told.lines()).hasSize(1);
    assertThat(told).startsWith("lmm: ").contains(wrong).contains(cure).doesNotContain("Exception");
  }

  /** Those that lie in the model. */
  static Stream<Arguments> mistakesInModels() {
    return mistakes()
        .filter(mistake -> !((String) mistake.get()[1]).matches("\\w+\\|tiny-(?!clop).*"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("mistakesInModels")
  void doctorFindsItFirst(String what, String line, String wrong, String cure) {
    String model = line.split("\\|", -1)[1].replace("F/", folder + "/");
    String told = succeeds("doctor", model, "tiny-clip");
    assertThat(told.lines().filter(l -> l.contains(wrong) && l.contains(cure)))
        .singleElement()
        .asString()
        .startsWith("[!!] ");
    assertThat(told).contains("[ok] tiny-clip: ");
    assertThat(succeeds("doctor", "--json", model, "tiny-clip"))
        .contains(wrong, "\"models\":{\"tiny-clip\":\"");
  }

  @Test
  void spacesAndHangulInPathsAreNoMistake() throws IOException {
    Path named = Files.createDirectory(folder.resolve("내 그림 (여름)")).resolve("고양이 1.png");
    Files.copy(folder.resolve("a.png"), named);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    int status =
        Main.run(
            new PrintStream(out, true, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8),
            "rank",
            "tiny-clip",
            "--image",
            named.toString(),
            "--text",
            "a star");
    assertThat(status).as(err.toString(StandardCharsets.UTF_8)).isZero();
    assertThat(out.toString(StandardCharsets.UTF_8)).contains(named.toString());
  }

  @Test
  void spacesAndHangulInModelHubAndResultAreNoMistake() throws IOException {
    Path model = folder.resolve("내 모델 (1)");
    copy(BundledModels.find("tiny-sd"), model);
    Path drawn = Files.createDirectory(folder.resolve("결과 폴더")).resolve("그림 1.png");
    succeeds(
        "generate",
        model.toString(),
        "--prompt",
        "빨간 원",
        "--steps",
        "1",
        "--out",
        drawn.toString());
    assertThat(drawn).isNotEmptyFile();

    String commit = "0123456789abcdef0123456789abcdef01234567";
    Path hub = folder.resolve("허브 캐시 1");
    Path repository = hub.resolve("models--someone--clip");
    copy(BundledModels.find("tiny-clip"), repository.resolve("snapshots").resolve(commit));
    Files.createDirectories(repository.resolve("refs"));
    Files.writeString(repository.resolve("refs/main"), commit);
    assertThat(
            succeeds(
                "embed",
                "someone/clip",
                "--offline",
                "--cache",
                hub.toString(),
                "--text",
                "빨간 원",
                "--json"))
        .contains("\"embedding\":[");
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Path target = to.resolve(from.relativize(file).toString());
        Files.createDirectories(target.getParent());
        Files.copy(file, target);
      }
    }
  }

  private static String succeeds(String... arguments) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    int status =
        Main.run(
            new PrintStream(out, true, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8),
            arguments);
    assertThat(status).as(err.toString(StandardCharsets.UTF_8)).isZero();
    return out.toString(StandardCharsets.UTF_8);
  }

  @Test
  void aHomeThatCannotBeWrittenIsToldWithTheCure() {
    String before = System.getProperty("lmm.cache", "");
    System.setProperty("lmm.cache", folder.resolve("a.png").resolve("cache").toString());
    try {
      isToldInOneLineWithTheCure(
          "",
          "rank|tiny-clip|--image|F/a.png|--text|a",
          "the bundled model tiny-clip cannot be taken out",
          "set LMM_CACHE to a folder that can be written");
    } finally {
      if (before.isEmpty()) {
        System.clearProperty("lmm.cache");
      } else {
        System.setProperty("lmm.cache", before);
      }
    }
  }

  @Test
  void aModelThatIsTooLargeIsToldBeforeItIsLoaded() throws IOException {
    Path config = folder.resolve("no-weights/config.json");
    Files.writeString(
        config,
        Files.readString(config)
            .replaceAll("\"(intermediate_size|hidden_size)\": [0-9]+", "\"$1\": 196608")
            .replaceAll("\"num_hidden_layers\": [0-9]+", "\"num_hidden_layers\": 100"));
    String told = succeeds("estimate", config.getParent().toString(), "--dry-random");
    assertThat(told).contains("it does not fit");
  }

  @Test
  void aHeapThatIsTooSmallIsToldWithTheCure() {
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    int status =
        Main.run(
            new PrintStream(err, true, StandardCharsets.UTF_8),
            () -> new long[Integer.MAX_VALUE - 8].length); // 17 GB
    String told = err.toString(StandardCharsets.UTF_8);
    assertThat(status).as(told).isEqualTo(1);
    assertThat(told.lines()).hasSize(1);
    assertThat(told)
        .startsWith("lmm: Java's heap of ")
        .contains(" is full (Java heap space): start Java with more, for instance -Xmx2g");
  }

  /** Processors and systems without natives, as Java names them: 32 bits, Intel Macs. */
  @ParameterizedTest
  @CsvSource({
    "Linux,x86,linux-x86,this Java has 32 bits: install a JDK of 64 bits",
    "Mac OS X,x86_64,osx-x64,on a Mac with Apple silicon this Java was made for Intel"
  })
  void doctorFindsMachinesWithoutNativesFirst(
      String system, String processor, String label, String cure) throws Exception {
    assertThat(process(List.of("-Dos.name=" + system, "-Dos.arch=" + processor), "doctor"))
        .contains(
            "[!!] there are no native libraries for " + label,
            "onnxruntime has no native library for " + label,
            cure,
            "use the engine \"reference\"",
            "[ok] reference");
  }

  /** What the command says in a process of its own. */
  private String process(List<String> options, String... arguments) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(options);
    command.addAll(List.of("-XX:TieredStopAtLevel=1", "-cp"));
    command.addAll(List.of(System.getProperty("java.class.path"), Main.class.getName()));
    command.addAll(List.of(arguments));
    Path said = folder.resolve("said.txt");
    Process process =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(said.toFile()).start();
    boolean over = process.waitFor(60, TimeUnit.SECONDS);
    process.destroyForcibly();
    String told = Files.readString(said);
    assertThat(over).as(told).isTrue();
    return told;
  }
}
