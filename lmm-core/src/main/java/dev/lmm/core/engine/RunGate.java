package dev.lmm.core.engine;

import dev.lmm.ClosedException;

/**
 * Keeps runs and close apart: any number of runs may be inside at once, closing waits until the
 * last has left, and later runs are refused. Every {@link Program} has one. Thread-safe.
 *
 * <pre>{@code
 * RunGate.Run run = gate.enterRun();
 * try {
 *   ...
 * } finally {
 *   gate.leave(run);
 * }
 * }</pre>
 */
public final class RunGate {
  private final String name;
  private int inside;
  private boolean closed;

  /** A run that is inside. */
  public static final class Run {
    private final RunEvent event = new RunEvent();

    private Run() {
      event.begin();
    }
  }

  /**
   * An open gate.
   *
   * @param name of what it guards, for messages; for instance {@code graph clip.vision}
   */
  public RunGate(String name) {
    this.name = name;
  }

  /**
   * Lets one run in, which Java's flight recorder sees as an event {@code dev.lmm.Run}. Each call
   * must be followed by {@link #leave(Run)}.
   *
   * @return the run
   * @throws ClosedException after close
   */
  public Run enterRun() {
    enter();
    return new Run();
  }

  /**
   * Lets a run out.
   *
   * @param run what {@link #enterRun} gave
   */
  public void leave(Run run) {
    RunEvent event = run.event;
    event.end();
    if (event.shouldCommit()) {
      event.program = name;
      event.commit();
    }
    leave();
  }

  /**
   * Lets one user in that is no run. Each call must be followed by {@link #leave()}.
   *
   * @throws ClosedException after close
   */
  public synchronized void enter() {
    if (closed) {
      throw new ClosedException(name + " is closed; load it again to use it");
    }
    inside++;
  }

  /** Lets one user out. */
  public synchronized void leave() {
    inside--;
    if (inside == 0) {
      notifyAll();
    }
  }

  /**
   * Refuses new runs and waits for those inside. Must not be called from inside a run. An interrupt
   * does not end the waiting, for what the runs use must not go before they do; it stays pending.
   *
   * @return true for the first call: the caller then frees what the gate guards; false later
   */
  public synchronized boolean close() {
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

  /**
   * Whether close was called.
   *
   * @return true afterwards
   */
  public synchronized boolean isClosed() {
    return closed;
  }
}
