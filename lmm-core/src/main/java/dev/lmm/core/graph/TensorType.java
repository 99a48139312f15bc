package dev.lmm.core.graph;

/**
 * What is known of a value before it is computed.
 *
 * @param dtype its element type
 * @param shape its lengths
 */
public record TensorType(DType dtype, Shape shape) {
  @Override
  public String toString() {
    return dtype + shape.toString();
  }
}
