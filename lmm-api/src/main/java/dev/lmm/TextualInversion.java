package dev.lmm;

import java.nio.file.Path;

/**
 * A word of prompts that stands for learned vectors (textual inversion, arXiv 2208.01618).
 *
 * @param word what prompts call it, in upper or lower case
 * @param file a {@code .safetensors}, or a {@code .bin} or {@code .pt} that holds tensors alone
 */
public record TextualInversion(String word, Path file) {
  /**
   * Checks.
   *
   * @param word not blank
   * @param file the file; read when a request runs
   */
  public TextualInversion {
    Check.notNull(word, "textualInversion");
    Check.notNull(file, "textualInversion");
    Check.that(!word.isBlank(), "textualInversion: the word is blank");
  }
}
