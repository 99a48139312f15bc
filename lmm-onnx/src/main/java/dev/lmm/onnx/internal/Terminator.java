package dev.lmm.onnx.internal;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession.RunOptions;
import dev.lmm.Cancellation;
import dev.lmm.CancelledException;
import org.jspecify.annotations.Nullable;

/** Stops one run of a session when its caller cancels it or its thread is interrupted. */
final class Terminator implements AutoCloseable {
  private final RunOptions options;
  private final Cancellation.@Nullable Registration cancellation;
  private final @Nullable Cancellation cause;
  private boolean stopped;
  private boolean closed;

  Terminator(@Nullable Cancellation cancellation) throws OrtException {
    this.options = new RunOptions();
    this.cause = cancellation;
    this.cancellation = cancellation == null ? null : cancellation.onCancel(this::stop);
  }

  RunOptions options() {
    return options;
  }

  private synchronized void stop() {
    stopped = true;
    if (!closed) {
      try {
        options.setTerminate(true);
      } catch (OrtException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  /** Throws if a failure is only the run having been stopped. */
  synchronized void check(OrtException failure) {
    if (cause != null) {
      cause.check();
    }
    if (stopped) {
      throw new CancelledException("The run was stopped", failure);
    }
  }

  @Override
  public void close() {
    if (cancellation != null) {
      cancellation.close();
    }
    synchronized (this) {
      closed = true;
      options.close();
    }
  }
}
