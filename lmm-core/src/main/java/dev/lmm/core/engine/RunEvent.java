package dev.lmm.core.engine;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** One run of a program, in Java's flight recorder. */
@Name("dev.lmm.Run")
@Label("Run")
@Category("lmm")
@Description("One run of a compiled graph")
@StackTrace(false)
final class RunEvent extends Event {
  @Label("Program")
  String program = "";
}
