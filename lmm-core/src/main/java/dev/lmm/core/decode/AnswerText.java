package dev.lmm.core.decode;

import dev.lmm.core.text.TextStream;
import dev.lmm.core.text.Tokenizer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The text of an answer as it grows. Holds back half characters and what may yet become a stop
 * string.
 */
final class AnswerText {
  private final @Nullable TextStream stream;
  private final List<String> stops;
  private final StringBuilder text = new StringBuilder();
  private int given;
  private boolean stopped;

  AnswerText(@Nullable Tokenizer tokenizer, List<String> stops) {
    this.stream = tokenizer == null ? null : tokenizer.stream(true);
    this.stops = stops;
  }

  /**
   * Takes a token.
   *
   * @return the text that is certain now and was not before
   */
  String accept(int id) {
    return stream == null ? "" : grow(stream.accept(id));
  }

  /** Ends the answer and gives what was held back. */
  String finish() {
    if (stream == null || stopped) {
      return "";
    }
    String last = grow(stream.finish());
    String rest = stopped ? "" : text.substring(given);
    given = text.length();
    return last + rest;
  }

  private String grow(String news) {
    int before = text.length();
    text.append(news);
    int end = Integer.MAX_VALUE;
    for (String stop : stops) {
      // A stop string may have begun before the news.
      int found = text.indexOf(stop, Math.max(given, before - stop.length() + 1));
      end = found < 0 ? end : Math.min(end, found);
    }
    if (end < Integer.MAX_VALUE) {
      stopped = true;
      text.setLength(end);
    }
    int certain = stopped ? text.length() : text.length() - held();
    String shown = text.substring(given, Math.max(given, certain));
    given += shown.length();
    return shown;
  }

  /** Length of the longest end of the text that begins a stop string. */
  private int held() {
    int longest = 0;
    for (String stop : stops) {
      for (int n = Math.min(stop.length() - 1, text.length() - given); n > longest; n--) {
        if (stop.startsWith(text.substring(text.length() - n))) {
          longest = n;
        }
      }
    }
    return longest;
  }

  /** Whether a stop string was written. */
  boolean stopped() {
    return stopped;
  }

  /** All text so far that may be shown. */
  String shown() {
    return text.substring(0, given);
  }
}
