package dev.lmm.core.text.template;

import java.time.Clock;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.Map;

/** The present time as Python's strftime writes it, English. */
final class Dates {
  private static final Map<Character, String> PATTERNS =
      Map.ofEntries(
          Map.entry('Y', "yyyy"),
          Map.entry('y', "yy"),
          Map.entry('m', "MM"),
          Map.entry('d', "dd"),
          Map.entry('B', "MMMM"),
          Map.entry('b', "MMM"),
          Map.entry('A', "EEEE"),
          Map.entry('a', "EEE"),
          Map.entry('H', "HH"),
          Map.entry('I', "hh"),
          Map.entry('M', "mm"),
          Map.entry('S', "ss"),
          Map.entry('p', "a"),
          Map.entry('j', "DDD"));

  private Dates() {}

  static String format(String format, Clock clock) {
    ZonedDateTime now = ZonedDateTime.now(clock);
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < format.length(); i++) {
      char c = format.charAt(i);
      if (c != '%') {
        text.append(c);
        continue;
      }
      char kind = ++i < format.length() ? format.charAt(i) : ' ';
      String pattern = PATTERNS.get(kind);
      if (kind == '%') {
        text.append('%');
      } else if (pattern == null) {
        throw new TemplateFailure("strftime_now: %" + kind + " is not supported", true);
      } else {
        text.append(DateTimeFormatter.ofPattern(pattern, Locale.US).format(now));
      }
    }
    return text.toString();
  }
}
