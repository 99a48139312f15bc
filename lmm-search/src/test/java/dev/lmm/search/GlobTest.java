package dev.lmm.search;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lmm.InvalidRequestException;
import java.text.Normalizer;
import org.apache.lucene.util.automaton.CharacterRunAutomaton;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class GlobTest {
  private static boolean matches(String glob, String path) {
    return new CharacterRunAutomaton(Glob.automaton(glob)).run(path);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "2024/*.jpg|2024/a.jpg|true",
        "2024/*.jpg|2024/summer/a.jpg|false",
        "2024/**|2024/summer/a.jpg|true",
        "2024/**|2023/a.jpg|false",
        "**/a.jpg|a.jpg|true",
        "**/a.jpg|x/y/a.jpg|true",
        "**/a.jpg|x/ba.jpg|false",
        "2024/**/a.jpg|2024/a.jpg|true",
        "2024/**/a.jpg|2024/x/y/a.jpg|true",
        "**|anything/at/all|true",
        "a?c|abc|true",
        "a?c|a/c|false",
        "a?c|a강c|true",
        "a?c|a😀c|true",
        "[a-c]x|bx|true",
        "[a-c]x|dx|false",
        "[!a-c]x|dx|true",
        "[!a-c]x|/x|false",
        "[]x]|]|true",
        "[a-]|-|true",
        "*.{jpg,png}|a.png|true",
        "*.{jpg,png}|a.gif|false",
        "{a,b{c,d}}|bd|true",
        "{,x}a|a|true",
        "\\*|*|true",
        "\\*|a|false",
        "a.b|axb|false",
        "여름/*|여름/바다.jpg|true",
        "A.jpg|a.jpg|false"
      })
  void followsTheRulesOfShells(String glob, String path, boolean expected) {
    assertThat(matches(glob, path)).isEqualTo(expected);
  }

  @Test
  void hangulIsTheSameInEitherSpelling() {
    String apart = Normalizer.normalize("여름/*", Normalizer.Form.NFD);
    assertThat(apart).isNotEqualTo("여름/*");
    assertThat(matches(apart, "여름/바다.jpg")).isTrue();
  }

  @Test
  void anIntricatePatternIsRefusedInTime() {
    String glob = "**a" + "?".repeat(40) + "b**a" + "[ab]".repeat(40) + "**";
    assertThatThrownBy(() -> Glob.query("path", glob))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("is too intricate; use fewer *");
  }

  @ParameterizedTest
  @ValueSource(strings = {"[a", "{a", "a}", "[b-a]", "a\\", "{a,b"})
  void brokenPatternsAreNamed(String glob) {
    assertThatThrownBy(() -> Glob.query("path", glob))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("glob: " + glob);
  }
}
