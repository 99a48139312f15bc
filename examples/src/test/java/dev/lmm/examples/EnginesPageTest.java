package dev.lmm.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lmm.DevicePlan;
import dev.lmm.Models;
import org.junit.jupiter.api.Test;

/** What docs/engines.md shows. */
class EnginesPageTest {
  @Test
  void aPlanSaysWhereEachPartComputes() {
    DevicePlan plan = Models.model("tiny-sd").plan();
    assertThat(plan.toString()).contains("text_encoder", "unet", "vae", "cpu");
  }
}
