package dev.lmm.core.family;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lmm.DevicePlan;
import dev.lmm.Estimate;
import dev.lmm.InvalidRequestException;
import dev.lmm.ModelInfo;
import dev.lmm.Precision;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class PlannerTest {
  private static final long GB = 1_000_000_000;

  /** Text encoder, denoiser, decoder: on a card in half the bytes. */
  private static Estimate estimate(String device) {
    boolean cpu = device.equals("cpu");
    Precision precision = cpu ? Precision.FP32 : Precision.BF16;
    long unit = cpu ? GB : GB / 2;
    List<Estimate.Part> parts =
        List.of(
            new Estimate.Part("text_encoder", device, precision, 1, unit, 0, unit / 10),
            new Estimate.Part("unet", device, precision, 1, 4 * unit, 0, unit),
            new Estimate.Part("vae", device, precision, 1, unit / 2, 0, 2 * unit));
    ModelInfo info = new ModelInfo("m", "sd", "pytorch", device, precision, false);
    return new Estimate(info, parts, 3, 0, 0, 9 * unit, -1);
  }

  private static DevicePlan plan(Map<String, String> asked, long... free) {
    List<DevicePlan.Device> devices = new ArrayList<>();
    Map<String, Estimate> estimates = new LinkedHashMap<>();
    devices.add(new DevicePlan.Device("cpu", "", 64 * GB));
    estimates.put("cpu", estimate("cpu"));
    for (int i = 0; i < free.length; i++) {
      devices.add(new DevicePlan.Device("cuda:" + i, "card", free[i]));
      estimates.put("cuda:" + i, estimate("cuda:" + i));
    }
    return Planner.plan("pytorch", devices, estimates, asked, "no card here");
  }

  private static List<String> places(DevicePlan plan) {
    return plan.parts().stream().map(DevicePlan.Part::device).toList();
  }

  @Test
  void everythingGoesToACardThatHoldsIt() {
    DevicePlan plan = plan(Map.of(), 24 * GB);
    assertThat(places(plan)).containsExactly("cuda:0", "cuda:0", "cuda:0");
    assertThat(plan.note()).isEmpty();
    assertThat(plan.parts().get(1).precision()).isEqualTo(Precision.BF16);
    assertThat(plan.toString()).contains("unet", "cuda:0", "bf16", "2,500 MB", "24,000 MB free");
  }

  @Test
  void theLargestPartGoesFirstAndTheRestStays() {
    // 2.5 GB for the denoiser, 0.55 for the text, 1.25 for the decoder, 0.6 for the driver.
    DevicePlan plan = plan(Map.of(), 4 * GB);
    assertThat(places(plan)).containsExactly("cuda:0", "cuda:0", "cpu");
    assertThat(plan.parts().get(2).reason())
        .isEqualTo("cuda:0 has 350 MB left, 1,250 MB are needed");
    assertThat(places(plan(Map.of(), 2 * GB))).containsExactly("cuda:0", "cpu", "cpu");
    assertThat(places(plan(Map.of(), 4 * GB, 4 * GB)))
        .containsExactly("cuda:0", "cuda:0", "cuda:1");
  }

  @Test
  void whatTheCallerNamesStays() {
    DevicePlan plan = plan(Map.of("unet", "cpu", "vae", "cuda:0"), 24 * GB);
    assertThat(places(plan)).containsExactly("cuda:0", "cpu", "cuda:0");
    assertThat(plan.parts().get(1).reason()).isEqualTo("as asked");
    assertThat(plan.deviceOf("unet")).isEqualTo("cpu");
    assertThatThrownBy(() -> plan.deviceOf("tower"))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("tower")
        .hasMessageContaining("text_encoder, unet, vae");
  }

  @Test
  void withoutACardThePlanSaysWhy() {
    DevicePlan plan = plan(Map.of());
    assertThat(places(plan)).containsOnly("cpu");
    assertThat(plan.note()).isEqualTo("no card here");
    assertThat(plan.toString()).endsWith("no card here");
    assertThat(plan(Map.of(), GB).note()).isEqualTo("no card here");
  }
}
