package dev.lmm.pytorch.internal;

import dev.lmm.EngineException;
import dev.lmm.core.graph.DType;
import dev.lmm.core.graph.Dim;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.Node;
import dev.lmm.core.graph.Op;
import dev.lmm.core.graph.Shape;
import dev.lmm.core.graph.Value;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Writes the part of a graph that some outputs need as TorchScript. Floating point values are
 * single precision throughout, whatever the graph's type; products in 16 bits or fewer convert what
 * they read and what they give.
 *
 * <p>The script's one method takes lists of tensors: inputs and outputs of the run (which it copies
 * the results into), states, weights, those of {@link FewBits}, and the flag that stops it.
 */
final class Lowering {
  /** What an exception that the flag raised says. */
  static final String STOPPED = "lmm: stopped";

  private final Graph graph;
  private final LinearWeights forms;
  private final Set<Node> needed = new HashSet<>();
  private final Map<Value, Integer> readers = new HashMap<>();
  private final Map<Value, String> names = new HashMap<>();
  private final Map<String, String> shared = new HashMap<>();
  private final StringBuilder code = new StringBuilder();
  private final Map<Integer, Node> nodeOfLine = new HashMap<>();
  private @Nullable Node current;
  private int lines;
  private int fresh;

  private Lowering(Graph graph, LinearWeights forms) {
    this.graph = graph;
    this.forms = forms;
  }

  /**
   * A script.
   *
   * @param code its source
   * @param nodeOfLine which node a line of it computes
   */
  record Result(String code, Map<Integer, Node> nodeOfLine) {}

  /**
   * Writes.
   *
   * @param graph a verified graph
   * @param forms how its weights are handed over
   * @param outputs the outputs wanted, in this order
   */
  static Result lower(Graph graph, LinearWeights forms, Collection<Value> outputs) {
    return new Lowering(graph, forms).run(outputs);
  }

  private Result run(Collection<Value> outputs) {
    findNeeded(outputs);
    raw("class M(Module):");
    raw("  __parameters__ = []");
    raw("  __buffers__ = []");
    raw(
        "  def forward(self: __torch__.M, io: List[Tensor], states: List[Tensor], weights:"
            + " List[Tensor], "
            + FewBits.parameters()
            + ", stop: Tensor) -> None:");
    int at = 0;
    for (Value input : graph.inputs()) {
      names.put(input, given("io[" + at++ + "]", input.dtype()));
    }
    List<String> results = new ArrayList<>();
    for (int i = 0; i < outputs.size(); i++) {
      results.add("io[" + at++ + "]");
    }
    at = 0;
    for (Value state : graph.states().keySet()) {
      names.put(state, given("states[" + at++ + "]", state.dtype()));
    }
    at = 0;
    for (Value weight : fixed(graph, forms)) {
      if (readers.containsKey(weight) || outputs.contains(weight)) {
        names.put(weight, let("weights[" + at + "]"));
      }
      at++;
    }
    for (Node node : graph.nodes()) {
      if (needed.contains(node)) {
        lower(node);
      }
    }
    current = null;
    at = 0;
    for (Value output : outputs) {
      into(results.get(at++), of(output), output.dtype());
    }
    keepStates();
    raw("    return None");
    return new Result(code.toString(), nodeOfLine);
  }

  /** Weights and constants, in the order in which the script is given them. */
  static List<Value> fixed(Graph graph, LinearWeights forms) {
    List<Value> fixed = new ArrayList<>(graph.weights());
    fixed.removeIf(weight -> !forms.isPlain(weight));
    fixed.addAll(graph.constants());
    return fixed;
  }

  LinearWeights forms() {
    return forms;
  }

  /** Whether rows of a weight are looked up and nothing else: it can stay in the file's type. */
  static boolean isTable(Graph graph, Value weight) {
    boolean table = false;
    for (Node node : graph.nodes()) {
      for (int i = 0; i < node.inputs().size(); i++) {
        if (weight.equals(node.optionalInput(i))) {
          if (node.op() != Op.EMBEDDING || i != 1) {
            return false;
          }
          table = true;
        }
      }
    }
    return table && !graph.outputs().containsValue(weight);
  }

  private void findNeeded(Collection<Value> outputs) {
    Set<Value> wanted = new HashSet<>(outputs);
    wanted.addAll(graph.states().values());
    for (Value value : wanted) {
      readers.merge(value, 1, Integer::sum);
    }
    for (int i = graph.nodes().size() - 1; i >= 0; i--) {
      Node node = graph.nodes().get(i);
      if (node.outputs().stream().anyMatch(wanted::contains)) {
        needed.add(node);
        for (Value input : node.inputs()) {
          if (input != null) {
            wanted.add(input);
            readers.merge(input, 1, Integer::sum);
          }
        }
      }
    }
  }

  private void lower(Node node) {
    current = node;
    try {
      List<String> results = Operators.lower(this, node);
      for (int i = 0; i < results.size(); i++) {
        names.put(node.outputs().get(i), results.get(i));
      }
    } catch (EngineException e) {
      throw new EngineException(node.name() + " (" + node.op() + "): " + e.getMessage(), e);
    }
  }

  // What comes from outside and goes there.

  /** A tensor over Java's memory, as the script computes with it. */
  private String given(String expression, DType type) {
    return switch (type) {
      case F16 -> let("torch.to(" + expression + ", 6)");
      // Handed over as F16, for DJL knows no BF16.
      case BF16 -> let("torch.to(torch.view_copy(" + expression + ", dtype=15), 6)");
      default -> let(expression);
    };
  }

  private void into(String memory, String value, DType type) {
    String from =
        type == DType.BF16
            ? "torch.view_copy(torch.contiguous(torch.to(" + value + ", 15)), dtype=5)"
            : value;
    let("torch.copy_(" + memory + ", " + from + ")");
  }

  /** Writes what states become where they lie, after all that reads them. */
  private void keepStates() {
    List<Runnable> writes = new ArrayList<>();
    int at = 0;
    for (Map.Entry<Value, Value> entry : graph.states().entrySet()) {
      String memory = "states[" + at++ + "]";
      Value state = entry.getKey();
      if (entry.getValue().equals(state) || isInPlace(state)) {
        continue;
      }
      // It may be a view of a state that is overwritten before it.
      String next = let("torch.clone(" + of(entry.getValue()) + ")");
      writes.add(() -> into(memory, next, state.dtype()));
    }
    writes.forEach(Runnable::run);
  }

  /**
   * Whether attention may write a state where it lies: it alone reads it, and what it makes of it
   * is what the state becomes.
   */
  boolean isInPlace(Value state) {
    Value next = graph.states().get(state);
    if (next == null || state.dtype() != DType.F32 || readers.getOrDefault(state, 0) != 1) {
      return false;
    }
    for (Node node : graph.nodes()) {
      int output = node.outputs().indexOf(next);
      if (output >= 1) {
        return node.op() == Op.CACHED_ATTENTION && state.equals(node.optionalInput(output + 2));
      }
    }
    return false;
  }

  // Values.

  /** The name of a value; floating point ones are single precision. */
  String of(Value value) {
    String name = names.get(value);
    if (name == null) {
      throw new EngineException(value + " is not there yet");
    }
    return name;
  }

  /** The name of a value, or None. */
  String ofOptional(@Nullable Value value) {
    return value == null ? "None" : of(value);
  }

  /** Gives an expression a name. */
  String let(String expression) {
    String name = "v" + fresh++;
    raw("    " + name + " = " + expression);
    return name;
  }

  /** Calls a function and names the result. */
  String call(String function, Object... arguments) {
    List<String> words = new ArrayList<>();
    for (Object argument : arguments) {
      words.add(argument instanceof Boolean b ? (b ? "True" : "False") : argument.toString());
    }
    return let("torch." + function + "(" + String.join(", ", words) + ")");
  }

  /** What several nodes need alike, computed at its first use. */
  String shared(String expression) {
    String known = shared.get(expression);
    if (known == null) {
      known = let(expression);
      shared.put(expression, known);
    }
    return known;
  }

  /** A place where a run can be stopped. */
  void poll() {
    raw("    if bool(stop):");
    raw("      ops.prim.RaiseException(\"" + STOPPED + "\")");
    raw("    else:");
    raw("      pass");
  }

  private void raw(String line) {
    code.append(line).append('\n');
    lines++;
    if (current != null) {
      nodeOfLine.put(lines, current);
    }
  }

  // Lengths.

  /** A list of lengths. */
  String dims(Shape shape) {
    return shape.dims().stream().map(this::dim).collect(Collectors.joining(", ", "[", "]"));
  }

  /** A length, an integer of the script. */
  String dim(Dim dim) {
    return dim.isFixed() ? Long.toString(dim.fixed().orElseThrow()) : shared(sum(dim));
  }

  private String sum(Dim dim) {
    return dim.terms().stream().map(this::product).collect(Collectors.joining(" + "));
  }

  private String product(Dim.Term term) {
    StringBuilder product = new StringBuilder("(" + term.coefficient() + ")");
    for (Dim.Atom atom : term.atoms()) {
      product.append(" * ").append(atom(atom));
    }
    return product.toString();
  }

  private String atom(Dim.Atom atom) {
    if (atom instanceof Dim.FloorDiv quotient) {
      return "torch.floordiv(" + dim(quotient.dividend()) + ", " + quotient.divisor() + ")";
    }
    Graph.SymbolSource source = graph.symbols().get(((Dim.Symbol) atom).name());
    return shared("torch.size(" + of(source.input()) + ", " + source.axis() + ")");
  }

  /** PyTorch's number of an element type. */
  static int code(DType type) {
    return switch (type) {
      case U8 -> 0;
      case I8 -> 1;
      case I16 -> 2;
      case I32 -> 3;
      case I64 -> 4;
      case F16 -> 5;
      case F32 -> 6;
      case F64 -> 7;
      case BOOL -> 11;
      case BF16 -> 15;
      default -> throw new EngineException("engine pytorch has no tensors of type " + type);
    };
  }
}
