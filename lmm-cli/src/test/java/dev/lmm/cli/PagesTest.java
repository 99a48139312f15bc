package dev.lmm.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** Command lines that the README and the pages of docs/ show are ones that this lmm takes. */
class PagesTest {
  private static final Path ROOT = Path.of("..");
  private static final Pattern LINE =
      Pattern.compile("^(?:\\./lmm|lmm|java -jar \\S*lmm-cli\\S*\\.jar) (.*?)\\s*(?:# .*)?$");
  private static final Pattern WORD = Pattern.compile("\"([^\"]*)\"|(\\S+)");

  @Test
  void everyCommandLineIsTaken() throws IOException {
    List<Path> pages = new ArrayList<>(List.of(ROOT.resolve("README.md")));
    pages.add(ROOT.resolve("CONTRIBUTING.md"));
    try (Stream<Path> files = Files.walk(ROOT.resolve("docs"))) {
      files.filter(file -> file.toString().endsWith(".md")).sorted().forEach(pages::add);
    }
    int found = 0;
    for (Path page : pages) {
      for (String line : shown(Files.readAllLines(page))) {
        Matcher command = LINE.matcher(line);
        if (command.matches()) {
          found++;
          assertThatCode(() -> parse(command.group(1)))
              .as("%s shows: %s", ROOT.relativize(page), line)
              .doesNotThrowAnyException();
        }
      }
    }
    assertThat(found).isGreaterThanOrEqualTo(10);
  }

  /** Lines of fenced blocks of no language, or of a shell's; one that goes on is one line. */
  private static List<String> shown(List<String> page) {
    List<String> shown = new ArrayList<>();
    boolean inside = false;
    boolean shell = false;
    String begun = "";
    for (String line : page) {
      if (line.startsWith("```")) {
        shell = !inside && List.of("```", "```sh", "```bash").contains(line.strip());
        inside = !inside;
      } else if (shell && line.endsWith("\\")) {
        begun += line.substring(0, line.length() - 1);
      } else if (shell) {
        shown.add(begun + line);
        begun = "";
      }
    }
    return shown;
  }

  private static void parse(String line) {
    List<String> words = new ArrayList<>();
    Matcher word = WORD.matcher(line);
    while (word.find()) {
      words.add(word.group(1) != null ? word.group(1) : word.group(2));
    }
    PrintStream nowhere = new PrintStream(PrintStream.nullOutputStream());
    CommandLine parser =
        new CommandLine(new Main(), new Commands(new Output(nowhere, nowhere)))
            .setCaseInsensitiveEnumValuesAllowed(true);
    parser.parseArgs(words.toArray(String[]::new));
  }
}
