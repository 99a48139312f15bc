package dev.lmm.core.text.template;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Values as templates see them: {@link Text}, Long, Double, Boolean, {@link #NONE}, {@link
 * Undefined}, lists, maps with text keys, namespaces, functions.
 */
final class Values {
  /** Python's None. */
  static final Object NONE =
      new Object() {
        @Override
        public String toString() {
          return "None";
        }
      };

  /** A name or attribute that is not there. */
  record Undefined(String what) {}

  /** What {@code namespace()} gives: the one thing a loop can write to. */
  record Namespace(Map<String, Object> values) {}

  /** Something to call. */
  @FunctionalInterface
  interface Function {
    Object call(List<Object> args, Map<String, Object> named);
  }

  private Values() {}

  /** A caller's value; its texts are data. */
  static Object of(@Nullable Object value) {
    if (value == null) {
      return NONE;
    }
    if (value instanceof CharSequence text) {
      return Text.data(text.toString());
    }
    if (value instanceof Boolean || value instanceof Long || value instanceof Double) {
      return value;
    }
    if (value instanceof Integer || value instanceof Short || value instanceof Byte) {
      return ((Number) value).longValue();
    }
    if (value instanceof Number number) {
      return number.doubleValue();
    }
    if (value instanceof Map<?, ?> map) {
      Map<Text, Object> copy = new LinkedHashMap<>();
      map.forEach((key, each) -> copy.put(Text.data(String.valueOf(key)), of(each)));
      return copy;
    }
    if (value instanceof Iterable<?> items) {
      List<Object> copy = new ArrayList<>();
      items.forEach(each -> copy.add(of(each)));
      return copy;
    }
    throw new TemplateFailure("a " + value.getClass().getName() + " cannot stand in a template");
  }

  static boolean truth(Object value) {
    if (value instanceof Boolean b) {
      return b;
    }
    if (value instanceof Text text) {
      return !text.isEmpty();
    }
    if (value instanceof Number number) {
      return number.doubleValue() != 0;
    }
    if (value instanceof List<?> list) {
      return !list.isEmpty();
    }
    if (value instanceof Map<?, ?> map) {
      return !map.isEmpty();
    }
    return value != NONE && !(value instanceof Undefined);
  }

  /** As Python's str writes it. */
  static Text text(Object value) {
    if (value instanceof Text text) {
      return text;
    }
    if (value instanceof Undefined) {
      return Text.EMPTY;
    }
    if (value instanceof Boolean b) {
      return Text.template(b ? "True" : "False");
    }
    if (value instanceof Double d) {
      return Text.template(number(d));
    }
    if (value instanceof List<?> || value instanceof Map<?, ?>) {
      return Text.data(repr(value));
    }
    if (value instanceof Namespace || value instanceof Function) {
      throw new TemplateFailure("a function or namespace cannot be printed");
    }
    return Text.template(String.valueOf(value));
  }

  private static String repr(Object value) {
    if (value instanceof Text text) {
      String plain = text.value();
      char quote = plain.contains("'") && !plain.contains("\"") ? '"' : '\'';
      StringBuilder spelt = new StringBuilder().append(quote);
      for (int i = 0; i < plain.length(); i++) {
        char c = plain.charAt(i);
        switch (c) {
          case '\n' -> spelt.append("\\n");
          case '\r' -> spelt.append("\\r");
          case '\t' -> spelt.append("\\t");
          case '\\' -> spelt.append("\\\\");
          default -> spelt.append(c == quote ? "\\" : "").append(c);
        }
      }
      return spelt.append(quote).toString();
    }
    StringBuilder all = new StringBuilder();
    if (value instanceof List<?> list) {
      for (Object each : list) {
        all.append(all.length() == 0 ? "" : ", ").append(repr(each));
      }
      return "[" + all + "]";
    }
    if (value instanceof Map<?, ?> map) {
      map.forEach(
          (key, each) ->
              all.append(all.length() == 0 ? "" : ", ")
                  .append(repr(key))
                  .append(": ")
                  .append(repr(each)));
      return "{" + all + "}";
    }
    return text(value).value();
  }

  /** As Python writes a float. */
  static String number(double value) {
    if (Double.isNaN(value)) {
      return "nan";
    }
    if (Double.isInfinite(value)) {
      return value > 0 ? "inf" : "-inf";
    }
    double size = Math.abs(value);
    BigDecimal exact = new BigDecimal(Double.toString(value));
    if (size == 0 || (size >= 1e-4 && size < 1e16)) {
      String plain = exact.toPlainString();
      return plain.contains(".") ? plain : plain + ".0";
    }
    String digits = exact.unscaledValue().abs().toString().replaceAll("0+$", "");
    int exponent = exact.precision() - exact.scale() - 1;
    return (value < 0 ? "-" : "")
        + digits.charAt(0)
        + (digits.length() > 1 ? "." + digits.substring(1) : "")
        + (exponent < 0 ? "e-" : "e+")
        + (Math.abs(exponent) < 10 ? "0" : "")
        + Math.abs(exponent);
  }

  static boolean equal(Object a, Object b) {
    if (a instanceof Number || a instanceof Boolean) {
      return (b instanceof Number || b instanceof Boolean)
          && numeric(a, "compare") == numeric(b, "compare");
    }
    if (a instanceof Undefined) {
      return b instanceof Undefined;
    }
    if (a instanceof List<?> left && b instanceof List<?> right) {
      boolean same = left.size() == right.size();
      for (int i = 0; same && i < left.size(); i++) {
        same = equal(left.get(i), right.get(i));
      }
      return same;
    }
    return a.equals(b);
  }

  static double numeric(Object value, String what) {
    if (value instanceof Boolean b) {
      return b ? 1 : 0;
    }
    if (value instanceof Number number) {
      return number.doubleValue();
    }
    throw new TemplateFailure("cannot " + what + " " + kind(value));
  }

  static long integer(Object value, String what) {
    if (value instanceof Long number) {
      return number;
    }
    if (value instanceof Boolean b) {
      return b ? 1 : 0;
    }
    throw new TemplateFailure(what + ": found " + kind(value) + "; expected an integer");
  }

  /** What to call a value in a message. */
  static String kind(Object value) {
    if (value instanceof Undefined undefined) {
      return undefined.what() + ", which is not defined";
    }
    if (value instanceof Text) {
      return "a text";
    }
    if (value instanceof Boolean) {
      return "a truth value";
    }
    if (value instanceof Number) {
      return "a number";
    }
    if (value instanceof List<?>) {
      return "a list";
    }
    if (value instanceof Map<?, ?>) {
      return "a mapping";
    }
    return value == NONE ? "none" : "a function or namespace";
  }
}
