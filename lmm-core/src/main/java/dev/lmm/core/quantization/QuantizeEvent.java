package dev.lmm.core.quantization;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;

/** The quantizing of a checkpoint's weights, in Java's flight recorder. */
@Name("dev.lmm.Quantize")
@Label("Quantize")
@Category("lmm")
@Description("Weights brought into few bits and written to the cache, once for each checkpoint")
final class QuantizeEvent extends Event {
  @Label("Checkpoint")
  String checkpoint = "";

  @Label("Weights")
  int weights;

  @Label("Written")
  @DataAmount
  long bytes;
}
