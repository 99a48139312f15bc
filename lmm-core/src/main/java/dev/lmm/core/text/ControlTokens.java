package dev.lmm.core.text;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A tokenizer.json without control tokens, for text that must stay text. The native library has no
 * switch for it.
 */
final class ControlTokens {
  /** Tokens that steer a model though they are not marked special, such as tool calls. */
  private static final Pattern MARKUP = Pattern.compile("</?[^\\s<>]+>|\\[/?[A-Z_]+\\]");

  private ControlTokens() {}

  /**
   * Takes them away.
   *
   * @param json a tokenizer.json as plain Java
   * @return the same without control tokens and without tokens put around a text
   */
  static Map<String, ?> removed(Map<String, ?> json) {
    Map<String, @Nullable Object> plain = new LinkedHashMap<>(json);
    List<Object> kept = new ArrayList<>();
    if (json.get("added_tokens") instanceof List<?> tokens) {
      for (Object token : tokens) {
        if (token instanceof Map<?, ?> map && !isControl(map)) {
          kept.add(map);
        }
      }
    }
    plain.put("added_tokens", kept);
    plain.put("post_processor", null);
    return plain;
  }

  private static boolean isControl(Map<?, ?> token) {
    return !Boolean.FALSE.equals(token.get("special"))
        || (token.get("content") instanceof String content && MARKUP.matcher(content).matches());
  }
}
