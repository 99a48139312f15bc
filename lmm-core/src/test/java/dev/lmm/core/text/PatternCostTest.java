package dev.lmm.core.text;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PatternCostTest {
  /** Patterns of published tokenizers. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        // CLIP
        "<\\|startoftext\\|>|<\\|endoftext\\|>|'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+",
        "\\s+",
        // GPT-2
        "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
        // Qwen 2
        "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
        // Llama 3
        "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
        // o200k
        "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
        // cl100k with possessive repetitions
        "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+",
        // sentencepiece conversions, DeepSeek
        " {2,}",
        "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
        "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+",
        "[^\\n]+|[\\n]+",
      })
  void publishedPatternsPass(String pattern) {
    assertThat(PatternCost.problem(pattern)).isNull();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '~',
      value = {
        "(a+)+$;a repeated group",
        "(a|a)*b;a repeated group",
        "(?:ab){2,5};a repeated group",
        "a*+*;a repetition of a repetition",
        "a{2}{2};a repetition of a repetition",
        "a{1,3}+;a repetition of a repetition",
        "\\p{L}\\x{61}+[ab]++[ab]+;too many ways to match the same text",
        "a+b*+c;too many ways to match the same text",
        "a*a*b;too many ways to match the same text",
        "a?a?a?a?a*b;too many ways to match the same text",
        "(a*)(a*)b;too many ways to match the same text",
        "(?:x(?:a*a*c)?)b;too many ways to match the same text",
        "(?=a*a*b);too many ways to match the same text",
        "(a)\\1;a reference to a group",
        "(?<n>a)\\k<n>;a group of a kind that no tokenizer needs",
        "(?~ab);a group of a kind that no tokenizer needs",
        "(?i)a;flags for the rest of the pattern",
        "(*FAIL);a callout",
        "a{100000};a count over 1000",
        "((;an open parenthesis",
        "a);a closing parenthesis too many",
        "[a;an open bracket",
        "*a;a repetition of nothing",
        "(?<=a*)b;a look behind",
      })
  void runawaysAreNamed(String pattern, String problem) {
    assertThat(PatternCost.problem(pattern)).isEqualTo(problem);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"(", "[", "\\", "(?", "(?i", "a{", "\\p{", "[\\", "(?:", "|", "", "{", "a{,}"})
  void stumpsEndTheWalk(String pattern) {
    String problem = PatternCost.problem(pattern);
    assertThat(problem == null || !problem.isEmpty()).isTrue();
  }
}
