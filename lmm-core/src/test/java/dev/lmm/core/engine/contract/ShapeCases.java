package dev.lmm.core.engine.contract;

import dev.lmm.core.graph.Attributes;
import dev.lmm.core.graph.Attributes.ResizeMode;
import dev.lmm.core.graph.DType;
import dev.lmm.core.graph.Dim;
import dev.lmm.core.graph.GraphBuilder;
import dev.lmm.core.graph.Op;
import dev.lmm.core.graph.Shape;
import dev.lmm.core.graph.Value;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** Operators under symbolic lengths: batches of none, one and several, sequences of one. */
public final class ShapeCases {
  private ShapeCases() {}

  /** Lengths of b (batch) and s (sequence, or height). */
  public static final List<Map<String, Long>> LENGTHS =
      List.of(
          Map.of("b", 2L, "s", 5L),
          Map.of("b", 1L, "s", 1L),
          Map.of("b", 3L, "s", 7L),
          Map.of("b", 0L, "s", 5L));

  /** All cases by name. */
  public static Map<String, Consumer<ContractCase>> all() {
    Map<String, Consumer<ContractCase>> cases = new LinkedHashMap<>();
    cases.put("elementwise", ShapeCases::elementwise);
    cases.put("products", ShapeCases::products);
    cases.put("norms", ShapeCases::norms);
    cases.put("attention", ShapeCases::attention);
    cases.put("grouped-attention", ShapeCases::groupedAttention);
    cases.put("moving", ShapeCases::moving);
    cases.put("pictures", ShapeCases::pictures);
    cases.put("indexing", ShapeCases::indexing);
    cases.put("reductions", ShapeCases::reductions);
    return cases;
  }

  private static void elementwise(ContractCase c) {
    GraphBuilder g = c.g();
    Value x = c.floats("x", "b", "s", 7);
    Value turned = c.turned("turned", "b", "s", 7);
    Value row = c.floats("row", 7);
    Value column = c.floats("column", "s", 1);
    g.output("sum", g.add(x, turned));
    g.output("row", g.mul(row, x));
    g.output("column", g.sub(x, column));
    g.output("outer", g.binary(Op.MAXIMUM, row, column));
    g.output("activated", g.unary(Op.QUICK_GELU, turned));
    g.output("less", g.binary(Op.LESS, x, turned));
    g.output("chosen", g.where(g.binary(Op.LESS, x, column), x, row));
    g.output("scaled", g.unary(Op.GELU, g.scale(x, 0.3)));
    g.output("clamped", g.clamp(x, -0.5, Double.POSITIVE_INFINITY));
    g.output("whole", g.cast(g.scale(x, 3), DType.I64));
  }

  private static void products(ContractCase c) {
    GraphBuilder g = c.g();
    Value x = c.floats("x", "b", "s", 6);
    Value turned = c.turned("turned", "b", "s", 6);
    g.output("linear", g.linear("one", x, 5));
    g.output("turned", g.linearNoBias("two", turned, 3));
    g.output("activated", g.unary(Op.GELU, g.linear("three", turned, 8)));
    g.output("product", g.matmul(x, turned, false, true));
    g.output("shared", g.matmul(x, g.weight("table", 6, 4)));
    g.output("embedded", g.embedding("tokens", c.longs("ids", 11, "b", "s"), 11, 6));
    Value flat = g.reshape(x, Dim.symbol("b").times(Dim.symbol("s")), 6);
    Value routing = g.softmax(g.linearNoBias("router", flat, 3), -1);
    g.output(
        "experts",
        g.experts(
            flat,
            routing,
            g.weight("gate", 3, 4, 6),
            g.weight("up", 3, 4, 6),
            g.weight("down", 3, 6, 4),
            Attributes.Activation.SILU));
  }

  private static void norms(ContractCase c) {
    GraphBuilder g = c.g();
    Value x = c.floats("x", "b", "s", 6);
    Value turned = c.turned("turned", "b", "s", 6);
    g.output("layer", g.layerNorm("layer", x, 1e-5));
    g.output("residual", g.layerNorm("residual", g.add(x, turned), 1e-5));
    g.output("bare", g.layerNorm(turned, null, null, 1e-6));
    g.output("rms", g.rmsNorm("rms", turned, 1e-6));
    g.output("bare-rms", g.rmsNorm(x, null, 1e-6));
    g.output("group", g.groupNorm("group", g.transpose(x, 0, 2, 1), 3, 1e-5));
    g.output("softmax", g.softmax(x, -1));
    g.output("middle", g.softmax(turned, 1));
    g.output("log", g.logSoftmax(x, -1));
    g.output("length", g.l2Normalize(x));
  }

  private static void attention(ContractCase c) {
    GraphBuilder g = c.g();
    Value q = c.floats("q", "b", "s", 8);
    Value k = c.turned("k", "b", "s", 8);
    Value v = c.floats("v", "b", "s", 8);
    Value keys = c.mask("keys", "b", 1, 1, "s");
    Value pairs = c.mask("pairs", "s", "s");
    g.output("plain", g.attention(q, k, v, 2, false, null));
    g.output("causal", g.attention(q, k, v, 2, true, null));
    g.output("padded", g.attention(q, k, v, 4, false, keys));
    g.output("pairs", g.attention(q, k, v, 2, false, pairs));
    Value bias = c.floats("bias", 1, 2, "s", "s");
    var own = new Attributes.Attention(2, 2, 1, false, 0, true);
    List<Value> both = g.attention(q, k, v, keys, bias, own);
    g.output("biased", both.get(0));
    g.output("probabilities", both.get(1));
    Value nothing = g.binary(Op.AND, keys, g.constant("no", new boolean[] {false}, 1));
    g.output("nothing", g.attention(q, k, v, 2, false, nothing));
    Value probe = g.expand(g.weight("probe", 1, 1, 8), "b", 1, 8);
    g.output("pooled", g.attention(probe, k, v, 2, false, keys));
  }

  private static void groupedAttention(ContractCase c) {
    GraphBuilder g = c.g();
    Value q = c.floats("q", "b", "s", 16);
    Value k = c.floats("k", "b", "s", 8);
    Value v = c.floats("v", "b", "s", 8);
    Value angles = c.floats("angles", "s", 2);
    Value cos = g.unary(Op.COS, angles);
    Value sin = g.unary(Op.SIN, angles);
    for (boolean interleaved : new boolean[] {false, true}) {
      Value turnedQ = g.rotary(q, cos, sin, 4, interleaved);
      Value turnedK = g.rotary(k, cos, sin, 2, interleaved);
      var causal = new Attributes.Attention(4, 2, 0.5, true, 0, false);
      g.output(
          "causal-" + interleaved, g.attention(turnedQ, turnedK, v, null, null, causal).get(0));
      var window = new Attributes.Attention(4, 2, 0.5, true, 3, false);
      g.output(
          "window-" + interleaved, g.attention(turnedQ, turnedK, v, null, null, window).get(0));
    }
  }

  private static void moving(ContractCase c) {
    GraphBuilder g = c.g();
    Dim s = Dim.symbol("s");
    Value x = c.floats("x", "b", "s", 6);
    Value heads = g.transpose(g.reshape(x, "b", "s", 2, 3), 0, 2, 1, 3);
    g.output("heads", heads);
    g.output("back", g.reshape(g.transpose(heads, 0, 2, 1, 3), "b", "s", 6));
    Value token = g.expand(g.weight("token", 1, 1, 6), "b", 1, 6);
    g.output("class", g.concat(1, token, x));
    g.output("last", g.slice(x, 1, s.plus(-1), s));
    g.output("odd", g.slice(x, new Attributes.Slice(1, Dim.of(0), s, 2)));
    g.output("columns", g.slice(x, -1, 2, 5));
    g.output("flat", g.reshape(x, "b", s.times(6)));
    g.output("twice", g.concat(2, x, x));
    g.output(
        "padded",
        g.pad(
            x,
            new Attributes.Pad(
                List.of(0, 1, 0), List.of(0, 2, 3), Attributes.PadMode.CONSTANT, 0.5)));
    g.output("ids", g.concat(1, c.longs("ids", 9, "b", "s"), c.longs("more", 9, "b", 1)));
  }

  private static void pictures(ContractCase c) {
    GraphBuilder g = c.g();
    Dim s = Dim.symbol("s");
    Value x = c.floats("x", "b", 4, "s", 7);
    Value padded = g.conv(x, g.weight("conv", 6, 4, 3, 3), g.weight("bias", 6), 1, 1);
    g.output("conv", padded);
    g.output(
        "strided",
        g.conv(
            x,
            g.weight("down", 6, 2, 3, 3),
            null,
            new Attributes.Conv(List.of(2, 2), List.of(1, 1), List.of(1, 0), List.of(1, 1), 2)));
    g.output("group", g.unary(Op.SILU, g.groupNorm("norm", padded, 3, 1e-6)));
    g.output(
        "transposed",
        g.convTranspose(
            x,
            g.weight("up", 4, 3, 2, 2),
            null,
            new Attributes.ConvTranspose(List.of(2, 2), List.of(0, 0), List.of(0, 0), 1)));
    for (ResizeMode mode : ResizeMode.values()) {
      Shape size = Shape.of(s.times(2), 11);
      g.output("grown-" + mode, g.resize(x, new Attributes.Resize(size, mode, false, false)));
    }
    g.output(
        "aligned",
        g.resize(
            x, new Attributes.Resize(Shape.of(s.times(2), 3), ResizeMode.LINEAR, true, false)));
    Value line = c.turned("line", "b", "s", 4);
    Value along = g.transpose(line, 0, 2, 1);
    g.output("conv1d", g.conv(along, g.weight("conv1d", 3, 4, 1), null, 1, 0));
  }

  private static void indexing(ContractCase c) {
    GraphBuilder g = c.g();
    Dim b = Dim.symbol("b");
    Dim s = Dim.symbol("s");
    Value x = c.floats("x", "b", "s", 6);
    Value ids = c.longs("ids", 50, "b", "s");
    Value end = g.argMax(ids, 1);
    g.output("end", end);
    Value starts = g.mul(c.longs("rows", 1, "b"), g.constant("one", new long[] {1}));
    g.output("pooled", g.gather(g.reshape(x, b.times(s), 6), g.add(starts, end), 0));
    Value order = c.longs("order", 6, 4);
    g.output("columns", g.gather(x, order, 2));
    g.output("first", g.gather(x, g.constant("zero", new long[] {0}), 1));
    List<Value> top = g.topK(x, 2, 3);
    g.output("values", top.get(0));
    g.output("places", top.get(1));
    g.output("again", g.gatherElements(x, top.get(1), 2));
    Value table = c.floats("table", 7, 3);
    g.output(
        "scattered",
        g.scatterRows(table, g.constant("at", new long[] {6, 0}, 2), c.floats("rows2", 2, 3)));
    g.output("sums", g.cumsum(x, 1));
    g.output("counts", g.cumsum(ids, 1));
  }

  private static void reductions(ContractCase c) {
    GraphBuilder g = c.g();
    Value x = c.floats("x", "b", "s", 6);
    Value turned = c.turned("turned", "b", "s", 6);
    for (Op op : List.of(Op.REDUCE_SUM, Op.REDUCE_MEAN, Op.REDUCE_MAX, Op.REDUCE_MIN)) {
      g.output(op + "-last", g.reduce(op, x, false, -1));
      g.output(op + "-middle", g.reduce(op, turned, true, 1));
      g.output(op + "-two", g.reduce(op, turned, false, 1, 2));
    }
  }
}
