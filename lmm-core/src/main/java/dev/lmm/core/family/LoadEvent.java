package dev.lmm.core.family;

import dev.lmm.ModelInfo;
import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;

/** The loading of a model, in Java's flight recorder. */
@Name("dev.lmm.ModelLoad")
@Label("Model Load")
@Category("lmm")
@Description("From the id to a model that is ready, a download included")
final class LoadEvent extends Event {
  @Label("Model")
  String model = "";

  @Label("Type")
  String type = "";

  @Label("Engine")
  String engine = "";

  @Label("Device")
  String device = "";

  @Label("Precision")
  String precision = "";

  void tell(ModelInfo info) {
    model = info.id();
    type = info.modelType();
    engine = info.engine();
    device = info.device();
    precision = info.precision().label();
  }
}
