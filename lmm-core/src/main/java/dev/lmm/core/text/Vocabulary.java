package dev.lmm.core.text;

import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** The ids of pieces and added tokens of a tokenizer.json. Immutable. */
final class Vocabulary {
  private final Map<String, ?> pieces;
  private final Map<String, Number> added;
  private final BitSet bytes = new BitSet();
  private final int size;

  private Vocabulary(Map<String, ?> pieces, Map<String, Number> added) {
    this.pieces = pieces;
    this.added = added;
    long largest = -1;
    for (Object id : pieces.values()) {
      largest = Math.max(largest, id instanceof Number number ? number.longValue() : -1);
    }
    for (Number id : added.values()) {
      largest = Math.max(largest, id.longValue());
    }
    this.size = (int) Math.min(Integer.MAX_VALUE, largest + 1);
    for (int b = 0; b < 256; b++) {
      id("<0x%02X>".formatted(b)).ifPresent(bytes::set);
    }
  }

  /**
   * Reads a tree that the native library has accepted.
   *
   * @param json the tokenizer.json as plain Java
   * @return its vocabulary
   */
  static Vocabulary of(Map<String, ?> json) {
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
    return new Vocabulary(pieces(vocabulary), added);
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

  /** One more than the largest id. */
  int size() {
    return size;
  }

  /** Whether an id is one of the 256 pieces that stand for a byte. */
  boolean isByte(int id) {
    return id >= 0 && bytes.get(id);
  }
}
