package dev.lmm.core.text;

import dev.lmm.CheckpointException;
import java.nio.charset.StandardCharsets;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** The ids of pieces and added tokens of a tokenizer.json. Thread-safe. */
final class Vocabulary {
  private static final String BLANK = "\u2581";

  /** How pieces for single bytes are spelt. */
  private static final List<String> BYTE_NAMES =
      IntStream.range(0, 256).mapToObj("<0x%02X>"::formatted).toList();

  /** Many times the largest vocabulary there is. */
  private static final int MOST_IDS = 1 << 22;

  private final Map<String, ?> pieces;
  private final Map<String, Number> added;
  private final BitSet bytes = new BitSet();
  private final int size;
  private final Spelling spelling;
  private byte[] @Nullable [] written;

  /** How pieces are spelt, by the decoder that turns them into text. */
  private enum Spelling {
    /** Each character stands for a byte, as GPT-2 has it. */
    BYTES,
    /** Text with a mark for blanks, and perhaps pieces for single bytes. */
    MARKED,
    /** In a way whose bytes depend on the neighbours. */
    OTHER
  }

  private Vocabulary(
      Map<String, ?> pieces, Map<String, Number> added, Spelling spelling, String source) {
    this.spelling = spelling;
    this.pieces = pieces;
    this.added = added;
    this.size = Math.max(end(pieces, source), end(added, source));
    for (String name : BYTE_NAMES) {
      id(name).ifPresent(bytes::set);
    }
  }

  /** One more than the largest id; tables have a place for each below it. */
  private static int end(Map<String, ?> ids, String source) {
    int end = 0;
    for (Map.Entry<String, ?> each : ids.entrySet()) {
      long id = each.getValue() instanceof Number number ? number.longValue() : -1;
      if (id >= MOST_IDS) {
        throw new CheckpointException(
            source
                + ": the token "
                + (each.getKey().length() > 100 ? "of a long text" : each.getKey())
                + " has the id "
                + id
                + "; expected less than "
                + MOST_IDS);
      }
      end = Math.max(end, (int) id + 1);
    }
    return end;
  }

  /**
   * Reads a tree that the native library has accepted.
   *
   * @param json the tokenizer.json as plain Java
   * @param source the file it comes from, for messages
   * @return its vocabulary
   * @throws CheckpointException if an id is larger than any vocabulary has
   */
  static Vocabulary of(Map<String, ?> json, String source) {
    Map<String, Number> added = new HashMap<>();
    if (json.get("added_tokens") instanceof List<?> tokens) {
      for (Object token : tokens) {
        if (token instanceof Map<?, ?> map
            && map.get("content") instanceof String content
            && map.get("id") instanceof Number id) {
          added.put(content, id);
        }
      }
    }
    Object vocabulary = json.get("model") instanceof Map<?, ?> model ? model.get("vocab") : null;
    String decoder = String.valueOf(json.get("decoder"));
    Spelling spelling =
        decoder.contains("ByteLevel")
            ? Spelling.BYTES
            : decoder.contains("Metaspace") || decoder.contains(BLANK)
                ? Spelling.MARKED
                : Spelling.OTHER;
    return new Vocabulary(pieces(vocabulary), added, spelling, source);
  }

  @SuppressWarnings("unchecked") // JSON's keys are strings
  private static Map<String, ?> pieces(@Nullable Object vocabulary) {
    if (vocabulary instanceof Map<?, ?> map) {
      return (Map<String, ?>) map;
    }
    Map<String, Number> pieces = new HashMap<>();
    if (vocabulary instanceof List<?> list) {
      for (int i = 0; i < list.size(); i++) {
        if (list.get(i) instanceof List<?> pair && pair.get(0) instanceof String piece) {
          pieces.putIfAbsent(piece, i);
        }
      }
    }
    return pieces;
  }

  /** The id of a piece or added token. */
  OptionalInt id(String piece) {
    Object id = added.get(piece);
    if (id == null) {
      id = pieces.get(piece);
    }
    return id instanceof Number number && number.longValue() == number.intValue()
        ? OptionalInt.of(number.intValue())
        : OptionalInt.empty();
  }

  /** The bytes that a piece writes, or null for added tokens and ids that are none. */
  synchronized byte @Nullable [] bytes(int id) {
    byte[] @Nullable [] table = written;
    if (table == null) {
      table = new byte[size][];
      for (Map.Entry<String, ?> each : pieces.entrySet()) {
        if (each.getValue() instanceof Number number
            && number.longValue() >= 0
            && number.longValue() < size) {
          table[number.intValue()] = spelt(each.getKey(), number.intValue());
        }
      }
      for (Number control : added.values()) {
        if (control.longValue() >= 0 && control.longValue() < size) {
          table[control.intValue()] = null;
        }
      }
      written = table;
    }
    return id < 0 || id >= table.length || table[id] == null ? null : table[id].clone();
  }

  private byte @Nullable [] spelt(String piece, int id) {
    switch (spelling) {
      case BYTES -> {
        byte[] raw = new byte[piece.length()];
        for (int i = 0; i < raw.length; i++) {
          int b = ByteAlphabet.value(piece.charAt(i));
          if (b < 0) {
            return null;
          }
          raw[i] = (byte) b;
        }
        return raw;
      }
      case MARKED -> {
        return bytes.get(id)
            ? new byte[] {(byte) Integer.parseInt(piece.substring(3, 5), 16)}
            : piece.replace(BLANK, " ").getBytes(StandardCharsets.UTF_8);
      }
      default -> {
        return null;
      }
    }
  }

  /** The added tokens by spelling. */
  Map<String, Integer> addedTokens() {
    Map<String, Integer> tokens = new HashMap<>();
    added.forEach((text, id) -> tokens.put(text, id.intValue()));
    return tokens;
  }

  /** One more than the largest id. */
  int size() {
    return size;
  }

  /** Whether an id is one of the 256 pieces that stand for a byte. */
  boolean isByte(int id) {
    return id >= 0 && bytes.get(id);
  }
}
