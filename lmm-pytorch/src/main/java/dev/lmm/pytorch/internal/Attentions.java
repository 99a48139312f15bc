package dev.lmm.pytorch.internal;

import dev.lmm.core.graph.Attributes.Attention;
import dev.lmm.core.graph.Attributes.CachedAttention;
import dev.lmm.core.graph.Attributes.Rotary;
import dev.lmm.core.graph.Dim;
import dev.lmm.core.graph.Node;
import dev.lmm.core.graph.Value;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Attention by PyTorch's fused kernel, composed where probabilities are asked for; rotation. */
final class Attentions {
  /**
   * What is added to the score of a hidden key. Not minus infinity, which gives NaN where a query
   * sees nothing; large enough that the softmax of any other score drowns it completely.
   */
  private static final String HIDDEN = "-1e+30";

  private Attentions() {}

  static List<String> attention(Lowering to, Node node) {
    Attention a = node.attributes(Attention.class);
    Dim queries = node.input(0).dim(1);
    Dim keys = node.input(1).dim(1);
    Value mask = node.optionalInput(3);
    Value bias = node.optionalInput(4);
    boolean square = queries.equals(keys);
    boolean fusedCausal = a.causal() && square && a.window() == 0 && mask == null && bias == null;
    String allowed = mask == null ? null : to.of(mask);
    if (a.causal() && !fusedCausal) {
      String query = to.shared("torch.unsqueeze(torch.arange(" + to.dim(queries) + "), 1)");
      String last = to.let(query + " + (" + to.dim(keys.minus(queries)) + ")");
      String key = to.shared("torch.arange(" + to.dim(keys) + ")");
      allowed = both(to, allowed, within(to, key, last, a.window()));
    }
    String q = heads(to, node.input(0), a.heads());
    String k = repeated(to, heads(to, node.input(1), a.kvHeads()), a.heads() / a.kvHeads());
    String v = repeated(to, heads(to, node.input(2), a.kvHeads()), a.heads() / a.kvHeads());
    String addition = addition(to, allowed, bias == null ? null : to.of(bias));
    boolean complete = allowed == null || (mask == null && square);
    String any = complete ? null : to.call("any", allowed, -1, "True");
    String probabilities = null;
    String out;
    if (a.probabilities()) {
      String scores = to.call("matmul", to.call("mul", q, a.scale()), turned(to, k));
      if (fusedCausal) {
        String query = to.shared("torch.unsqueeze(torch.arange(" + to.dim(queries) + "), 1)");
        String key = to.shared("torch.arange(" + to.dim(keys) + ")");
        addition = addition(to, within(to, key, query, 0), null);
      }
      scores = addition == null ? scores : to.call("add", scores, addition);
      probabilities = to.call("softmax", scores, -1);
      probabilities = any == null ? probabilities : to.call("mul", probabilities, any);
      out = to.call("matmul", probabilities, v);
    } else {
      out = fused(to, q, k, v, addition, fusedCausal, a.scale());
      out = any == null ? out : to.call("mul", out, any);
    }
    out = merged(to, node, out);
    return probabilities == null ? List.of(out) : List.of(out, probabilities);
  }

  static List<String> cached(Lowering to, Node node) {
    CachedAttention a = node.attributes(CachedAttention.class);
    Dim length = node.input(0).dim(1);
    String s = to.dim(length);
    String past = to.shared("torch.to(" + to.of(node.input(5)) + ", 4)");
    // The place of each new entry, [batch, s].
    String places = to.shared("torch.unsqueeze(" + past + ", 1) + torch.arange(" + s + ")");
    String kept = to.shared("int(torch.max(" + places + ")) + 1");
    String keys = written(to, node, 1, places, a.kvHeads());
    String values = written(to, node, 2, places, a.kvHeads());
    // Only what is kept is read, not the whole state.
    String k = to.call("slice", keys, 2, 0, kept, 1);
    String v = to.call("slice", values, 2, 0, kept, 1);
    String key = to.shared("torch.arange(" + kept + ")");
    String last = to.shared("torch.unsqueeze(torch.unsqueeze(" + places + ", -1), 1)");
    String allowed = within(to, key, last, a.window());
    Value bias = node.optionalInput(6);
    String added = null;
    if (bias != null) {
      added = to.of(bias);
      if (!bias.dim(-1).is(1)) {
        added = to.call("slice", added, bias.rank() - 1, 0, kept, 1);
      }
    }
    String out =
        fused(
            to,
            heads(to, node.input(0), a.heads()),
            repeated(to, k, a.heads() / a.kvHeads()),
            repeated(to, v, a.heads() / a.kvHeads()),
            addition(to, allowed, added),
            false,
            a.scale());
    return List.of(merged(to, node, out), keys, values);
  }

  /** A state with the new entries in it; the kernel refuses places outside it. */
  private static String written(Lowering to, Node node, int input, String places, int kvHeads) {
    Value state = node.input(input + 2);
    String fresh = heads(to, node.input(input), kvHeads);
    String index =
        to.call(
            "expand",
            to.shared("torch.unsqueeze(torch.unsqueeze(" + places + ", 1), -1)"),
            "[-1, " + kvHeads + ", -1, " + to.dim(state.dim(3)) + "]");
    String target = to.of(state);
    return to.call(to.isInPlace(state) ? "scatter_" : "scatter", target, 2, index, fresh);
  }

  /** Which keys lie at or before a query's place, and within its window. */
  private static String within(Lowering to, String key, String last, int window) {
    String allowed = to.shared("torch.le(" + key + ", " + last + ")");
    if (window == 0) {
      return allowed;
    }
    String near = to.call("gt", key, to.call("sub", last, window));
    return to.call("logical_and", allowed, near);
  }

  private static String both(Lowering to, @Nullable String a, String b) {
    return a == null ? b : to.call("logical_and", a, b);
  }

  /** What is added to the scores, or null for nothing. */
  private static @Nullable String addition(
      Lowering to, @Nullable String allowed, @Nullable String bias) {
    if (allowed == null) {
      return bias;
    }
    String zero = "torch.scalar_tensor(0., dtype=6)";
    String hidden = "torch.scalar_tensor(" + HIDDEN + ", dtype=6)";
    return to.shared(
        "torch.where("
            + allowed
            + ", "
            + (bias == null ? to.shared(zero) : bias)
            + ", "
            + to.shared(hidden)
            + ")");
  }

  private static String fused(
      Lowering to,
      String q,
      String k,
      String v,
      @Nullable String addition,
      boolean causal,
      double scale) {
    String mask = "None";
    if (addition != null) {
      // Broadcast to four axes, which is what the fused kernel takes.
      String batch = to.call("size", q, 0);
      String queries = to.call("size", q, 2);
      String keys = to.call("size", k, 2);
      mask =
          to.shared(
              "torch.expand("
                  + addition
                  + ", ["
                  + batch
                  + ", "
                  + to.call("size", q, 1)
                  + ", "
                  + queries
                  + ", "
                  + keys
                  + "])");
    }
    return to.call("scaled_dot_product_attention", q, k, v, mask, "0.", causal, "scale=" + scale);
  }

  /** [batch, length, heads*d] to [batch, heads, length, d]. */
  private static String heads(Lowering to, Value value, int heads) {
    long width = value.dim(2).fixed().orElseThrow() / heads;
    String split =
        to.call(
            "reshape",
            to.of(value),
            "["
                + to.dim(value.dim(0))
                + ", "
                + to.dim(value.dim(1))
                + ", "
                + heads
                + ", "
                + width
                + "]");
    return to.call("transpose", split, 1, 2);
  }

  private static String repeated(Lowering to, String x, int times) {
    return times == 1 ? x : to.call("repeat_interleave", x, times, 1);
  }

  private static String turned(Lowering to, String x) {
    return to.call("transpose", x, -2, -1);
  }

  /** [batch, heads, length, d] to the shape of the node's result. */
  private static String merged(Lowering to, Node node, String x) {
    return to.call("reshape", to.call("transpose", x, 1, 2), to.dims(node.output().shape()));
  }

  static String rotary(Lowering to, Node node) {
    Rotary a = node.attributes(Rotary.class);
    Value x = node.input(0);
    long width = x.dim(2).fixed().orElseThrow() / a.heads();
    long half = node.input(1).dim(-1).fixed().orElseThrow();
    String lead = "[" + to.dim(x.dim(0)) + ", " + to.dim(x.dim(1)) + ", " + a.heads() + ", ";
    String split = to.call("reshape", to.of(x), lead + width + "]");
    String cos = to.shared("torch.unsqueeze(" + to.of(node.input(1)) + ", -2)");
    String sin = to.shared("torch.unsqueeze(" + to.of(node.input(2)) + ", -2)");
    int step = a.interleaved() ? 2 : 1;
    long second = a.interleaved() ? 1 : half;
    String u = to.call("slice", split, 3, 0, a.interleaved() ? 2 * half : half, step);
    String w = to.call("slice", split, 3, second, 2 * half, step);
    String first = to.call("sub", to.call("mul", u, cos), to.call("mul", w, sin));
    String other = to.call("add", to.call("mul", w, cos), to.call("mul", u, sin));
    String turned =
        a.interleaved()
            ? to.call(
                "reshape",
                to.call("stack", "[" + first + ", " + other + "]", -1),
                lead + 2 * half + "]")
            : to.call("cat", "[" + first + ", " + other + "]", -1);
    if (2 * half < width) {
      String rest = to.call("slice", split, 3, 2 * half, width, 1);
      turned = to.call("cat", "[" + turned + ", " + rest + "]", -1);
    }
    return to.call("reshape", turned, to.dims(x.shape()));
  }
}
