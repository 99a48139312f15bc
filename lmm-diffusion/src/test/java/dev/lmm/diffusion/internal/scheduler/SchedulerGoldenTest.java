package dev.lmm.diffusion.internal.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.lmm.InvalidRequestException;
import dev.lmm.core.json.Json;
import dev.lmm.core.random.TorchGenerator;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every scheduler, step for step, as diffusers does it; reference/scheduler_goldens.py. */
class SchedulerGoldenTest {
  private static final Json GOLDEN =
      Json.parse(Path.of("src/test/resources/golden/schedulers.json"));

  static Stream<String> names() {
    return Schedulers.names().stream();
  }

  @ParameterizedTest
  @MethodSource("names")
  void equalsDiffusers(String name) {
    int seen = 0;
    for (Json golden : GOLDEN.at("cases").elements()) {
      if (golden.stringAt("name").equals(name)) {
        check(golden, scheduler(golden), 1e-5);
        seen++;
      }
    }
    assertThat(seen).isGreaterThan(10);
  }

  /**
   * A last bit of a level decides which millionth of the Brownian motion is asked for, and torch's
   * logarithms are not exact to the last bit: between which levels it asked stands in the golden.
   */
  private static Scheduler scheduler(Json golden) {
    if (!golden.hasValue("asked")) {
      return plain(golden);
    }
    List<Json> asked = golden.at("asked").elements();
    Json config = GOLDEN.at("configs").at(golden.stringAt("config"));
    return new DpmSolverSde(
        SchedulerConfig.of(config, SchedulerConfig.ZeroSnr.IGNORED),
        (int) golden.longAt("steps"),
        sigmas(golden),
        7) {
      private int next;

      @Override
      float[] noise(float from, float to, int size) {
        double[] theirs = numbers(asked.get(next++));
        assertThat((double) from).isCloseTo(theirs[0], within(1e-6 * from));
        assertThat((double) to).isCloseTo(theirs[1], within(1e-6 * to));
        return super.noise((float) theirs[0], (float) theirs[1], size);
      }
    };
  }

  /** More than half of these runs differ by a millionth of the motion, or a few. */
  @Test
  void theBrownianMotionNeedsNoneOfTorchsBits() {
    int exact = 0;
    for (Json golden : GOLDEN.at("cases").elements()) {
      if (golden.hasValue("asked")) {
        check(golden, plain(golden), 1e-3);
        try {
          check(golden, plain(golden), 1e-5);
          exact++;
        } catch (AssertionError e) {
          // One of those.
        }
      }
    }
    assertThat(exact).isGreaterThanOrEqualTo(17);
  }

  private static @Nullable String sigmas(Json golden) {
    return golden.hasValue("sigmas") ? golden.stringAt("sigmas") : null;
  }

  private static Scheduler plain(Json golden) {
    return Schedulers.of(
        GOLDEN.at("configs").at(golden.stringAt("config")),
        golden.stringAt("name"),
        sigmas(golden),
        (int) golden.longAt("steps"),
        7);
  }

  private static void check(Json golden, Scheduler scheduler, double tolerance) {
    String what =
        golden.stringAt("config")
            + " "
            + golden.stringAt("name")
            + " "
            + sigmas(golden)
            + " "
            + golden.longAt("steps");
    double[] timesteps = numbers(golden.at("timesteps"));
    assertThat(scheduler.calls()).as(what).isEqualTo(timesteps.length);
    for (int i = 0; i < timesteps.length; i++) {
      assertThat(scheduler.timestep(i))
          .as("%s timestep %d", what, i)
          .isCloseTo(timesteps[i], within(2e-3));
    }
    double initial = golden.doubleAt("initial", 0);
    assertThat(scheduler.initialNoise()).as(what).isCloseTo(initial, within(1e-5 * initial));

    TorchGenerator random = new TorchGenerator(7);
    float[] x = sample();
    int begin = (int) golden.longAt("begin") * scheduler.order();
    if (begin > 0) {
      x = scheduler.addNoise(Scheduler.mix(0.3, x, 0, x), random.randn(24), begin);
      close(x, 0, tolerance, numbers(golden.at("noised")), what + " noised");
    } else {
      x = Scheduler.mix(initial, x, 0, x);
    }
    List<Json> expected = golden.at("samples").elements();
    double rounding = 0;
    for (int call = begin; call < scheduler.calls(); call++) {
      float scale = (float) scheduler.inputScale(call);
      float[] output = new float[24];
      for (int i = 0; i < 24; i++) {
        double v = x[i] * scale;
        output[i] =
            (float) (0.6 * Math.tanh(v) + 0.2 * Math.cos(timesteps[call] / 130) * Math.cos(v));
      }
      for (float value : x) {
        // A sample of thousands may become one of ones: what its rounding lost stays lost.
        rounding = Math.max(rounding, 2 * Math.ulp(value));
      }
      x = scheduler.step(output, call, x, random);
      if (expected.size() > 1 || call == scheduler.calls() - 1) {
        int at = Math.min(call - begin, expected.size() - 1);
        close(x, rounding, tolerance, numbers(expected.get(at)), what + " call " + call);
      }
    }
  }

  /** Within so much of the largest number. */
  private static void close(
      float[] actual, double rounding, double tolerance, double[] expected, String what) {
    double largest = 1;
    for (double value : expected) {
      largest = Math.max(largest, Math.abs(value));
    }
    for (int i = 0; i < expected.length; i++) {
      assertThat((double) actual[i])
          .as("%s [%d]", what, i)
          .isCloseTo(expected[i], within(tolerance * largest + rounding));
    }
  }

  private static float[] sample() {
    float[] x = new float[24];
    for (int i = 0; i < 24; i++) {
      x[i] = (float) (1.4 * Math.sin(1.7 * i + 0.3));
    }
    return x;
  }

  private static double[] numbers(Json array) {
    return array.elements().stream().mapToDouble(e -> ((Number) e.raw()).doubleValue()).toArray();
  }

  @Test
  void wrongNamesAndNumbersAreNamed() {
    Json config = GOLDEN.at("configs").at("sd15");
    assertThatThrownBy(() -> Schedulers.of(config, "magic", null, 5, 0))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("scheduler: is magic; expected one of [ddim, ddpm");
    assertThatThrownBy(() -> Schedulers.of(config, "euler", null, 0, 0))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("steps: are 0; expected 1 to 1000");
    assertThatThrownBy(() -> Schedulers.of(config, "euler", "spiral", 5, 0))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("sigmas: is spiral; expected karras, exponential or beta");
    assertThatThrownBy(() -> Schedulers.of(config, "ddim", "karras", 5, 0))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("the scheduler ddim has none to space");
    assertThat(Schedulers.nameOf(config)).isEqualTo("pndm");
  }
}
