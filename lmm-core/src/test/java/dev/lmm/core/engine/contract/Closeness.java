package dev.lmm.core.engine.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.lmm.core.engine.Tensor;
import dev.lmm.core.graph.DType;
import java.util.Map;

/** Compares tensors whole: every element, and NaN never equals anything. */
public final class Closeness {
  private Closeness() {}

  /**
   * Compares all outputs of a run.
   *
   * @param found by the engine under test
   * @param expected names and tensors
   * @param tolerance absolute below magnitude 1, relative above
   */
  public static void assertClose(
      Map<String, Tensor> found, Map<String, Tensor> expected, double tolerance) {
    assertThat(found.keySet()).isEqualTo(expected.keySet());
    expected.forEach((name, tensor) -> assertClose(name, found.get(name), tensor, tolerance));
  }

  /**
   * Compares two tensors.
   *
   * @param name for messages
   * @param found by the engine under test
   * @param expected of the same type and shape
   * @param tolerance absolute below magnitude 1, relative above; integers must be equal
   */
  public static void assertClose(String name, Tensor found, Tensor expected, double tolerance) {
    assertThat(found).as(name).isNotNull();
    assertThat(found.toString()).as(name).isEqualTo(expected.toString());
    if (expected.dtype() != DType.F32) {
      assertThat(found.data()).as(name).isEqualTo(expected.data());
      return;
    }
    float[] f = found.toFloats();
    float[] e = expected.toFloats();
    for (int i = 0; i < e.length; i++) {
      double distance = f[i] == e[i] ? 0 : Math.abs((double) f[i] - e[i]);
      if (Float.isNaN(e[i]) || !(distance <= tolerance * Math.max(1, Math.abs(e[i])))) {
        fail("%s[%d] of %s: found %s, expected %s", name, i, expected, f[i], e[i]);
      }
    }
  }
}
