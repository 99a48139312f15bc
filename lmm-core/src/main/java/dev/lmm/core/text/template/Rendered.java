package dev.lmm.core.text.template;

import dev.lmm.core.text.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Messages put into a template: a text that remembers what the template wrote and what came from
 * outside. Immutable.
 */
public final class Rendered {
  private final Text text;

  Rendered(Text text) {
    this.text = text;
  }

  /**
   * The text.
   *
   * @return what {@code apply_chat_template(tokenize=False)} gives
   */
  public String text() {
    return text.value();
  }

  /**
   * Whether a character came from outside: a message, a tool, any variable.
   *
   * @param index of a UTF-16 unit
   * @return true if so, false if the template wrote it
   */
  public boolean isData(int index) {
    return text.isData(index);
  }

  /**
   * The ids to give the model. Control tokens are made where the template wrote them, and nowhere
   * else: the name of one in a message stays plain text. All text between two control tokens is
   * encoded at once.
   *
   * @param tokenizer loaded with {@link dev.lmm.core.text.Tokenizers#loadForChat}
   * @return the ids
   */
  public int[] encode(Tokenizer tokenizer) {
    Map<String, Integer> added = tokenizer.addedTokens();
    int longest = added.keySet().stream().mapToInt(String::length).max().orElse(0);
    List<Integer> ids = new ArrayList<>();
    String all = text.value();
    int plain = 0;
    int at = 0;
    while (at < all.length()) {
      int end = match(added, longest, at);
      if (end < 0) {
        at++;
        continue;
      }
      append(ids, tokenizer, all.substring(plain, at));
      ids.add(added.get(all.substring(at, end)));
      at = end;
      plain = end;
    }
    append(ids, tokenizer, all.substring(plain));
    return ids.stream().mapToInt(Integer::intValue).toArray();
  }

  /** Where the longest token ends that the template wrote here, or -1. */
  private int match(Map<String, Integer> added, int longest, int at) {
    int limit = at;
    while (limit < text.length() && limit < at + longest && !text.isData(limit)) {
      limit++;
    }
    for (int end = limit; end > at; end--) {
      if (added.containsKey(text.value().substring(at, end))) {
        return end;
      }
    }
    return -1;
  }

  private static void append(List<Integer> ids, Tokenizer tokenizer, String plain) {
    if (!plain.isEmpty()) {
      for (int id : tokenizer.encodePlain(plain).ids()) {
        ids.add(id);
      }
    }
  }

  @Override
  public String toString() {
    return text.value();
  }
}
