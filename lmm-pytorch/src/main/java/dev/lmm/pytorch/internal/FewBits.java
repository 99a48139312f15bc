package dev.lmm.pytorch.internal;

import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValue;
import dev.lmm.core.engine.QuantizedTensor;
import dev.lmm.core.engine.StoredTensor;
import dev.lmm.core.engine.WeightStore;
import dev.lmm.core.graph.DType;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * Weights of linear layers in few bits, packed as PyTorch's kernels want them: a private copy, made
 * layer by layer when a graph is compiled.
 */
final class FewBits implements AutoCloseable {
  /** What the script calls packed 8-bit weights. */
  static final String PACKED = "__torch__.torch.classes.quantized.LinearPackedParamsBase";

  private static final String SCRIPT =
      String.join(
          "\n",
          "class M(Module):",
          "  __parameters__ = []",
          "  __buffers__ = []",
          "  def tensors(self: __torch__.M) -> List[Tensor]:",
          "    return annotate(List[Tensor], [])",
          "  def params(self: __torch__.M) -> List[" + PACKED + "]:",
          "    return annotate(List[" + PACKED + "], [])",
          "  def dynamic(self: __torch__.M, all: List["
              + PACKED
              + "], codes: Tensor, scales: Tensor)"
              + " -> None:",
          "    c = torch.contiguous(torch.transpose(codes, 0, 1))",
          "    z = torch.zeros([torch.size(c, 0)], dtype=4)",
          "    q = torch._make_per_channel_quantized_tensor(c, torch.to(scales, 7), z, 0)",
          "    p = ops.quantized.linear_prepack(q, None)",
          "    _ = torch.append(all, p)",
          "    return None",
          // Codes less zero point, by blocks: [rows, blocks, block].
          "  def codes(self: __torch__.M, packed: Tensor, bits: int, block: int) -> Tensor:",
          "    if torch.eq(bits, 4):",
          "      low = torch.bitwise_and(packed, 15)",
          "      high = torch.bitwise_right_shift(packed, 4)",
          "      c = torch.reshape(torch.stack([low, high], -1), [torch.size(packed, 0), -1])",
          "    else:",
          "      c = packed",
          "    return torch.reshape(c, [torch.size(packed, 0), -1, block])",
          "  def zeros(self: __torch__.M, packed: Tensor, bits: int, blocks: int) -> Tensor:",
          "    c = (self).codes(packed, bits, 1)",
          "    return torch.to(torch.slice(c, 1, 0, blocks, 1), 6)",
          "  def none(self: __torch__.M, rows: int, blocks: int, middle: int) -> Tensor:",
          "    return torch.full([rows, blocks, 1], middle, dtype=6)",
          "  def four(self: __torch__.M, all: List[Tensor], codes: Tensor, scales: Tensor, zeros:"
              + " Tensor) -> None:",
          "    c = torch.to(torch.reshape(codes, [torch.size(codes, 0), -1]), 3)",
          "    p = torch._convert_weight_to_int4pack_for_cpu(torch.contiguous(c), 2)",
          "    _ = torch.append(all, p)",
          // The kernel's codes are less 8; what the zero point differs from that is added, scaled.
          "    z = torch.mul(scales, torch.rsub(torch.squeeze(zeros, -1), 8))",
          "    both = torch.stack([torch.transpose(scales, 0, 1), torch.transpose(z, 0, 1)], -1)",
          "    _0 = torch.append(all, torch.contiguous(torch.to(both, 15)))",
          "    return None",
          "  def unpacked(self: __torch__.M, all: List[Tensor], codes: Tensor, scales: Tensor, zeros:"
              + " Tensor, columns: int) -> None:",
          "    c = torch.mul(torch.sub(torch.to(codes, 6), zeros), torch.unsqueeze(scales, -1))",
          "    f = torch.reshape(c, [torch.size(codes, 0), -1])",
          "    _ = torch.append(all, torch.contiguous(torch.slice(f, 1, 0, columns, 1)))",
          "    return None",
          "  def order(self: __torch__.M, all: List[Tensor], columns: Tensor) -> None:",
          "    _ = torch.append(all, torch.to(columns, 4, False, True))",
          "    return None",
          "");

  private final TorchRuntime runtime;
  private final WeightStore store;
  private final List<IValue> lists = new ArrayList<>();
  // What one layer's packing needs, closed after it.
  private final List<AutoCloseable> passing = new ArrayList<>();

  FewBits(TorchRuntime runtime, WeightStore store, LinearWeights forms) {
    this.runtime = runtime;
    this.store = store;
    boolean done = false;
    try (PtSymbolBlock script = runtime.module(SCRIPT)) {
      IValue dynamic = list(script, "params");
      IValue four = list(script, "tensors");
      IValue unpacked = list(script, "tensors");
      IValue orders = list(script, "tensors");
      for (LinearWeights.Few few : forms.few().values()) {
        QuantizedTensor tensor = few.tensor();
        StoredTensor order = tensor.order();
        if (order != null) {
          call(script, "order", orders, piece(order, DType.I32, tensor.columns()));
        }
        switch (few.kernel()) {
          case DYNAMIC ->
              call(
                  script,
                  "dynamic",
                  dynamic,
                  piece(tensor.codes(), DType.I8, tensor.columns(), tensor.rows()),
                  piece(tensor.scales(), DType.F32, tensor.rows()));
          case BLOCKS_OF_4 ->
              call(
                  script,
                  "four",
                  four,
                  codes(script, tensor),
                  scales(tensor),
                  zeros(script, tensor));
          case UNPACKED ->
              call(
                  script,
                  "unpacked",
                  unpacked,
                  codes(script, tensor),
                  scales(tensor),
                  zeros(script, tensor),
                  pass(IValue.from(tensor.columns())));
        }
        closeAll(passing);
      }
      done = true;
    } finally {
      if (!done) {
        close();
      }
    }
  }

  /** Handles of all kernels' weights, as the script's arguments. */
  List<IValue> lists() {
    return lists;
  }

  /** The script's parameters for {@link #lists}. */
  static String parameters() {
    return "dynamic: List["
        + PACKED
        + "], four: List[Tensor], unpacked: List[Tensor], orders: List[Tensor]";
  }

  private IValue list(PtSymbolBlock script, String method) {
    IValue list = runtime.call(script, method);
    lists.add(list);
    return list;
  }

  /** The codes of blocks: U8 [rows, blocks, block]. */
  private IValue codes(PtSymbolBlock script, QuantizedTensor tensor) {
    long width = tensor.blocks() * tensor.block() * tensor.bits() / 8;
    return call(
        script,
        "codes",
        piece(tensor.codes(), DType.U8, tensor.rows(), width),
        pass(IValue.from((long) tensor.bits())),
        pass(IValue.from((long) tensor.block())));
  }

  private IValue scales(QuantizedTensor tensor) {
    return piece(tensor.scales(), DType.F32, tensor.rows(), tensor.blocks());
  }

  /** Zero points: F32 [rows, blocks, 1]. */
  private IValue zeros(PtSymbolBlock script, QuantizedTensor tensor) {
    StoredTensor stored = tensor.zeros();
    if (stored == null) {
      return call(
          script,
          "none",
          pass(IValue.from(tensor.rows())),
          pass(IValue.from(tensor.blocks())),
          pass(IValue.from((long) tensor.middle())));
    }
    return call(
        script,
        "zeros",
        piece(stored, DType.U8, tensor.rows(), (tensor.blocks() * tensor.bits() + 7) / 8),
        pass(IValue.from((long) tensor.bits())),
        pass(IValue.from(tensor.blocks())));
  }

  /** A tensor over the mapped file. */
  private IValue piece(StoredTensor piece, DType type, long... shape) {
    ByteBuffer bytes = store.map(piece, 0, Math.toIntExact(piece.length()));
    return pass(IValue.from(pass(Tensors.wrap(runtime, bytes, type, shape))));
  }

  private IValue call(PtSymbolBlock script, String method, IValue... arguments) {
    return pass(runtime.call(script, method, arguments));
  }

  private <T extends AutoCloseable> T pass(T handle) {
    passing.add(handle);
    return handle;
  }

  @Override
  public void close() {
    closeAll(passing);
    closeAll(lists);
  }

  private static void closeAll(List<? extends AutoCloseable> handles) {
    for (AutoCloseable handle : handles) {
      try {
        handle.close();
      } catch (Exception e) {
        throw new IllegalStateException("a handle of the engine cannot be closed", e);
      }
    }
    handles.clear();
  }
}
