package dev.lmm.onnx.internal;

import static dev.lmm.onnx.internal.Lowering.in;

import dev.lmm.core.graph.Attributes;
import dev.lmm.core.graph.Dim;
import dev.lmm.core.graph.Node;
import dev.lmm.core.graph.Shape;
import dev.lmm.core.graph.Value;
import java.util.List;

/** Rotary position embedding. */
final class Rotary {
  private Rotary() {}

  static List<String> lower(Lowering to, Node node) {
    String path = node.name();
    Attributes.Rotary a = node.attributes(Attributes.Rotary.class);
    Value x = node.input(0);
    long head = x.dim(2).fixed().orElseThrow() / a.heads();
    long turned = 2 * node.input(1).dim(-1).fixed().orElseThrow();
    return List.of(
        to.op(
            path,
            "RotaryEmbedding",
            in(to.of(x), table(to, x, node.input(1)), table(to, x, node.input(2))),
            Attr.of("num_heads", (long) a.heads()),
            Attr.of("interleaved", a.interleaved()),
            Attr.of("rotary_embedding_dim", turned == head ? 0 : turned)));
  }

  /** Cosines or sines for every position of every row of the batch. */
  private static String table(Lowering to, Value x, Value table) {
    Dim batch = x.dim(0);
    if (table.rank() == 3 && table.dim(0).equals(batch)) {
      return to.of(table);
    }
    Shape whole = new Shape(List.of(batch, table.dim(-2), table.dim(-1)));
    return to.shared(
        "rotary " + table.name() + " " + batch,
        () -> to.op(table.name(), "Expand", in(to.of(table), to.lengths().vector(whole))));
  }
}
