package dev.lmm.onnx.internal;

import dev.lmm.core.graph.Dim;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/**
 * Lengths as values of the ONNX model: constants where they are numbers, otherwise computed from
 * the shapes of the inputs. Each expression is computed once in a model.
 */
final class Lengths {
  private final Graph graph;
  private final OnnxModel model;
  private final Map<Dim, String> single = new HashMap<>();
  private final Map<List<Dim>, String> vectors = new HashMap<>();
  private final Map<Dim, String> scalars = new HashMap<>();

  Lengths(Graph graph, OnnxModel model) {
    this.graph = graph;
    this.model = model;
  }

  /** One length, as I64 [1]. */
  String one(Dim dim) {
    String known = single.get(dim);
    if (known == null) {
      OptionalLong fixed = dim.fixed();
      known =
          fixed.isPresent()
              ? model.longs("length." + dim, new long[] {1}, fixed.getAsLong())
              : sum(dim);
      single.put(dim, known);
    }
    return known;
  }

  /** One length, as an I64 scalar. */
  String scalar(Dim dim) {
    String known = scalars.get(dim);
    if (known == null) {
      OptionalLong fixed = dim.fixed();
      known =
          fixed.isPresent()
              ? model.longs("length." + dim + ".scalar", new long[0], fixed.getAsLong())
              : node("Squeeze", one(dim));
      scalars.put(dim, known);
    }
    return known;
  }

  /** All lengths of a shape, as I64 [rank]. */
  String vector(Shape shape) {
    return vector(shape.dims());
  }

  /** Some lengths, as I64 [n]. */
  String vector(List<Dim> dims) {
    if (dims.size() == 1) {
      return one(dims.get(0));
    }
    String known = vectors.get(dims);
    if (known == null) {
      if (dims.stream().allMatch(Dim::isFixed)) {
        long[] values = dims.stream().mapToLong(d -> d.fixed().orElseThrow()).toArray();
        known = model.longs("lengths." + dims, new long[] {values.length}, values);
      } else {
        List<String> parts = new ArrayList<>();
        dims.forEach(dim -> parts.add(one(dim)));
        known = model.unique("lengths");
        model.node("lengths", "", "Concat", parts, List.of(known), Attr.of("axis", 0));
      }
      vectors.put(List.copyOf(dims), known);
    }
    return known;
  }

  private String sum(Dim dim) {
    String sum = null;
    for (Dim.Term term : dim.terms()) {
      String product = product(term);
      sum = sum == null ? product : node("Add", sum, product);
    }
    return sum == null ? one(Dim.of(0)) : sum;
  }

  private String product(Dim.Term term) {
    String product = null;
    for (Dim.Atom atom : term.atoms()) {
      String factor = atom(atom);
      product = product == null ? factor : node("Mul", product, factor);
    }
    if (product == null) {
      return one(Dim.of(term.coefficient()));
    }
    return term.coefficient() == 1
        ? product
        : node("Mul", product, one(Dim.of(term.coefficient())));
  }

  private String atom(Dim.Atom atom) {
    if (atom instanceof Dim.FloorDiv quotient) {
      String dividend = one(quotient.dividend());
      String divisor = one(Dim.of(quotient.divisor()));
      // ONNX divides towards zero; Mod follows the divisor's sign, so what is left is exact.
      return node("Div", node("Sub", dividend, node("Mod", dividend, divisor)), divisor);
    }
    Dim symbol = Dim.symbol(((Dim.Symbol) atom).name());
    String known = single.get(symbol);
    if (known == null) {
      Graph.SymbolSource source = graph.symbols().get(symbol.toString());
      known = model.unique("length." + symbol);
      model.node(
          "length." + symbol,
          "",
          "Shape",
          List.of(Lowering.outsideName(source.input())),
          List.of(known),
          Attr.of("start", source.axis()),
          Attr.of("end", source.axis() + 1L));
      single.put(symbol, known);
    }
    return known;
  }

  private String node(String op, String... inputs) {
    String name = model.unique("length");
    model.node("length", "", op, Arrays.asList(inputs), List.of(name));
    return name;
  }
}
