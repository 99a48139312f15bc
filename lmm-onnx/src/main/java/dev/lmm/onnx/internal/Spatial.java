package dev.lmm.onnx.internal;

import static dev.lmm.onnx.internal.Lowering.in;

import dev.lmm.core.graph.Attributes;
import dev.lmm.core.graph.Dim;
import dev.lmm.core.graph.Node;
import dev.lmm.core.graph.Shape;
import dev.lmm.core.graph.Value;
import java.util.ArrayList;
import java.util.List;

/** Convolutions and resizing. */
final class Spatial {
  private Spatial() {}

  static List<String> lower(Lowering to, Node node) {
    return List.of(
        switch (node.op()) {
          case CONV -> conv(to, node);
          case CONV_TRANSPOSE -> convTranspose(to, node);
          case RESIZE -> resize(to, node);
          default -> throw new AssertionError(node.op());
        });
  }

  private static String conv(Lowering to, Node node) {
    Attributes.Conv a = node.attributes(Attributes.Conv.class);
    if (isPatches(node, a)) {
      return patches(to, node, a);
    }
    List<Integer> pads = new ArrayList<>(a.padBefore());
    pads.addAll(a.padAfter());
    return to.op(
        node.name(),
        "Conv",
        in(to.of(node.input(0)), to.of(node.input(1)), to.ofOptional(node.optionalInput(2))),
        Attr.of("kernel_shape", kernel(node.input(1))),
        Attr.of("strides", a.strides()),
        Attr.of("dilations", a.dilations()),
        Attr.of("pads", pads),
        Attr.of("group", (long) a.groups()));
  }

  /** Whether the kernel is laid over the input tile by tile, without overlap or rest. */
  private static boolean isPatches(Node node, Attributes.Conv a) {
    Value x = node.input(0);
    boolean tiles = a.groups() == 1;
    for (int i = 0; i < a.strides().size(); i++) {
      int stride = a.strides().get(i);
      tiles &=
          stride > 1
              && node.input(1).dim(2 + i).is(stride)
              && a.dilations().get(i) == 1
              && a.padBefore().get(i) == 0
              && a.padAfter().get(i) == 0
              && x.dim(2 + i).isFixed()
              && x.dim(2 + i).fixed().orElseThrow() % stride == 0;
    }
    return tiles;
  }

  /** Such a convolution is one matrix product over the tiles. */
  private static String patches(Lowering to, Node node, Attributes.Conv a) {
    String path = node.name();
    Value x = node.input(0);
    Value weight = node.input(1);
    int spatial = a.strides().size();
    List<Dim> cut = new ArrayList<>(x.shape().dims().subList(0, 2));
    List<Integer> order = new ArrayList<>(List.of(0));
    List<Integer> inside = new ArrayList<>(List.of(1));
    Dim tiles = Dim.of(1);
    Dim width = x.dim(1);
    for (int i = 0; i < spatial; i++) {
      Dim count = node.output().dim(2 + i);
      Dim side = Dim.of(a.strides().get(i));
      cut.add(count);
      cut.add(side);
      order.add(2 + 2 * i);
      inside.add(3 + 2 * i);
      tiles = tiles.times(count);
      width = width.times(side);
    }
    order.addAll(inside);
    Shape cutShape = new Shape(cut);
    Shape moved = new Shape(order.stream().map(cut::get).toList());
    Shape rows = new Shape(List.of(x.dim(0).times(tiles), width));
    String tile = to.reshape(path, to.of(x), x.shape(), cutShape);
    tile = to.transpose(path, tile, order.toArray(Integer[]::new));
    tile = to.reshape(path, tile, moved, rows);
    Dim out = weight.dim(0);
    String kernel = to.reshape(path, to.of(weight), weight.shape(), new Shape(List.of(out, width)));
    String bias = to.ofOptional(node.optionalInput(2));
    String product = to.op(path, "Gemm", in(tile, kernel, bias), Attr.of("transB", 1L));
    Shape byTile = new Shape(List.of(x.dim(0), tiles, out));
    product = to.reshape(path, product, rows.with(1, out), byTile);
    product = to.transpose(path, product, 0, 2, 1);
    Shape byChannel = new Shape(List.of(x.dim(0), out, tiles));
    return to.reshape(path, product, byChannel, node.output().shape());
  }

  private static String convTranspose(Lowering to, Node node) {
    Attributes.ConvTranspose a = node.attributes(Attributes.ConvTranspose.class);
    List<Integer> pads = new ArrayList<>(a.padding());
    pads.addAll(a.padding());
    return to.op(
        node.name(),
        "ConvTranspose",
        in(to.of(node.input(0)), to.of(node.input(1)), to.ofOptional(node.optionalInput(2))),
        Attr.of("kernel_shape", kernel(node.input(1))),
        Attr.of("strides", a.strides()),
        Attr.of("output_padding", a.outputPadding()),
        Attr.of("pads", pads),
        Attr.of("group", (long) a.groups()));
  }

  private static List<Integer> kernel(Value weight) {
    List<Integer> kernel = new ArrayList<>();
    for (int i = 2; i < weight.rank(); i++) {
      kernel.add(Math.toIntExact(weight.dim(i).fixed().orElseThrow()));
    }
    return kernel;
  }

  private static String resize(Lowering to, Node node) {
    Attributes.Resize a = node.attributes(Attributes.Resize.class);
    if (a.mode() == Attributes.ResizeMode.NEAREST) {
      return nearest(to, node, a);
    }
    List<Attr> attributes = new ArrayList<>();
    attributes.add(
        Attr.of(
            "coordinate_transformation_mode", a.alignCorners() ? "align_corners" : "half_pixel"));
    if (a.mode() == Attributes.ResizeMode.LINEAR) {
      attributes.add(Attr.of("mode", "linear"));
    } else {
      attributes.add(Attr.of("mode", "cubic"));
      attributes.add(Attr.of("cubic_coeff_a", a.antialias() ? -0.5 : -0.75));
    }
    if (a.antialias()) {
      attributes.add(Attr.of("antialias", 1L));
      attributes.add(Attr.of("exclude_outside", 1L));
    }
    return to.op(
        node.name(),
        "Resize",
        in(to.of(node.input(0)), null, null, to.lengths().vector(node.output().shape())),
        attributes.toArray(Attr[]::new));
  }

  /**
   * The pixel at floor(i * in / out), in integers: the runtime's own operator computes in single
   * precision, which is off by a pixel where a product should be whole. Whole factors are exact
   * there too, and faster.
   */
  private static String nearest(Lowering to, Node node, Attributes.Resize a) {
    String path = node.name();
    Value x = node.input(0);
    boolean whole = true;
    for (int i = 0; i < a.size().rank(); i++) {
      whole &= isWhole(a.size().dim(i), x.dim(2 + i));
    }
    if (whole) {
      return to.op(
          path,
          "Resize",
          in(to.of(x), null, null, to.lengths().vector(node.output().shape())),
          Attr.of("mode", "nearest"),
          Attr.of("coordinate_transformation_mode", "asymmetric"),
          Attr.of("nearest_mode", "floor"));
    }
    String result = to.of(x);
    for (int i = 0; i < a.size().rank(); i++) {
      Dim from = x.dim(2 + i);
      Dim size = a.size().dim(i);
      if (!from.equals(size)) {
        String indices =
            to.shared("nearest " + from + " to " + size, () -> nearestIndices(to, from, size));
        result = to.op(path, "Gather", in(result, indices), Attr.of("axis", 2L + i));
      }
    }
    return result;
  }

  private static String nearestIndices(Lowering to, Dim from, Dim size) {
    String range =
        to.op("nearest", "Range", in(to.integer(0), to.lengths().scalar(size), to.integer(1)));
    String scaled = to.op("nearest", "Mul", in(range, to.lengths().scalar(from)));
    return to.op("nearest", "Div", in(scaled, to.lengths().scalar(size)));
  }

  private static boolean isWhole(Dim size, Dim from) {
    try {
      return from.terms().size() == 1 && size.dividedBy(from).isFixed();
    } catch (ArithmeticException notWhole) {
      return false;
    }
  }
}
