package dev.lmm.core.graph;

import dev.lmm.LmmException;

/** A graph that breaks a rule: a mistake in a model family, or a config that makes no sense. */
public class GraphException extends LmmException {
  private static final long serialVersionUID = 1L;

  /**
   * Makes an exception.
   *
   * @param message node, operator, types found and what the rule demands
   */
  public GraphException(String message) {
    super(message);
  }
}
