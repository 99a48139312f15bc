package dev.lmm.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.lmm.core.json.Json;
import dev.lmm.tiny.TinyPictures;
import dev.lmm.tiny.TinyPictures.Captioned;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code search}: what it finds, what it keeps, and what it says of wrong input. */
class SearchCommandTest {
  private static final List<Captioned> PICTURES = TinyPictures.all();

  @TempDir Path temporary;
  private Path folder;

  private record Ran(int status, String out, String err) {
    List<Json> results() {
      assertThat(status).as(err).isZero();
      Json json = Json.parse(out.getBytes(StandardCharsets.UTF_8), "stdout");
      assertThat(json.keys()).containsExactly("model", "engine", "device", "precision", "results");
      return json.at("results").elements();
    }
  }

  private static Ran run(String... arguments) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    int status;
    try (PrintStream o = new PrintStream(out, true, StandardCharsets.UTF_8);
        PrintStream e = new PrintStream(err, true, StandardCharsets.UTF_8)) {
      status = Main.run(o, e, arguments);
    }
    return new Ran(
        status, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
  }

  @BeforeEach
  void writePictures() throws IOException {
    folder = Files.createDirectories(temporary.resolve("내 그림"));
    for (Captioned picture : PICTURES) {
      Files.write(folder.resolve(picture.file()), TinyPictures.bytes(picture.file()));
    }
    Files.writeString(folder.resolve("notes.txt"), "not a picture, and not named as one");
  }

  private Ran search(String model, String... more) {
    List<String> arguments = new ArrayList<>(List.of("search", model, folder.toString()));
    arguments.addAll(List.of(more));
    return run(arguments.toArray(new String[0]));
  }

  @ParameterizedTest
  @ValueSource(strings = {"tiny-clip", "tiny-siglip2"})
  void findsByTextInTwoLanguagesAndByPicture(String model) throws IOException {
    Captioned wanted = PICTURES.get(4);
    Path file = folder.resolve(wanted.file());
    for (String text : List.of(wanted.english(), wanted.korean())) {
      Ran ran = search(model, "--text", text, "--top", "3", "--json");
      assertThat(ran.err).isEmpty();
      List<Json> results = ran.results();
      assertThat(results).hasSize(3);
      assertThat(results.get(0).keys()).containsExactly("image", "similarity");
      assertThat(results.get(0).stringAt("image")).isEqualTo(file.toString());
      double before = 1;
      for (Json result : results) {
        assertThat(result.doubleAt("similarity")).isLessThanOrEqualTo(before);
        before = result.doubleAt("similarity");
      }
    }
    // A picture from elsewhere.
    Path copy = Files.copy(file, temporary.resolve("copy.png"));
    Json best = search(model, "--image", copy.toString(), "--json").results().get(0);
    assertThat(best.stringAt("image")).isEqualTo(file.toString());
    assertThat(best.doubleAt("similarity")).isCloseTo(1, within(1e-5));
  }

  @Test
  void keepsItsIndexBesideTheFolderAndFollowsIt() throws IOException {
    Ran first = search("tiny-clip", "--text", "a star");
    assertThat(first.status).isZero();
    assertThat(first.err.strip())
        .isEqualTo(
            "lmm: index: %d added, 0 changed, 0 removed, 0 unchanged".formatted(PICTURES.size()));
    assertThat(first.out.lines()).hasSize(PICTURES.size());
    assertThat(first.out.lines().toList()).allMatch(l -> l.matches(" *-?0\\.\\d{4}  .*\\.png"));
    assertThat(temporary.resolve("내 그림.lmm-index/tiny-clip-fp32")).isDirectory();
    Ran second = search("tiny-clip", "--text", "a star");
    assertThat(second.err).as("nothing was embedded again").isEmpty();
    assertThat(second.out).isEqualTo(first.out);
    Files.delete(folder.resolve(PICTURES.get(0).file()));
    Files.writeString(folder.resolve("broken.jpg"), "hello");
    Ran third = search("tiny-clip", "--text", "a star");
    assertThat(third.err)
        .contains("lmm: passed over: " + folder.resolve("broken.jpg") + ": this is no known")
        .contains("0 added, 0 changed, 1 removed, %d unchanged".formatted(PICTURES.size() - 1));
    assertThat(third.out).doesNotContain(PICTURES.get(0).file());
    assertThat(search("tiny-clip", "--text", "a star", "--quiet").err).isEmpty();
  }

  @Test
  void anIndexOfAnotherModelIsRefused() {
    String index = temporary.resolve("index").toString();
    assertThat(search("tiny-clip", "--text", "a", "--index", index).status).isZero();
    Ran other = search("tiny-siglip2", "--text", "a", "--index", index);
    assertThat(other.status).isEqualTo(1);
    assertThat(other.err.lines()).hasSize(1);
    assertThat(other.err)
        .contains("was made with tiny-clip in fp32, this is tiny-siglip2 in fp32")
        .contains("delete the folder to have it made again");
  }

  @Test
  void wrongInputIsNamed() throws IOException {
    assertThat(search("tiny-clip").status).isEqualTo(2);
    assertThat(search("tiny-clip", "--text", "a", "--image", "b.png").status).isEqualTo(2);
    Ran none = search("tiny-clip", "--text", "a", "--top", "0");
    assertThat(none.status).isEqualTo(2);
    assertThat(none.err).contains("--top is 0, expected at least 1");
    assertThat(run("search", "tiny-clip").status).isEqualTo(2);

    String nowhere = temporary.resolve("nowhere").toString();
    failed(
        run("search", "tiny-clip", nowhere, "--text", "a"), nowhere + ": there is no such folder");
    String empty = Files.createDirectories(temporary.resolve("empty")).toString();
    failed(
        run("search", "tiny-clip", empty, "--text", "a"),
        empty + ": holds no picture that can be read");
    failed(search("tiny-clip", "--text", " "), "text: is blank");
    failed(search("tiny-clip", "--image", nowhere), nowhere + ": there is no such file");
    failed(search("tiny-sd", "--text", "a"), "tiny-sd");
    Path foreign = Files.createDirectories(temporary.resolve("foreign"));
    Files.writeString(foreign.resolve("letter.txt"), "dear");
    failed(
        search("tiny-clip", "--text", "a", "--index", foreign.toString()),
        "holds letter.txt, and no index of pictures");
  }

  private static void failed(Ran ran, String message) {
    assertThat(ran.status).as(ran.err).isEqualTo(1);
    assertThat(ran.out).isEmpty();
    assertThat(ran.err.lines()).hasSize(1);
    assertThat(ran.err).startsWith("lmm: ").contains(message).doesNotContain("Exception");
  }
}
