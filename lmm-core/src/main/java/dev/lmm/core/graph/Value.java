package dev.lmm.core.graph;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * A value in a graph: an input, a weight, a constant, a state, or a result of a node. Identity
 * matters: two values are the same only if they are the same object. Immutable.
 */
public final class Value {
  /** Where a value comes from. */
  public enum Kind {
    /** Given by the caller of each run. */
    INPUT,
    /** A range of a checkpoint's tensor, seen in the graph's computing type. */
    WEIGHT,
    /** Small data computed when the graph was made. */
    CONSTANT,
    /** Kept between runs, for each conversation. */
    STATE,
    /** Computed by a node. */
    RESULT
  }

  private final String name;
  private final Kind kind;
  private final TensorType type;
  private final @Nullable WeightRef weight;
  private final @Nullable ByteBuffer data;

  Value(
      String name,
      Kind kind,
      TensorType type,
      @Nullable WeightRef weight,
      @Nullable ByteBuffer data) {
    this.name = name;
    this.kind = kind;
    this.type = type;
    this.weight = weight;
    this.data = data;
  }

  /**
   * The name, unique in its graph: a path below the scope it was made in.
   *
   * @return for instance {@code vision_model.encoder.layers.0.self_attn.q_proj}
   */
  public String name() {
    return name;
  }

  /**
   * Where it comes from.
   *
   * @return the kind
   */
  public Kind kind() {
    return kind;
  }

  /**
   * Element type and shape.
   *
   * @return the type
   */
  public TensorType type() {
    return type;
  }

  /**
   * Element type.
   *
   * @return the type of each element
   */
  public DType dtype() {
    return type.dtype();
  }

  /**
   * Shape.
   *
   * @return the lengths
   */
  public Shape shape() {
    return type.shape();
  }

  /**
   * The length of one axis.
   *
   * @param axis the axis; negative counts from the end
   * @return its length
   */
  public Dim dim(int axis) {
    return type.shape().dim(axis);
  }

  /**
   * Number of axes.
   *
   * @return the rank
   */
  public int rank() {
    return type.shape().rank();
  }

  /**
   * Where a weight lies.
   *
   * @return the reference
   * @throws GraphException if this is no weight
   */
  public WeightRef weight() {
    if (weight == null) {
      throw new GraphException(name + " is a " + kind + ", not a weight");
    }
    return weight;
  }

  /**
   * The elements of a constant.
   *
   * @return a fresh view of direct memory in native byte order, position 0
   * @throws GraphException if this is no constant
   */
  public ByteBuffer data() {
    if (data == null) {
      throw new GraphException(name + " is a " + kind + ", not a constant");
    }
    return data.duplicate().order(ByteOrder.nativeOrder());
  }

  @Override
  public String toString() {
    return name + ": " + type;
  }
}
