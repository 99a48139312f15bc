package dev.lmm.core.decode;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** One token of an answer, in Java's flight recorder. */
@Name("dev.lmm.Token")
@Label("Token")
@Category("lmm")
@Description("From the token before, or from the start of the answer, to this one; not of beams")
@StackTrace(false)
final class TokenEvent extends Event {
  @Label("Index")
  int index;

  @Label("Id")
  int id;

  static TokenEvent started() {
    TokenEvent event = new TokenEvent();
    event.begin();
    return event;
  }
}
