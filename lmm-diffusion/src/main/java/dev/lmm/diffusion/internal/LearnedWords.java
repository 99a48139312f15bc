package dev.lmm.diffusion.internal;

import dev.lmm.CheckpointException;
import dev.lmm.InvalidRequestException;
import dev.lmm.TextualInversion;
import dev.lmm.core.checkpoint.CheckpointWeights;
import dev.lmm.core.engine.StoredFloats;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Words that stand for learned vectors (textual inversion, arXiv 2208.01618). */
final class LearnedWords {
  /** SDXL's tensors, by text encoder. */
  private static final Map<String, String> OF_TWO =
      Map.of("text_encoder", "clip_l", "text_encoder_2", "clip_g");

  /** More vectors than a prompt has tokens serve no one. */
  private static final int MOST = 1 << 12;

  private LearnedWords() {}

  /**
   * A piece of a text: plain, or a learned word.
   *
   * @param text the text, as written
   * @param rows -1 - the rows of its vectors; empty for plain text
   */
  @SuppressWarnings("ArrayRecordComponent") // handed over, never compared
  record Part(String text, int[] rows) {
    boolean isWord() {
      return rows.length > 0;
    }
  }

  /**
   * The vectors of one text encoder.
   *
   * @param words the rows of each word, longest word first
   * @param table all vectors, row by row
   * @param rows their number
   */
  @SuppressWarnings("ArrayRecordComponent") // handed over, never compared
  record Vectors(Map<String, int[]> words, float[] table, int rows) {
    static final Vectors NONE = new Vectors(Map.of(), new float[0], 0);

    /** Cuts a text where learned words stand, in upper or lower case, also within other words. */
    List<Part> split(String text) {
      List<Part> parts = new ArrayList<>();
      int from = 0;
      for (int at = 0; at < text.length(); at++) {
        for (Map.Entry<String, int[]> word : words.entrySet()) {
          int length = word.getKey().length();
          if (text.regionMatches(true, at, word.getKey(), 0, length)) {
            plain(text.substring(from, at), parts);
            parts.add(new Part(word.getKey(), word.getValue()));
            from = at + length;
            at = from - 1;
            break;
          }
        }
      }
      plain(text.substring(from), parts);
      return parts;
    }

    private static void plain(String text, List<Part> parts) {
      if (!text.isEmpty()) {
        parts.add(new Part(text, new int[0]));
      }
    }
  }

  /**
   * Reads the words of a request.
   *
   * @param words the words and their files
   * @param widths the width of each text encoder's vectors, by name of the part
   * @return by name of the part
   * @throws CheckpointException if a file is missing or broken, or for another model
   */
  static Map<String, Vectors> read(List<TextualInversion> words, Map<String, Integer> widths) {
    Map<String, Vectors> all = new LinkedHashMap<>();
    for (Map.Entry<String, Integer> encoder : widths.entrySet()) {
      Map<String, int[]> rows = new LinkedHashMap<>();
      List<float[]> tables = new ArrayList<>();
      int count = 0;
      for (TextualInversion word : words) {
        if (rows.keySet().stream().anyMatch(word.word()::equalsIgnoreCase)) {
          throw new InvalidRequestException(
              "textualInversion: the word " + word.word() + " is given twice");
        }
        float[] table = table(word.file(), encoder.getKey(), encoder.getValue(), widths.size());
        int[] own = new int[table.length / encoder.getValue()];
        for (int i = 0; i < own.length; i++) {
          own[i] = -1 - count++;
        }
        rows.put(word.word(), own);
        tables.add(table);
      }
      all.put(encoder.getKey(), new Vectors(longestFirst(rows), joined(tables), count));
    }
    return all;
  }

  private static float[] table(Path file, String encoder, int width, int encoders) {
    try (CheckpointWeights weights = CheckpointWeights.ofFile(file)) {
      Set<String> names = weights.names();
      boolean two = names.containsAll(OF_TWO.values());
      if (names.size() != (two ? 2 : 1) || two != (encoders == 2)) {
        throw new CheckpointException(
            file
                + ": holds "
                + names
                + "; expected "
                + (encoders == 2
                    ? "clip_l and clip_g, for the two text encoders of this model"
                    : "one tensor, for the one text encoder of this model"));
      }
      String name = two ? OF_TWO.getOrDefault(encoder, "") : names.iterator().next();
      long[] shape = weights.locate(name).shape();
      long count = shape.length == 1 ? 1 : shape[0];
      if (shape.length < 1
          || shape.length > 2
          || shape[shape.length - 1] != width
          || count < 1
          || count > MOST) {
        throw new CheckpointException(
            file
                + ": "
                + name
                + " is "
                + Arrays.toString(shape)
                + "; "
                + encoder
                + " reads vectors of "
                + width
                + ". An embedding for another model?");
      }
      return StoredFloats.read(weights, name);
    }
  }

  private static Map<String, int[]> longestFirst(Map<String, int[]> rows) {
    Map<String, int[]> sorted = new LinkedHashMap<>();
    rows.entrySet().stream()
        .sorted((a, b) -> Integer.compare(b.getKey().length(), a.getKey().length()))
        .forEach(word -> sorted.put(word.getKey(), word.getValue()));
    return sorted;
  }

  private static float[] joined(List<float[]> tables) {
    float[] all = new float[tables.stream().mapToInt(table -> table.length).sum()];
    int at = 0;
    for (float[] table : tables) {
      System.arraycopy(table, 0, all, at, table.length);
      at += table.length;
    }
    return all;
  }
}
