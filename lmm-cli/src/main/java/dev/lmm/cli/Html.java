package dev.lmm.cli;

import java.util.Locale;

/** A page as it is written. Text is escaped; markup comes from here only. */
final class Html {
  private final StringBuilder text = new StringBuilder();

  /** Markup of our own, with escaped values for its {@code %s}. */
  Html add(String markup, Object... values) {
    Object[] escaped = new Object[values.length];
    for (int i = 0; i < values.length; i++) {
      escaped[i] = values[i] instanceof String s ? escape(s) : values[i];
    }
    text.append(String.format(Locale.ROOT, markup, escaped)).append('\n');
    return this;
  }

  /** A block of code. */
  Html code(String code) {
    text.append("<pre><code>").append(escape(code.strip())).append("</code></pre>\n");
    return this;
  }

  static String escape(String raw) {
    return raw.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&quot;");
  }

  @Override
  public String toString() {
    return text.toString();
  }
}
