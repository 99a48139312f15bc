package dev.lmm.onnx.internal;

import static dev.lmm.onnx.internal.Lowering.in;

import dev.lmm.core.engine.QuantizedTensor;
import dev.lmm.core.engine.StoredTensor;
import dev.lmm.core.graph.Dim;
import dev.lmm.core.graph.Node;
import dev.lmm.core.graph.Shape;
import dev.lmm.core.graph.Value;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Linear layers whose weights are in few bits. */
final class Quantized {
  /** Blocks are multiplied in integers of 8 bits: without it, up to 400 times slower. */
  private static final Attr INTEGERS = Attr.of("accuracy_level", 4L);

  private Quantized() {}

  static String linear(Lowering to, Node node, QuantizedTensor weight, @Nullable Value bias) {
    String path = node.name();
    Value x = node.input(0);
    Shape rows = x.rank() == 1 ? new Shape(List.of(Dim.of(1), x.dim(0))) : x.shape();
    String in = to.reshape(path, to.of(x), x.shape(), rows);
    StoredTensor order = weight.order();
    if (order != null) {
      String columns = to.piece(path + "/order", order, weight.columns());
      in = to.op(path, "Gather", in(in, columns), Attr.of("axis", -1L));
    }
    String added = to.ofOptional(bias);
    String product =
        switch (weight.layout()) {
          case BLOCKS -> blocks(to, path, in, weight, added);
          case COLUMNS -> columns(to, path, in, weight, added);
        };
    return to.reshape(path, product, rows.with(-1, Dim.of(weight.rows())), node.output().shape());
  }

  private static String blocks(
      Lowering to, String path, String x, QuantizedTensor weight, @Nullable String bias) {
    long blocks = weight.blocks();
    long width = (long) weight.block() * weight.bits() / 8;
    String codes = to.piece(path + "/codes", weight.codes(), weight.rows(), blocks, width);
    String scales = to.piece(path + "/scales", weight.scales(), weight.rows(), blocks);
    StoredTensor stored = weight.zeros();
    String zeros =
        stored == null
            ? null
            : to.piece(path + "/zeros", stored, weight.rows(), (blocks * weight.bits() + 7) / 8);
    return to.microsoft(
        path,
        "MatMulNBits",
        in(x, codes, scales, zeros, null, bias),
        Attr.of("K", weight.columns()),
        Attr.of("N", weight.rows()),
        Attr.of("bits", (long) weight.bits()),
        Attr.of("block_size", (long) weight.block()),
        INTEGERS);
  }

  private static String columns(
      Lowering to, String path, String x, QuantizedTensor weight, @Nullable String bias) {
    String codes = to.piece(path + "/codes", weight.codes(), weight.columns(), weight.rows());
    String scales = to.piece(path + "/scales", weight.scales(), weight.rows());
    // The runtime's optimiser looks for a bias without asking whether there is one.
    String added = bias == null ? to.filled(Dim.of(weight.rows()), 0) : bias;
    // Told, though 0 is the default: only then does x64quantprecision find this operator. To each
    // its own, or it would replace the same one twice.
    String zero = to.byteZeros(path + "/zeros", weight.rows());
    return to.microsoft(path, "DynamicQuantizeMatMul", in(x, codes, scales, zero, added));
  }
}
