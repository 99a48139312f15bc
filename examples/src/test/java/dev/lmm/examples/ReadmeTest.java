package dev.lmm.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * What the README and the pages of docs/ show is what is compiled and run: each piece of Java
 * stands in one file of the examples, all of which {@link ExamplesTest} and {@link FirstStepsTest}
 * run, or in a test that is named after its page, {@code NamePageTest}.
 */
class ReadmeTest {
  private static final Path ROOT = Path.of("..");
  private static final Pattern BLOCK =
      Pattern.compile("^```([a-z]+)\n(.*?)^```", Pattern.DOTALL | Pattern.MULTILINE);

  private static final Pattern TAG = Pattern.compile("<(/?)([A-Za-z][A-Za-z0-9.-]*)>");
  private static final Pattern OURS =
      Pattern.compile("<groupId>dev\\.lmm</groupId>\\s*<artifactId>([^<]+)</artifactId>");

  /** A fenced block of a page. */
  private record Snippet(String page, String language, String text) {}

  private static List<Snippet> snippets(String language) throws IOException {
    List<Path> pages = new ArrayList<>(List.of(ROOT.resolve("README.md")));
    pages.add(ROOT.resolve("CONTRIBUTING.md"));
    try (Stream<Path> files = Files.walk(ROOT.resolve("docs"))) {
      files.filter(file -> file.toString().endsWith(".md")).sorted().forEach(pages::add);
    }
    List<Snippet> snippets = new ArrayList<>();
    for (Path page : pages) {
      Matcher matcher = BLOCK.matcher(Files.readString(page));
      while (matcher.find()) {
        if (matcher.group(1).equals(language)) {
          snippets.add(new Snippet(ROOT.relativize(page).toString(), language, matcher.group(2)));
        }
      }
    }
    return snippets;
  }

  /** Sources that are run, without their blanks. */
  private static List<String> sources() throws IOException {
    List<String> sources = new ArrayList<>();
    try (Stream<Path> files = Files.list(Path.of("src/main/java/dev/lmm/examples"))) {
      for (Path file : files.sorted().toList()) {
        sources.add(plain(Files.readString(file)));
      }
    }
    List<Path> modules = new ArrayList<>();
    for (Path folder : List.of(ROOT, ROOT.resolve("integrations"))) {
      try (Stream<Path> files = Files.list(folder)) {
        files
            .map(file -> file.resolve("src/test/java"))
            .filter(Files::isDirectory)
            .forEach(modules::add);
      }
    }
    for (Path module : modules) {
      try (Stream<Path> files = Files.walk(module)) {
        for (Path file :
            files.filter(path -> path.toString().endsWith("PageTest.java")).sorted().toList()) {
          sources.add(plain(Files.readString(file)));
        }
      }
    }
    return sources;
  }

  @Test
  void everyPieceOfJavaIsCompiledAndRun() throws IOException {
    List<String> sources = sources();
    List<Snippet> snippets = snippets("java");
    assertThat(snippets).hasSizeGreaterThanOrEqualTo(25);
    List<Snippet> untested =
        snippets.stream()
            .filter(
                snippet ->
                    sources.stream().noneMatch(source -> source.contains(plain(snippet.text()))))
            .toList();
    assertThat(untested).as("Java that stands in no example and no NamePageTest").isEmpty();
  }

  /** Maven's pieces are XML, and what they name of ours is what the build makes. */
  @Test
  void everyPieceOfXmlNamesArtifactsThatAreThere() throws IOException {
    Set<String> ours = new TreeSet<>();
    try (Stream<Path> files = Files.walk(ROOT, 4)) {
      for (Path pom :
          files
              .filter(file -> file.endsWith("pom.xml") && !file.toString().contains("/target/"))
              .filter(file -> !file.toString().contains("/downstream/"))
              .toList()) {
        ours.addAll(artifacts(Files.readString(pom).replaceAll("(?s)<parent>.*?</parent>", "")));
      }
    }
    assertThat(ours).contains("lmm-bom", "lmm-onnx", "lmm-tiny");
    List<Snippet> snippets = snippets("xml");
    assertThat(snippets).hasSizeGreaterThanOrEqualTo(2);
    for (Snippet snippet : snippets) {
      Deque<String> open = new ArrayDeque<>();
      Matcher tag = TAG.matcher(snippet.text().replaceAll("(?s)<!--.*?-->", ""));
      while (tag.find()) {
        if (tag.group(1).isEmpty()) {
          open.push(tag.group(2));
        } else {
          assertThat(open.poll())
              .as("%s: what </%s> closes", snippet.page(), tag.group(2))
              .isEqualTo(tag.group(2));
        }
      }
      assertThat(open).as("%s: left open", snippet.page()).isEmpty();
      Matcher artifact = OURS.matcher(snippet.text());
      while (artifact.find()) {
        assertThat(ours).as(snippet.page()).contains(artifact.group(1));
      }
    }
  }

  private static List<String> artifacts(String pom) {
    return Pattern.compile("<artifactId>([^<]+)</artifactId>")
        .matcher(pom)
        .results()
        .map(found -> found.group(1))
        .toList();
  }

  @Test
  void everyExampleIsListed() throws IOException {
    String readme = Files.readString(Path.of("../README.md"));
    try (Stream<Path> files = Files.list(Path.of("src/main/java/dev/lmm/examples"))) {
      for (Path file : files.sorted().toList()) {
        String name = file.getFileName().toString();
        if (Files.readString(file).contains("void main(String[]")) {
          assertThat(readme).contains("| [" + name.replace(".java", "") + "](");
        }
      }
    }
    Matcher pictures = Pattern.compile("!\\[[^]]*]\\(([^)]*)\\)").matcher(readme);
    while (pictures.find()) {
      assertThat(Path.of("..").resolve(pictures.group(1))).isRegularFile();
    }
  }

  /** The whole file is counted: imports, blank lines and comments too. */
  @Test
  void everyExampleIsShorterThanSixtyLines() throws IOException {
    int examples = 0;
    try (Stream<Path> files = Files.list(Path.of("src/main/java/dev/lmm/examples"))) {
      for (Path file : files.sorted().toList()) {
        List<String> lines = Files.readAllLines(file);
        if (String.join("\n", lines).contains("void main(String[]")) {
          examples++;
          assertThat(lines).as(file.toString()).hasSizeLessThan(60);
        }
      }
    }
    assertThat(examples).isGreaterThanOrEqualTo(20);
  }

  /** Without the differences that indentation and line breaks make. */
  private static String plain(String code) {
    return code.replaceAll("\\s+", "");
  }
}
