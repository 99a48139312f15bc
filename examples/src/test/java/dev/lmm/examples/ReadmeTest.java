package dev.lmm.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What the README shows is what the examples compile. */
class ReadmeTest {
  private static final Pattern JAVA = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL);

  @Test
  void everySnippetStandsInAnExample() throws IOException {
    StringBuilder sources = new StringBuilder();
    try (Stream<Path> files = Files.list(Path.of("src/main/java/dev/lmm/examples"))) {
      for (Path file : files.sorted().toList()) {
        sources.append(Files.readString(file)).append('\n');
      }
    }
    String compiled = plain(sources.toString());
    List<String> snippets = new ArrayList<>();
    Matcher matcher = JAVA.matcher(Files.readString(Path.of("../README.md")));
    while (matcher.find()) {
      snippets.add(plain(matcher.group(1)));
    }
    assertThat(snippets).hasSizeGreaterThanOrEqualTo(5).allMatch(compiled::contains);
  }

  @Test
  void everyExampleIsListedAndShort() throws IOException {
    String readme = Files.readString(Path.of("../README.md"));
    try (Stream<Path> files = Files.list(Path.of("src/main/java/dev/lmm/examples"))) {
      for (Path file : files.sorted().toList()) {
        String name = file.getFileName().toString();
        if (!name.equals("package-info.java")) {
          assertThat(readme).contains("| [" + name.replace(".java", "") + "](");
          assertThat(Files.readAllLines(file)).as(name).hasSizeLessThan(60);
        }
      }
    }
    Matcher pictures = Pattern.compile("!\\[[^]]*]\\(([^)]*)\\)").matcher(readme);
    while (pictures.find()) {
      assertThat(Path.of("..").resolve(pictures.group(1))).isRegularFile();
    }
  }

  /** Without the differences that indentation and line breaks make. */
  private static String plain(String code) {
    return code.replaceAll("\\s+", "");
  }
}
