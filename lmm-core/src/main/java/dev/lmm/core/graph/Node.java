package dev.lmm.core.graph;

import java.util.Collections;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** One operation of a graph. Immutable. */
public final class Node {
  private final String name;
  private final Op op;
  private final List<@Nullable Value> inputs;
  private final Attributes attributes;
  private final List<Value> outputs;

  Node(
      String name,
      Op op,
      List<@Nullable Value> inputs,
      Attributes attributes,
      List<Value> outputs) {
    this.name = name;
    this.op = op;
    // Not List.copyOf: an absent optional input is null.
    this.inputs = Collections.unmodifiableList(inputs);
    this.attributes = attributes;
    this.outputs = List.copyOf(outputs);
  }

  /**
   * The name: a path, equal to the weight's path where the node has one.
   *
   * @return unique in its graph
   */
  public String name() {
    return name;
  }

  /**
   * The operator.
   *
   * @return what it does
   */
  public Op op() {
    return op;
  }

  /**
   * The inputs in the operator's order; an absent optional input is null.
   *
   * @return the inputs
   */
  public List<@Nullable Value> inputs() {
    return inputs;
  }

  /**
   * One input that must be there.
   *
   * @param index its place
   * @return the input
   * @throws GraphException if it is absent
   */
  public Value input(int index) {
    Value value = optionalInput(index);
    if (value == null) {
      throw new GraphException(name + " (" + op + "): input " + index + " is absent");
    }
    return value;
  }

  /**
   * One input that may be absent.
   *
   * @param index its place
   * @return the input, or null
   */
  public @Nullable Value optionalInput(int index) {
    return index < inputs.size() ? inputs.get(index) : null;
  }

  /**
   * The attributes, of the record the operator has.
   *
   * @param type the record
   * @param <T> the record
   * @return the attributes
   * @throws GraphException if the operator has another record
   */
  public <T extends Attributes> T attributes(Class<T> type) {
    if (!type.isInstance(attributes)) {
      throw new GraphException(
          name + " (" + op + "): has attributes " + attributes + ", not " + type.getSimpleName());
    }
    return type.cast(attributes);
  }

  /**
   * The attributes.
   *
   * @return the attributes
   */
  public Attributes attributes() {
    return attributes;
  }

  /**
   * The results.
   *
   * @return at least one
   */
  public List<Value> outputs() {
    return outputs;
  }

  /**
   * The first result.
   *
   * @return the result
   */
  public Value output() {
    return outputs.get(0);
  }

  @Override
  public String toString() {
    return name
        + " = "
        + op
        + inputs.stream()
            .map(v -> v == null ? "-" : v.toString())
            .collect(Collectors.joining(", ", "(", ")"))
        + (attributes instanceof Attributes.None ? "" : " " + attributes);
  }
}
