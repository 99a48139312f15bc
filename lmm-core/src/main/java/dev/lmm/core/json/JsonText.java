package dev.lmm.core.json;

import dev.lmm.InvalidRequestException;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Writes JSON: maps with string keys, iterables, arrays of numbers, strings, numbers, truth values.
 */
public final class JsonText {
  private JsonText() {}

  /**
   * Writes a value on one line. Numbers are not rounded: what is read back is the same float or
   * double.
   *
   * @param value a tree
   * @return its JSON
   * @throws InvalidRequestException for a number JSON cannot hold (NaN, infinite) or another type
   */
  public static String of(@Nullable Object value) {
    StringBuilder text = new StringBuilder();
    write(text, value);
    return text.toString();
  }

  private static void write(StringBuilder text, @Nullable Object value) {
    if (value == null || value instanceof Boolean) {
      text.append(value);
    } else if (value instanceof CharSequence string) {
      quote(text, string);
    } else if (value instanceof Float f) {
      number(text, f, f.toString());
    } else if (value instanceof Double d) {
      number(text, d, d.toString());
    } else if (value instanceof Number) {
      text.append(value);
    } else if (value instanceof Map<?, ?> map) {
      text.append('{');
      String comma = "";
      for (Map.Entry<?, ?> entry : map.entrySet()) {
        text.append(comma);
        quote(text, String.valueOf(entry.getKey()));
        text.append(':');
        write(text, entry.getValue());
        comma = ",";
      }
      text.append('}');
    } else if (value instanceof Iterable<?> items) {
      text.append('[');
      String comma = "";
      for (Object item : items) {
        text.append(comma);
        write(text, item);
        comma = ",";
      }
      text.append(']');
    } else if (value instanceof float[] floats) {
      text.append('[');
      for (int i = 0; i < floats.length; i++) {
        text.append(i == 0 ? "" : ",");
        number(text, floats[i], Float.toString(floats[i]));
      }
      text.append(']');
    } else if (value instanceof int[] ints) {
      text.append('[');
      for (int i = 0; i < ints.length; i++) {
        text.append(i == 0 ? "" : ",").append(ints[i]);
      }
      text.append(']');
    } else {
      throw new InvalidRequestException("value: a " + value.getClass() + " has no JSON form");
    }
  }

  private static void number(StringBuilder text, double value, String spelt) {
    if (Double.isNaN(value) || Double.isInfinite(value)) {
      throw new InvalidRequestException("value: " + value + " has no JSON form");
    }
    text.append(spelt);
  }

  private static void quote(StringBuilder text, CharSequence string) {
    text.append('"');
    for (int i = 0; i < string.length(); i++) {
      char c = string.charAt(i);
      switch (c) {
        case '"' -> text.append("\\\"");
        case '\\' -> text.append("\\\\");
        case '\n' -> text.append("\\n");
        case '\r' -> text.append("\\r");
        case '\t' -> text.append("\\t");
        default -> {
          boolean alone = Character.isSurrogate(c) && !paired(string, i);
          if (c < 0x20 || alone) {
            text.append(String.format("\\u%04x", (int) c));
          } else {
            text.append(c);
          }
        }
      }
    }
    text.append('"');
  }

  /** Whether the surrogate at an index has its other half. */
  private static boolean paired(CharSequence string, int i) {
    return Character.isHighSurrogate(string.charAt(i))
        ? i + 1 < string.length() && Character.isLowSurrogate(string.charAt(i + 1))
        : i > 0 && Character.isHighSurrogate(string.charAt(i - 1));
  }
}
