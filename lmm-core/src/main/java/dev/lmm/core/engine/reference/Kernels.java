package dev.lmm.core.engine.reference;

import java.util.List;

/** Which kernel computes which operator. */
final class Kernels {
  private Kernels() {}

  /** Computes all results of a node. */
  static List<Elements> compute(Call call) {
    return switch (call.op()) {
      case ATTENTION -> Attentions.attention(call);
      case CACHED_ATTENTION -> Attentions.cached(call);
      case TOP_K -> Indexing.topK(call);
      default -> List.of(single(call));
    };
  }

  private static Elements single(Call call) {
    return switch (call.op()) {
      case ADD, SUB, MUL, DIV, POW, MINIMUM, MAXIMUM -> Elementwise.arithmetic(call);
      case EQUAL, LESS, LESS_OR_EQUAL, AND, OR -> Elementwise.compare(call);
      case NOT,
          NEG,
          ABS,
          EXP,
          LOG,
          SIN,
          COS,
          TANH,
          SQRT,
          RSQRT,
          FLOOR,
          ERF,
          SIGMOID,
          RELU,
          SILU,
          GELU,
          GELU_TANH,
          QUICK_GELU ->
          Elementwise.unary(call);
      case CLAMP -> Elementwise.clamp(call);
      case CAST -> Elementwise.cast(call);
      case WHERE -> Elementwise.where(call);
      case LINEAR -> Products.linear(call);
      case MATMUL -> Products.matmul(call);
      case EMBEDDING -> Products.embedding(call);
      case EXPERTS -> Products.experts(call);
      case CONV -> Convolutions.conv(call);
      case CONV_TRANSPOSE -> Convolutions.convTranspose(call);
      case LAYER_NORM, RMS_NORM -> Norms.lastAxis(call);
      case GROUP_NORM -> Norms.group(call);
      case SOFTMAX, LOG_SOFTMAX -> Norms.softmax(call);
      case ROTARY -> Attentions.rotary(call);
      case RESHAPE -> Shapes.reshape(call);
      case TRANSPOSE -> Shapes.transpose(call);
      case EXPAND -> Shapes.expand(call);
      case CONCAT -> Shapes.concat(call);
      case SLICE -> Shapes.slice(call);
      case PAD -> Shapes.pad(call);
      case RESIZE -> Resizing.resize(call);
      case GATHER -> Indexing.gather(call);
      case GATHER_ELEMENTS -> Indexing.gatherElements(call);
      case SCATTER_ROWS -> Indexing.scatterRows(call);
      case ARGMAX -> Indexing.argMax(call);
      case REDUCE_SUM, REDUCE_MEAN, REDUCE_MAX, REDUCE_MIN -> Reductions.reduce(call);
      case CUMSUM -> Reductions.cumsum(call);
      case ATTENTION, CACHED_ATTENTION, TOP_K ->
          throw new IllegalStateException(call.op() + " may have several results");
    };
  }
}
