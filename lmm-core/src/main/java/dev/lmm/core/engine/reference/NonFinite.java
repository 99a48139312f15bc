package dev.lmm.core.engine.reference;

import dev.lmm.core.engine.Program;
import dev.lmm.core.engine.ProgramState;
import dev.lmm.core.engine.RunOptions;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.engine.WeightStore;
import dev.lmm.core.graph.DType;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.Node;
import dev.lmm.core.graph.Op;
import dev.lmm.core.graph.Value;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Finds where numbers stop being numbers: runs a graph (in the interpreter, or with an engine in
 * the precision it computes in) and names the first node that made a NaN or an infinity out of
 * finite inputs, or the weight or input that already held a NaN.
 */
public final class NonFinite {
  private NonFinite() {}

  /**
   * Where it began.
   *
   * @param name of the node, weight, input or state; a node's name is the path of its layer
   * @param op the operator; empty for a weight, an input or a state
   * @param nans how many elements are NaN
   * @param infinities how many elements are infinite
   * @param elements how many there are
   */
  public record Finding(String name, Optional<Op> op, long nans, long infinities, long elements) {
    @Override
    public String toString() {
      return name
          + op.map(o -> " (" + o + ")").orElse("")
          + ": "
          + nans
          + " NaN and "
          + infinities
          + " infinite of "
          + elements
          + " elements";
    }
  }

  /**
   * Looks for the first in a graph without states.
   *
   * @param graph a verified graph
   * @param weights the checkpoint
   * @param inputs as for {@link dev.lmm.core.engine.Program#run(Map)}
   * @return the first, or empty if all is finite
   */
  public static Optional<Finding> find(
      Graph graph, WeightStore weights, Map<String, Tensor> inputs) {
    return find(graph, weights, inputs, Map.of(), Map.of());
  }

  /**
   * Looks for the first.
   *
   * @param graph a verified graph
   * @param weights the checkpoint
   * @param inputs as for {@link dev.lmm.core.engine.Program#run(Map)}
   * @param symbols as for {@link dev.lmm.core.engine.Program#newState}; empty without states
   * @param states what states hold before the run; those left out are zero
   * @return the first, or empty if all is finite
   */
  public static Optional<Finding> find(
      Graph graph,
      WeightStore weights,
      Map<String, Tensor> inputs,
      Map<String, Long> symbols,
      Map<String, Tensor> states) {
    List<Finding> found = new ArrayList<>();
    for (Value weight : graph.weights()) {
      Elements elements = WeightReader.read(weight, weights);
      Finding finding = count(weight.name(), Optional.empty(), elements);
      if (finding.nans() + finding.infinities() > 0) {
        return Optional.of(finding);
      }
    }
    // An infinity may be meant, in a mask for instance; a NaN never is.
    inputs.forEach((name, tensor) -> given(found, name, tensor));
    states.forEach((name, tensor) -> given(found, name, tensor));
    if (!found.isEmpty()) {
      return Optional.of(found.get(0));
    }
    try (ReferenceProgram program = new ReferenceProgram(graph, weights);
        ProgramState state = program.newState(symbols)) {
      states.forEach(((ReferenceState) state)::restore);
      program.run(
          inputs,
          Set.of(),
          graph.states().isEmpty() ? RunOptions.NONE : new RunOptions(state, null),
          (node, in, out) -> {
            boolean finiteIn =
                in.stream().allMatch(e -> e == null || isFinite(count("", Optional.empty(), e)));
            for (Elements elements : out) {
              Finding finding = count(node.name(), Optional.of(node.op()), elements);
              if (finding.nans() > 0 || (finiteIn && !isFinite(finding))) {
                found.add(finding);
              }
            }
          });
    }
    return found.stream().findFirst();
  }

  /**
   * Looks for the first where an engine computes it, in the engine's precision: what overflows
   * there need not in the interpreter. For graphs without states whose numbers are all finite when
   * nothing is wrong. The graph is compiled and run in parts, about as often as the number of its
   * nodes has binary digits.
   *
   * @param graph a verified graph
   * @param inputs as for {@link dev.lmm.core.engine.Program#run(Map)}
   * @param compiler compiles parts of the graph; the programs are closed here
   * @return a node that made a NaN or an infinity out of finite numbers, or an input that holds
   *     one; empty if the outputs are finite
   */
  public static Optional<Finding> find(
      Graph graph, Map<String, Tensor> inputs, Function<Graph, Program> compiler) {
    for (Map.Entry<String, Tensor> input : inputs.entrySet()) {
      Finding finding = count(input.getKey(), Optional.empty(), Elements.of(input.getValue()));
      if (!isFinite(finding)) {
        return Optional.of(finding);
      }
    }
    List<Node> nodes =
        graph.nodes().stream().filter(n -> n.output().type().dtype() == DType.F32).toList();
    Map<Node, Finding> known = new HashMap<>();
    Predicate<Node> broken =
        node ->
            !isFinite(
                known.computeIfAbsent(
                    node, n -> count(n, graph.upTo(n.output()), inputs, compiler)));
    int high =
        IntStream.range(0, nodes.size())
            .filter(i -> graph.outputs().containsValue(nodes.get(i).output()))
            .filter(i -> broken.test(nodes.get(i)))
            .findFirst()
            .orElse(-1);
    if (high < 0) {
      return Optional.empty();
    }
    int low = -1;
    while (high - low > 1) {
      int middle = (low + high) >>> 1;
      if (broken.test(nodes.get(middle))) {
        high = middle;
      } else {
        low = middle;
      }
    }
    Node found = nodes.get(high);
    // The node before it in the list may stand on another branch, and what it reads be broken.
    for (Optional<Node> next = Optional.of(found); next.isPresent(); ) {
      found = next.get();
      List<@Nullable Value> read = found.inputs();
      next = nodes.stream().filter(n -> read.contains(n.output())).filter(broken).findFirst();
    }
    return Optional.ofNullable(known.get(found));
  }

  private static Finding count(
      Node node, Graph part, Map<String, Tensor> inputs, Function<Graph, Program> compiler) {
    try (Program program = compiler.apply(part)) {
      Tensor result = program.run(inputs).values().iterator().next();
      return count(node.name(), Optional.of(node.op()), Elements.of(result));
    }
  }

  private static void given(List<Finding> found, String name, Tensor tensor) {
    Finding finding = count(name, Optional.empty(), Elements.of(tensor));
    if (finding.nans() > 0) {
      found.add(finding);
    }
  }

  private static boolean isFinite(Finding finding) {
    return finding.nans() + finding.infinities() == 0;
  }

  private static Finding count(String name, Optional<Op> op, Elements elements) {
    long nans = 0;
    long infinities = 0;
    if (elements.isFloat()) {
      for (float f : elements.floats()) {
        nans += Float.isNaN(f) ? 1 : 0;
        infinities += Float.isInfinite(f) ? 1 : 0;
      }
    }
    return new Finding(name, op, nans, infinities, elements.count());
  }
}
