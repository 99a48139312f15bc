package dev.lmm.core.family;

import dev.lmm.core.engine.CompileOptions;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.Value;
import java.util.HashSet;
import java.util.Set;
import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;

/** The compiling of a graph, in Java's flight recorder. */
@Name("dev.lmm.Compile")
@Label("Compile")
@Category("lmm")
@Description("From a graph to a program of an engine, weights packed")
final class CompileEvent extends Event {
  @Label("Graph")
  String graph = "";

  @Label("Part")
  String part = "";

  @Label("Engine")
  String engine = "";

  @Label("Device")
  String device = "";

  @Label("Precision")
  String precision = "";

  @Label("Weights")
  @Description("Size of all weights the graph reads, in single precision")
  @DataAmount
  long weightBytes;

  void tell(Graph compiled, String of, String by, CompileOptions options) {
    graph = compiled.name();
    part = of;
    engine = by;
    device = options.device();
    precision = options.precision().label();
    Set<Object> seen = new HashSet<>();
    for (Value weight : compiled.weights()) {
      if (seen.add(weight.weight())) {
        weightBytes += weight.weight().elements() * Float.BYTES;
      }
    }
  }
}
