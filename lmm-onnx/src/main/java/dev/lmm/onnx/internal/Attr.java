package dev.lmm.onnx.internal;

import java.util.List;

/** One attribute of an ONNX node, written. */
record Attr(String name, Proto body) {
  private static final int FLOAT = 1;
  private static final int INT = 2;
  private static final int STRING = 3;
  private static final int INTS = 7;
  private static final int TYPE_FIELD = 20;

  static Attr of(String name, double value) {
    return new Attr(name, start(name, FLOAT).fixed(2, (float) value));
  }

  static Attr of(String name, long value) {
    return new Attr(name, start(name, INT).number(3, value));
  }

  static Attr of(String name, boolean value) {
    return of(name, value ? 1L : 0L);
  }

  static Attr of(String name, String value) {
    return new Attr(name, start(name, STRING).text(4, value));
  }

  static Attr of(String name, List<Integer> values) {
    Proto body = start(name, INTS);
    values.forEach(v -> body.number(8, v));
    return new Attr(name, body);
  }

  private static Proto start(String name, int type) {
    return new Proto().text(1, name).number(TYPE_FIELD, type);
  }
}
