package dev.lmm.onnx.internal;

import dev.lmm.ClosedException;

/** Lets runs in until it is closed; closing waits for those inside. Thread-safe. */
final class RunGate {
  private final String name;
  private int inside;
  private boolean closed;

  RunGate(String name) {
    this.name = name;
  }

  synchronized void enter() {
    if (closed) {
      throw new ClosedException("graph " + name + " was closed");
    }
    inside++;
  }

  synchronized void leave() {
    inside--;
    if (inside == 0) {
      notifyAll();
    }
  }

  /** Closes; true for the one caller that must release what the gate guards. */
  synchronized boolean close() {
    boolean first = !closed;
    closed = true;
    boolean interrupted = false;
    while (inside > 0) {
      try {
        wait();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    return first;
  }
}
