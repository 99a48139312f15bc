package dev.lmm.onnx.internal;

import static dev.lmm.onnx.internal.Lowering.in;

import dev.lmm.core.graph.Attributes;
import dev.lmm.core.graph.Dim;
import dev.lmm.core.graph.Node;
import dev.lmm.core.graph.Shape;
import dev.lmm.core.graph.Value;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Normalisations and softmax. */
final class Norms {
  private Norms() {}

  static List<String> lower(Lowering to, Node node) {
    return List.of(
        switch (node.op()) {
          case LAYER_NORM -> layerNorm(to, node);
          case RMS_NORM -> rmsNorm(to, node);
          case GROUP_NORM -> groupNorm(to, node);
          case SOFTMAX -> to.op(node.name(), "Softmax", in(to.of(node.input(0))), axis(node));
          case LOG_SOFTMAX ->
              to.op(node.name(), "LogSoftmax", in(to.of(node.input(0))), axis(node));
          default -> throw new AssertionError(node.op());
        });
  }

  private static Attr axis(Node node) {
    return Attr.of("axis", (long) node.attributes(Attributes.Axis.class).axis());
  }

  private static String layerNorm(Lowering to, Node node) {
    String fused = to.bound(node.output());
    if (fused != null) {
      return fused;
    }
    Value weight = node.optionalInput(1);
    String scale = weight == null ? to.filled(node.input(0).dim(-1), 1) : to.of(weight);
    return to.op(
        node.name(),
        "LayerNormalization",
        in(to.of(node.input(0)), scale, to.ofOptional(node.optionalInput(2))),
        Attr.of("axis", -1L),
        epsilon(node));
  }

  private static Attr epsilon(Node node) {
    return Attr.of("epsilon", node.attributes(Attributes.Norm.class).epsilon());
  }

  /**
   * A sum and its layer normalisation at once.
   *
   * @return the sum; the normalised value is bound to the other node's result
   */
  static String addAndNorm(Lowering to, Node add, Node norm) {
    Value branch = to.fusions().branch(add);
    Value bias = branch == null ? null : to.fusions().leftBias(branch);
    String normalised = to.model().unique(norm.name() + "/SkipLayerNormalization");
    String sum = to.model().unique(add.name() + "/sum");
    to.model()
        .node(
            norm.name(),
            OnnxModel.MICROSOFT,
            "SkipLayerNormalization",
            in(
                to.of(add.input(0)),
                to.of(add.input(1)),
                to.of(norm.input(1)),
                to.ofOptional(norm.optionalInput(2)),
                to.ofOptional(bias)),
            List.of(normalised, "", "", sum),
            epsilon(norm));
    to.bind(norm.output(), normalised);
    return sum;
  }

  private static String rmsNorm(Lowering to, Node node) {
    Value weight = node.optionalInput(1);
    String scale = weight == null ? to.filled(node.input(0).dim(-1), 1) : to.of(weight);
    return to.op(
        node.name(),
        "RMSNormalization",
        in(to.of(node.input(0)), scale),
        Attr.of("axis", -1L),
        epsilon(node));
  }

  private static String groupNorm(Lowering to, Node node) {
    String path = node.name();
    Attributes.GroupNorm a = node.attributes(Attributes.GroupNorm.class);
    Value x = node.input(0);
    Dim groups = Dim.of(a.groups());
    Dim rest = Dim.of(1);
    for (int i = 1; i < x.rank(); i++) {
      rest = rest.times(x.dim(i));
    }
    Shape grouped = new Shape(List.of(x.dim(0), groups, rest.dividedBy(groups)));
    String flat = to.reshape(path, to.of(x), x.shape(), grouped);
    String normalised =
        to.op(
            path,
            "InstanceNormalization",
            in(flat, to.filled(groups, 1), to.filled(groups, 0)),
            Attr.of("epsilon", a.epsilon()));
    String result = to.reshape(path, normalised, grouped, x.shape());
    result = channelwise(to, node, "Mul", result, node.optionalInput(1));
    return channelwise(to, node, "Add", result, node.optionalInput(2));
  }

  private static String channelwise(
      Lowering to, Node node, String op, String x, @Nullable Value perChannel) {
    if (perChannel == null) {
      return x;
    }
    List<Dim> dims = new ArrayList<>(Collections.nCopies(node.input(0).rank() - 1, Dim.of(1)));
    dims.set(0, perChannel.dim(0));
    String aligned =
        to.reshape(node.name(), to.of(perChannel), perChannel.shape(), new Shape(dims));
    return to.op(node.name(), op, in(x, aligned));
  }
}
