package dev.lmm.core.text.template;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** JSON as Python's {@code json.dumps(ensure_ascii=False)} writes it. */
final class PythonJson {
  private final int indent;
  private final String comma;
  private final String colon;
  private final boolean sorted;
  private final StringBuilder out = new StringBuilder();

  private PythonJson(int indent, String comma, String colon, boolean sorted) {
    this.indent = indent;
    this.comma = comma;
    this.colon = colon;
    this.sorted = sorted;
  }

  /**
   * Writes a value.
   *
   * @param indent blanks for each level, or below 0 for one line
   */
  static String write(Object value, int indent, String comma, String colon, boolean sorted) {
    PythonJson json = new PythonJson(indent, comma, colon, sorted);
    json.value(value, 0);
    return json.out.toString();
  }

  private void value(Object value, int level) {
    if (level > 100) {
      throw new TemplateFailure("tojson: nested deeper than 100");
    }
    if (value instanceof Text text) {
      quote(text.value());
    } else if (value instanceof Boolean b) {
      out.append(b ? "true" : "false");
    } else if (value instanceof Double d) {
      out.append(Values.number(d));
    } else if (value instanceof Long) {
      out.append(value);
    } else if (value == Values.NONE) {
      out.append("null");
    } else if (value instanceof List<?> list) {
      out.append('[');
      for (int i = 0; i < list.size(); i++) {
        separate(i, level);
        value(list.get(i), level + 1);
      }
      close(list.isEmpty(), level, ']');
    } else if (value instanceof Map<?, ?> map) {
      out.append('{');
      int i = 0;
      for (Map.Entry<?, ?> each : (sorted ? new TreeMap<>(map) : map).entrySet()) {
        separate(i++, level);
        quote(String.valueOf(each.getKey()));
        out.append(colon);
        value(each.getValue(), level + 1);
      }
      close(map.isEmpty(), level, '}');
    } else {
      throw new TemplateFailure("tojson: " + Values.kind(value) + " has no JSON form");
    }
  }

  private void separate(int index, int level) {
    out.append(index == 0 ? "" : comma);
    line(level + 1);
  }

  private void close(boolean empty, int level, char bracket) {
    if (!empty) {
      line(level);
    }
    out.append(bracket);
  }

  private void line(int level) {
    if (indent >= 0) {
      out.append('\n').append(" ".repeat(indent * level));
    }
  }

  private void quote(String text) {
    out.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"' -> out.append("\\\"");
        case '\\' -> out.append("\\\\");
        case '\n' -> out.append("\\n");
        case '\r' -> out.append("\\r");
        case '\t' -> out.append("\\t");
        case '\b' -> out.append("\\b");
        case '\f' -> out.append("\\f");
        default -> {
          if (c < 0x20) {
            out.append(String.format("\\u%04x", (int) c));
          } else {
            out.append(c);
          }
        }
      }
    }
    out.append('"');
  }
}
