package dev.lmm.onnx.internal;

import static dev.lmm.onnx.internal.Lowering.in;

import dev.lmm.core.graph.Attributes;
import dev.lmm.core.graph.Node;
import dev.lmm.core.graph.Value;
import java.util.List;
import java.util.Locale;

/** Operators that move elements and leave them as they are. */
final class Shapes {
  private Shapes() {}

  static List<String> lower(Lowering to, Node node) {
    String path = node.name();
    Value x = node.input(0);
    return List.of(
        switch (node.op()) {
          case RESHAPE -> to.reshape(path, to.of(x), x.shape(), node.output().shape());
          case TRANSPOSE ->
              to.transpose(
                  path,
                  to.of(x),
                  node.attributes(Attributes.Transpose.class)
                      .permutation()
                      .toArray(Integer[]::new));
          case EXPAND ->
              to.op(path, "Expand", in(to.of(x), to.lengths().vector(node.output().shape())));
          case CONCAT ->
              to.op(
                  path,
                  "Concat",
                  node.inputs().stream()
                      .map(v -> to.of(java.util.Objects.requireNonNull(v)))
                      .toList(),
                  Attr.of("axis", (long) node.attributes(Attributes.Axis.class).axis()));
          case SLICE -> slice(to, node);
          case PAD -> pad(to, node);
          default -> throw new AssertionError(node.op());
        });
  }

  private static String slice(Lowering to, Node node) {
    Attributes.Slice a = node.attributes(Attributes.Slice.class);
    return to.op(
        node.name(),
        "Slice",
        in(
            to.of(node.input(0)),
            to.lengths().one(a.start()),
            to.lengths().one(a.end()),
            to.longs(a.axis()),
            to.longs(a.step())));
  }

  private static String pad(Lowering to, Node node) {
    String path = node.name();
    Attributes.Pad a = node.attributes(Attributes.Pad.class);
    int rank = node.input(0).rank();
    long[] pads = new long[2 * rank];
    for (int i = 0; i < rank; i++) {
      pads[i] = a.before().get(i);
      pads[rank + i] = a.after().get(i);
    }
    boolean constant = a.mode() == Attributes.PadMode.CONSTANT;
    String value = null;
    if (constant) {
      value = to.scalar(a.value());
      if (!node.output().dtype().isFloat()) {
        value = to.cast(path, value, node.output().dtype());
      }
    }
    return to.op(
        path,
        "Pad",
        in(to.of(node.input(0)), to.longs(pads), value),
        Attr.of("mode", a.mode().name().toLowerCase(Locale.ROOT)));
  }
}
