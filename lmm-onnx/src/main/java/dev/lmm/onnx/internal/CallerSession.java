package dev.lmm.onnx.internal;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import org.jspecify.annotations.Nullable;

/**
 * A second session of a program, each of whose runs stays on its caller's thread, for callers who
 * keep a run going on each core. When all cores share one operator, each waits at its end for the
 * slowest, hundreds of times a run; side by side none waits.
 *
 * <p>Its weights stay in the mapped file: packed for the processor they would be a few percent
 * faster, and in memory twice. Made when first asked for. Thread-safe.
 */
final class CallerSession implements AutoCloseable {
  private final OrtRuntime runtime;
  private final Lowering.Result model;
  private @Nullable OrtSession session;

  CallerSession(OrtRuntime runtime, Lowering.Result model) {
    this.runtime = runtime;
    this.model = model;
  }

  /** How many runs at once make use of it. */
  int cores() {
    return runtime.threads();
  }

  synchronized OrtSession get() throws OrtException {
    OrtSession made = session;
    if (made == null) {
      made = OnnxProgram.session(runtime.callerOptions(), runtime, model, true);
      session = made;
    }
    return made;
  }

  @Override
  public synchronized void close() throws OrtException {
    if (session != null) {
      session.close();
      session = null;
    }
  }
}
