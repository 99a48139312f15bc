package dev.lmm.spring.boot;

import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The runs that go on, so that a stopping application can wait for them. */
final class Runs {
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition idle = lock.newCondition();
  private final Set<Run> going = ConcurrentHashMap.newKeySet();
  private final List<RunListener> listeners;
  private boolean stopping;

  Runs(List<RunListener> listeners) {
    this.listeners = listeners;
  }

  List<RunListener> listeners() {
    return listeners;
  }

  /** Runs something and tells the listeners. */
  <T> T run(String role, String model, String operation, Supplier<T> work) {
    Run run = begin(role, model, operation);
    try {
      T result = work.get();
      run.end(null);
      return result;
    } catch (RuntimeException | Error e) {
      run.end(e);
      throw e;
    }
  }

  /** Begins a run; whoever begins it ends it. */
  Run begin(String role, String model, String operation) {
    lock.lock();
    try {
      if (stopping) {
        throw new IllegalStateException(
            "The application is stopping; " + model + " begins nothing new");
      }
      Run run = new Run(role, model, operation);
      going.add(run);
      return run;
    } finally {
      lock.unlock();
    }
  }

  /** Lets nothing begin any more. */
  void stop() {
    lock.lock();
    try {
      stopping = true;
    } finally {
      lock.unlock();
    }
  }

  /** Lets runs begin again. */
  void start() {
    lock.lock();
    try {
      stopping = false;
    } finally {
      lock.unlock();
    }
  }

  int going() {
    return going.size();
  }

  /**
   * Waits until nothing runs.
   *
   * @return whether nothing runs; false if the time is up
   */
  boolean await(Duration timeout) throws InterruptedException {
    long left = timeout.toNanos();
    lock.lock();
    try {
      while (!going.isEmpty()) {
        if (left <= 0) {
          return false;
        }
        left = idle.awaitNanos(left);
      }
      return true;
    } finally {
      lock.unlock();
    }
  }

  /** Interrupts the threads that run something; a run whose thread is interrupted is cancelled. */
  void cancel() {
    going.forEach(run -> run.thread.interrupt());
  }

  /** Something that runs. */
  final class Run {
    private final String role;
    private final String model;
    private final String operation;
    private final long start = System.nanoTime();
    private final Thread thread = Thread.currentThread();

    private Run(String role, String model, String operation) {
      this.role = role;
      this.model = model;
      this.operation = operation;
    }

    /** How long it has gone on. */
    Duration took() {
      return Duration.ofNanos(System.nanoTime() - start);
    }

    /** Ends it; harmless twice. */
    void end(@Nullable Throwable failure) {
      lock.lock();
      try {
        if (!going.remove(this)) {
          return;
        }
        if (going.isEmpty()) {
          idle.signalAll();
        }
      } finally {
        lock.unlock();
      }
      Duration took = took();
      listeners.forEach(listener -> listener.ran(role, model, operation, took, failure));
    }
  }
}
