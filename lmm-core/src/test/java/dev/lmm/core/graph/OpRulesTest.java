package dev.lmm.core.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Each rule broken once. */
class OpRulesTest {
  private static final Attributes NONE = new Attributes.None();

  private static Value f(Object... dims) {
    return value(DType.F32, dims);
  }

  private static Value i(Object... dims) {
    return value(DType.I64, dims);
  }

  private static Value b(Object... dims) {
    return value(DType.BOOL, dims);
  }

  private static Value value(DType dtype, Object... dims) {
    return new Value("v", Value.Kind.INPUT, new TensorType(dtype, Shape.of(dims)), null, null);
  }

  private static void refuses(String message, Op op, Attributes attributes, Value... inputs) {
    assertThatThrownBy(() -> OpRules.infer("/node", op, Arrays.asList(inputs), attributes))
        .isInstanceOf(GraphException.class)
        .hasMessageStartingWith("/node (" + op + "): ")
        .hasMessageContaining(message);
  }

  @ParameterizedTest
  @EnumSource(Op.class)
  void everyOperatorNeedsInputs(Op op) {
    assertThatThrownBy(() -> OpRules.infer("/node", op, List.of(), NONE))
        .isInstanceOf(GraphException.class)
        .hasMessageStartingWith("/node (" + op + "): ");
  }

  @Test
  void elementwise() {
    refuses("has 1 inputs, takes 2", Op.ADD, NONE, f(2));
    refuses("input 1 is absent", Op.ADD, NONE, f(2), null);
    refuses("input 0 must be numeric", Op.ADD, NONE, b(2), b(2));
    refuses("inputs 0 and 1 must have one element type", Op.MUL, NONE, f(2), i(2));
    refuses("[2, 3] and [b, 3] do not broadcast together", Op.SUB, NONE, f(2, 3), f("b", 3));
    refuses("inputs 0 and 1 must have one element type", Op.EQUAL, NONE, f(2), i(2));
    refuses("input 0 must be numeric", Op.LESS, NONE, b(2), b(2));
    refuses("input 1 must be BOOL", Op.AND, NONE, b(2), i(2));
    refuses("input 0 must be BOOL", Op.NOT, NONE, f(2));
    refuses("input 0 must be floating point", Op.EXP, NONE, i(2));
    refuses("needs Clamp", Op.CLAMP, NONE, f(2));
    refuses("min 2.0 is above max 1.0", Op.CLAMP, new Attributes.Clamp(2, 1), f(2));
    refuses("needs Cast", Op.CAST, NONE, f(2));
    refuses("input 0 must be BOOL", Op.WHERE, NONE, f(2), f(2), f(2));
    refuses("inputs 1 and 2 must have one element type", Op.WHERE, NONE, b(2), f(2), i(2));
  }

  @Test
  void products() {
    refuses("does not take rows of 4", Op.LINEAR, NONE, f(2, 4), f(5, 3));
    refuses("input 1 must have 2 axes", Op.LINEAR, NONE, f(4), f(4));
    refuses("input 2 must have shape [5]", Op.LINEAR, NONE, f(2, 3), f(5, 3), f(3));
    Attributes plain = new Attributes.MatMul(false, false);
    refuses("inner lengths 3 and 4 differ", Op.MATMUL, plain, f(2, 3), f(4, 2));
    refuses("input 1 must have at least 2 axes", Op.MATMUL, plain, f(2, 3), f(3));
    refuses("do not broadcast together", Op.MATMUL, plain, f(2, 2, 3), f(3, 3, 2));
    refuses("input 0 must be I32 or I64", Op.EMBEDDING, NONE, f(2), f(3, 4));
    refuses("input 1 must have 2 axes", Op.EMBEDDING, NONE, i(2), f(3));
    Attributes experts = new Attributes.Experts(Attributes.Activation.SILU);
    refuses(
        "input 4 must have shape [2, 4, 5]",
        Op.EXPERTS,
        experts,
        f(3, 4),
        f(3, 2),
        f(2, 5, 4),
        f(2, 5, 4),
        f(2, 5, 4));
  }

  private static Attributes conv(int stride, int pad, int groups) {
    List<Integer> pads = List.of(pad, pad);
    return new Attributes.Conv(List.of(stride, stride), List.of(1, 1), pads, pads, groups);
  }

  @Test
  void convolutions() {
    refuses("one to three spatial axes, has 0", Op.CONV, conv(1, 0, 1), f(1, 3), f(4, 3));
    refuses("needs 3 entries", Op.CONV, conv(1, 0, 1), f(1, 3, 5, 5, 5), f(4, 3, 1, 1, 1));
    refuses(
        "does not fit 3 channels in 2 groups",
        Op.CONV,
        conv(1, 0, 2),
        f(1, 3, 5, 5),
        f(4, 3, 1, 1));
    refuses(
        "channels must be a fixed length, is c",
        Op.CONV,
        conv(1, 0, 1),
        f(1, "c", 5, 5),
        f(4, 3, 1, 1));
    refuses("out of range", Op.CONV, conv(0, 0, 1), f(1, 3, 5, 5), f(4, 3, 1, 1));
    refuses(
        "kernel reaches 7, the padded axis has 5",
        Op.CONV,
        conv(1, 0, 1),
        f(1, 3, 5, 5),
        f(4, 3, 7, 1));
    refuses(
        "input 2 must have shape [4]", Op.CONV, conv(1, 0, 1), f(1, 3, 5, 5), f(4, 3, 1, 1), f(3));
    Attributes up = new Attributes.ConvTranspose(List.of(2), List.of(0), List.of(2), 1);
    refuses("out of range", Op.CONV_TRANSPOSE, up, f(1, 3, 5), f(3, 4, 2));
  }

  @Test
  void norms() {
    Attributes norm = new Attributes.Norm(1e-5);
    refuses("input 1 must have shape [4]", Op.LAYER_NORM, norm, f(2, 4), f(5));
    refuses("has 3 inputs, takes 1 to 2", Op.RMS_NORM, norm, f(2, 4), f(4), f(4));
    refuses(
        "5 channels cannot be split into 2 groups",
        Op.GROUP_NORM,
        new Attributes.GroupNorm(2, 1e-5),
        f(1, 5, 3));
    refuses("axis 2 does not exist in [2, 3]", Op.SOFTMAX, new Attributes.Axis(2), f(2, 3));
  }

  private static Attributes.Attention attention(int heads, int kv, boolean causal, int window) {
    return new Attributes.Attention(heads, kv, 1, causal, window, false);
  }

  @Test
  void attentions() {
    Value x = f("b", "s", 8);
    refuses("4 heads are not a multiple of 3", Op.ATTENTION, attention(4, 3, false, 0), x, x, x);
    refuses("width 8 is not a multiple of 3", Op.ATTENTION, attention(3, 3, false, 0), x, x, x);
    refuses("is not 1 heads of 4", Op.ATTENTION, attention(2, 1, false, 0), x, x, x);
    refuses("a window needs causal", Op.ATTENTION, attention(2, 2, false, 3), x, x, x);
    refuses(
        "do not belong together", Op.ATTENTION, attention(2, 2, false, 0), x, f("b", "k", 8), x);
    refuses(
        "input 3 must be BOOL",
        Op.ATTENTION,
        attention(2, 2, false, 0),
        x,
        x,
        x,
        f("b", 1, 1, "s"));
    refuses("do not broadcast", Op.ATTENTION, attention(2, 2, false, 0), x, x, x, b("b", "s"));
    refuses(
        "input 4 must broadcast to [b, 2, s, s]",
        Op.ATTENTION,
        attention(2, 2, false, 0),
        x,
        x,
        x,
        null,
        f(3, "b", 2, "s", "s"));
    Attributes cached = new Attributes.CachedAttention(2, 2, 1, 0);
    Value state = f("b", 2, "c", 4);
    refuses("input 5 must be I32", Op.CACHED_ATTENTION, cached, x, x, x, state, state, i("b"));
    refuses(
        "input 4 must have shape [b, 2, c, 4]",
        Op.CACHED_ATTENTION,
        cached,
        x,
        x,
        x,
        state,
        f("b", 1, "c", 4),
        value(DType.I32, "b"));
    Attributes rotary = new Attributes.Rotary(2, false);
    refuses("cos turns 6 of 4 entries", Op.ROTARY, rotary, x, f("s", 3), f("s", 3));
    refuses("input 2 must have shape [s, 2]", Op.ROTARY, rotary, x, f("s", 2), f("s", 1));
    refuses("does not belong to", Op.ROTARY, rotary, x, f("t", 2), f("t", 2));
  }

  @Test
  void shapes() {
    refuses(
        "shape [b, 4] has not as many elements as [b, 3]",
        Op.RESHAPE,
        new Attributes.Reshape(Shape.of("b", 4)),
        f("b", 3));
    refuses(
        "permutation [0, 0] does not fit",
        Op.TRANSPOSE,
        new Attributes.Transpose(List.of(0, 0)),
        f(2, 3));
    refuses(
        "[2, 3] does not broadcast to [3]", Op.EXPAND, new Attributes.Expand(Shape.of(3)), f(2, 3));
    refuses("differ off axis 0", Op.CONCAT, new Attributes.Axis(0), f(2, 3), f(2, 4));
    refuses(
        "end 4 exceeds the axis' length 3",
        Op.SLICE,
        new Attributes.Slice(0, Dim.of(0), Dim.of(4), 1),
        f(3));
    refuses("end 1 is before 2", Op.SLICE, new Attributes.Slice(0, Dim.of(2), Dim.of(1), 1), f(3));
    refuses("step 0 is below 1", Op.SLICE, new Attributes.Slice(0, Dim.of(0), Dim.of(1), 0), f(3));
    refuses(
        "reflection reaches beyond an axis of 3",
        Op.PAD,
        new Attributes.Pad(List.of(3), List.of(0), Attributes.PadMode.REFLECT, 0),
        f(3));
    refuses(
        "padding is negative",
        Op.PAD,
        new Attributes.Pad(List.of(-1), List.of(0), Attributes.PadMode.CONSTANT, 0),
        f(3));
    Shape size = Shape.of(4, 4);
    Attributes.ResizeMode linear = Attributes.ResizeMode.LINEAR;
    refuses(
        "nearest has neither",
        Op.RESIZE,
        new Attributes.Resize(size, Attributes.ResizeMode.NEAREST, true, false),
        f(1, 2, 3, 3));
    refuses(
        "exclude antialiasing",
        Op.RESIZE,
        new Attributes.Resize(size, linear, true, true),
        f(1, 2, 3, 3));
    refuses(
        "does not fit the spatial axes",
        Op.RESIZE,
        new Attributes.Resize(size, linear, false, false),
        f(1, 2, 3));
  }

  @Test
  void indexingAndReductions() {
    Attributes axis = new Attributes.Axis(1);
    refuses("input 1 must be I32 or I64", Op.GATHER, axis, f(2, 3), f(2));
    refuses("axis 1 does not exist in [2]", Op.GATHER, axis, f(2), i(2));
    refuses("off the axis", Op.GATHER_ELEMENTS, axis, f(2, 3), i(3, 3));
    refuses("input 2 must have shape [2, 3]", Op.SCATTER_ROWS, NONE, f(5, 3), i(2), f(3, 3));
    refuses(
        "axes [] are empty or repeat",
        Op.REDUCE_SUM,
        new Attributes.Reduce(Collections.emptyList(), false),
        f(2));
    refuses(
        "input 0 must be floating point",
        Op.REDUCE_MEAN,
        new Attributes.Reduce(List.of(0), false),
        i(2));
    refuses("does not exist", Op.ARGMAX, new Attributes.ArgMax(1, false), f(2));
    refuses("k 3 exceeds the axis' length 2", Op.TOP_K, new Attributes.TopK(0, 3), f(2));
    refuses("k 0 is below 1", Op.TOP_K, new Attributes.TopK(0, 0), f(2));
    refuses("input 0 must be numeric", Op.CUMSUM, new Attributes.Axis(0), b(2));
  }

  @Test
  void infersSymbolicLengths() {
    assertThat(infer(Op.CONV, conv(2, 1, 1), f("b", 3, "h", 8), f(4, 3, 3, 3)))
        .isEqualTo("F32[b, 4, floor((h - 1)/2) + 1, 4]");
    assertThat(infer(Op.CONCAT, new Attributes.Axis(0), f("s"), f("s"), f(1)))
        .isEqualTo("F32[2*s + 1]");
    assertThat(infer(Op.SLICE, new Attributes.Slice(0, Dim.of(1), Dim.symbol("s"), 1), f("s")))
        .isEqualTo("F32[s - 1]");
  }

  private static String infer(Op op, Attributes attributes, Value... inputs) {
    return OpRules.infer("/node", op, Arrays.asList(inputs), attributes).get(0).toString();
  }
}
