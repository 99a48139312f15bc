package dev.lmm.core.engine;

import dev.lmm.Check;
import dev.lmm.InvalidRequestException;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.Value;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What every engine checks before a run: that the inputs are those of the graph, and which lengths
 * they give its symbols. Thread-safe.
 */
public final class InputChecks {
  private final Graph graph;

  /**
   * Checks for one graph.
   *
   * @param graph a verified graph
   */
  public InputChecks(Graph graph) {
    this.graph = graph;
  }

  /**
   * Checks the inputs of a run and finds the length of every symbol.
   *
   * @param inputs as given to the run
   * @param stateSymbols the lengths the run's state was made with, or null without a state
   * @return the length of each symbol
   * @throws InvalidRequestException if an input is missing, surplus or of another type or shape, or
   *     if state and inputs disagree; names the input, what was found and what was expected
   */
  public Map<String, Long> bind(
      Map<String, Tensor> inputs, @Nullable Map<String, Long> stateSymbols) {
    Check.notNull(inputs, "inputs");
    for (Value input : graph.inputs()) {
      Tensor found = inputs.get(input.name());
      if (found == null) {
        throw refused(input, "is missing; the run was given " + inputs.keySet());
      }
      if (found.dtype() != input.dtype() || found.shape().length != input.rank()) {
        throw refused(input, "found " + found);
      }
    }
    for (String name : inputs.keySet()) {
      if (graph.inputs().stream().noneMatch(v -> v.name().equals(name))) {
        throw new InvalidRequestException(
            graph.name()
                + " has no input "
                + name
                + "; expected "
                + graph.inputs().stream().map(Value::name).toList());
      }
    }
    Map<String, Long> symbols = symbols(inputs, stateSymbols == null ? Map.of() : stateSymbols);
    for (Value input : graph.inputs()) {
      Tensor found = inputs.get(input.name());
      long[] expected = input.shape().evaluate(symbols::get);
      if (found != null && !Arrays.equals(found.shape(), expected)) {
        throw refused(
            input,
            "found " + found + "; with " + symbols + " that is " + Arrays.toString(expected));
      }
    }
    return symbols;
  }

  private Map<String, Long> symbols(Map<String, Tensor> inputs, Map<String, Long> ofState) {
    Map<String, Long> symbols = new LinkedHashMap<>();
    graph
        .symbols()
        .forEach(
            (symbol, source) -> {
              Tensor input = inputs.get(source.input().name());
              Long length =
                  source.input().kind() == Value.Kind.STATE || input == null
                      ? ofState.get(symbol)
                      : Long.valueOf(input.dim(source.axis()));
              if (length == null) {
                throw new InvalidRequestException(
                    graph.name()
                        + ": the length of "
                        + symbol
                        + " is that of axis "
                        + source.axis()
                        + " of the state "
                        + source.input().name()
                        + "; expected a state made with it, found "
                        + ofState);
              }
              Long kept = ofState.get(symbol);
              if (kept != null && !kept.equals(length)) {
                throw new InvalidRequestException(
                    graph.name()
                        + ": input "
                        + source.input().name()
                        + " has "
                        + symbol
                        + " = "
                        + length
                        + "; expected "
                        + kept
                        + ", which the state was made with");
              }
              symbols.put(symbol, length);
            });
    return symbols;
  }

  private InvalidRequestException refused(Value input, String found) {
    return new InvalidRequestException(
        graph.name() + ": input " + input.name() + ": expected " + input.type() + ", " + found);
  }

  /**
   * The outputs a run was asked for.
   *
   * @param names as given to the run; all if empty
   * @return in the graph's order
   * @throws InvalidRequestException if the graph has no such output
   */
  public Map<String, Value> outputs(Set<String> names) {
    Check.notNull(names, "outputs");
    if (names.isEmpty()) {
      return graph.outputs();
    }
    for (String name : names) {
      if (!graph.outputs().containsKey(name)) {
        throw new InvalidRequestException(
            graph.name() + " has no output " + name + "; expected " + graph.outputs().keySet());
      }
    }
    Map<String, Value> wanted = new LinkedHashMap<>();
    graph
        .outputs()
        .forEach(
            (name, value) -> {
              if (names.contains(name)) {
                wanted.put(name, value);
              }
            });
    return wanted;
  }

  /**
   * The lengths of one state.
   *
   * @param state of the graph
   * @param symbols as given to {@link Program#newState}
   * @return its shape
   * @throws InvalidRequestException if a symbol is missing or negative
   */
  public long[] stateShape(Value state, Map<String, Long> symbols) {
    Check.notNull(symbols, "symbols");
    return state
        .shape()
        .evaluate(
            symbol -> {
              Long length = symbols.get(symbol);
              if (length == null || length < 0) {
                throw new InvalidRequestException(
                    graph.name()
                        + ": state "
                        + state
                        + " needs the length of "
                        + symbol
                        + ", at least 0; found "
                        + symbols);
              }
              return length;
            });
  }
}
