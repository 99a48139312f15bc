package dev.lmm.core.text;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A tokenizer.json without control tokens, for text that must stay text. The native library has no
 * switch for it.
 */
final class ControlTokens {
  /** Tokens that steer a model though they are not marked special, such as tool calls. */
  private static final Pattern MARKUP = Pattern.compile("</?[^\\s<>]+>|\\[/?[A-Z_]+\\]");

  /** How the names begin that removed pieces get: whoever types cannot guess it. */
  private static final String UNREACHABLE = "\uffff" + UUID.randomUUID();

  private ControlTokens() {}

  /**
   * Takes them away: from the added tokens, and where the vocabulary has them too, as sentencepiece
   * vocabularies do, from what text can be made of.
   *
   * @param json a tokenizer.json as plain Java
   * @return the same without control tokens and without tokens put around a text
   */
  static Map<String, ?> removed(Map<String, ?> json) {
    Map<String, @Nullable Object> plain = new LinkedHashMap<>(json);
    List<Object> kept = new ArrayList<>();
    Set<String> removed = new HashSet<>();
    if (json.get("added_tokens") instanceof List<?> tokens) {
      for (Object token : tokens) {
        if (token instanceof Map<?, ?> map) {
          if (!isControl(map)) {
            kept.add(map);
          } else if (map.get("content") instanceof String content) {
            removed.add(content);
          }
        }
      }
    }
    plain.put("added_tokens", kept);
    plain.put("post_processor", null);
    if (json.get("model") instanceof Map<?, ?> model) {
      plain.put("model", without(model, removed));
    }
    return plain;
  }

  private static boolean isControl(Map<?, ?> token) {
    return !Boolean.FALSE.equals(token.get("special"))
        || (token.get("content") instanceof String content && MARKUP.matcher(content).matches());
  }

  /** The model whose pieces keep their ids, but not the names of those that are removed. */
  private static Map<String, @Nullable Object> without(Map<?, ?> model, Set<String> removed) {
    Map<String, @Nullable Object> plain = new LinkedHashMap<>();
    model.forEach((key, value) -> plain.put((String) key, value));
    Object unknown = model.get("unk_token");
    if (model.get("vocab") instanceof Map<?, ?> pieces) {
      Map<String, @Nullable Object> renamed = new LinkedHashMap<>();
      pieces.forEach(
          (piece, id) ->
              // The unknown piece is what characters become that have no other.
              renamed.put(
                  removed.contains(piece) && !piece.equals(unknown)
                      ? unreachable(id)
                      : (String) piece,
                  id));
      plain.put("vocab", renamed);
    } else if (model.get("vocab") instanceof List<?> pieces) {
      List<Object> renamed = new ArrayList<>(pieces);
      for (int i = 0; i < renamed.size(); i++) {
        if (renamed.get(i) instanceof List<?> pair
            && !pair.isEmpty()
            && removed.contains(pair.get(0))) {
          List<Object> changed = new ArrayList<>(pair);
          changed.set(0, unreachable(i));
          renamed.set(i, changed);
        }
      }
      plain.put("vocab", renamed);
    }
    if (model.get("merges") instanceof List<?> merges) {
      List<Object> kept = new ArrayList<>(merges.size());
      for (Object merge : merges) {
        if (!touches(merge, removed)) {
          kept.add(merge);
        }
      }
      plain.put("merges", kept);
    }
    return plain;
  }

  private static String unreachable(@Nullable Object id) {
    return UNREACHABLE + id;
  }

  private static boolean touches(Object merge, Set<String> removed) {
    String left;
    String right;
    if (merge instanceof List<?> pair
        && pair.size() == 2
        && pair.get(0) instanceof String first
        && pair.get(1) instanceof String second) {
      left = first;
      right = second;
    } else if (merge instanceof String text && text.indexOf(' ') > 0) {
      left = text.substring(0, text.indexOf(' '));
      right = text.substring(text.indexOf(' ') + 1);
    } else {
      return false;
    }
    return removed.contains(left) || removed.contains(right) || removed.contains(left + right);
  }
}
