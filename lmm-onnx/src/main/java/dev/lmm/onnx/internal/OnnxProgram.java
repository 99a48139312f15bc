package dev.lmm.onnx.internal;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtSession.SessionOptions;
import dev.lmm.Cancellation;
import dev.lmm.CheckpointException;
import dev.lmm.EngineException;
import dev.lmm.InvalidRequestException;
import dev.lmm.core.engine.CompileOptions;
import dev.lmm.core.engine.InputChecks;
import dev.lmm.core.engine.Program;
import dev.lmm.core.engine.ProgramState;
import dev.lmm.core.engine.RunGate;
import dev.lmm.core.engine.RunOptions;
import dev.lmm.core.engine.RunWatch;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.engine.WeightStore;
import dev.lmm.core.engine.reference.ReferenceEngine;
import dev.lmm.core.graph.DType;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.Value;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A graph in an ONNX Runtime session. Inputs are read where they lie and outputs written where the
 * caller finds them: their shapes follow from those of the inputs, so nothing is copied or boxed.
 */
public final class OnnxProgram implements Program {
  private final Graph graph;
  private final WeightStore weights;
  private final OrtEnvironment environment;
  private final OrtSession session;
  private final RunGate gate;
  private final InputChecks checks;
  private final CacheRoom room;

  private OnnxProgram(
      Graph graph, WeightStore weights, OrtEnvironment environment, OrtSession session) {
    this.graph = graph;
    this.weights = weights;
    this.environment = environment;
    this.session = session;
    this.gate = new RunGate("graph " + graph.name());
    this.checks = new InputChecks(graph);
    this.room = new CacheRoom(graph);
  }

  /**
   * Compiles.
   *
   * @param graph a verified graph
   * @param weights the checkpoint
   * @param options how
   * @return the program
   */
  public static OnnxProgram compile(Graph graph, WeightStore weights, CompileOptions options) {
    OrtRuntime runtime = OrtRuntime.get(options.threads());
    Lowering.Result model = Lowering.lower(graph, weights);
    try (SessionOptions session = runtime.sessionOptions()) {
      session.setOptimizationLevel(SessionOptions.OptLevel.ALL_OPT);
      // A plan of one run's memory is taken as a whole, beside the pieces that the run before it
      // has left: an autoencoder held 2.2 GB instead of 1.4.
      session.setMemoryPatternOptimization(false);
      if (model.folder() != null) {
        session.addConfigEntry(
            "session.model_external_initializers_file_folder_path", model.folder());
      }
      // Without packing, layers in 4 and 8 bits would take seconds.
      if (options.mapped() && !model.quantized()) {
        session.addConfigEntry("session.disable_prepacking", "1");
      }
      if (options.device().startsWith("cuda:")) {
        session.addCUDA(Integer.parseInt(options.device().substring("cuda:".length())));
      }
      // Processors without VNNI would let sums of two products overflow 16 bits.
      session.addConfigEntry("session.x64quantprecision", "1");
      OrtEnvironment environment = runtime.environment();
      return new OnnxProgram(
          graph, weights, environment, environment.createSession(model.bytes(), session));
    } catch (OrtException e) {
      String message = "graph " + graph.name() + " does not compile: " + e.getMessage();
      if (String.valueOf(e.getMessage()).contains("xternal")) {
        throw new CheckpointException(weights.description() + ": " + message, e);
      }
      throw new EngineException(message, e);
    }
  }

  @Override
  public Graph graph() {
    return graph;
  }

  @Override
  public Map<String, Tensor> run(
      Map<String, Tensor> inputs, Set<String> outputs, RunOptions options) {
    RunGate.Run run = gate.enterRun();
    try {
      return runOpen(inputs, outputs, options);
    } finally {
      gate.leave(run);
    }
  }

  private Map<String, Tensor> runOpen(
      Map<String, Tensor> inputs, Set<String> outputs, RunOptions options) {
    Cancellation cancellation = options.cancellation();
    if (cancellation != null) {
      cancellation.check();
    }
    RunWatch.checkInterrupt();
    OnnxState state = state(options.state());
    Map<String, Value> wanted = checks.outputs(outputs);
    Map<String, Long> symbols = checks.bind(inputs, state == null ? null : state.symbols());
    room.check(inputs, symbols);
    if (symbols.containsValue(0L)) {
      return runOfLengthZero(inputs, wanted.keySet(), options);
    }
    Map<String, Tensor> results = new LinkedHashMap<>();
    boolean work = state != null;
    for (Map.Entry<String, Value> output : wanted.entrySet()) {
      Value value = output.getValue();
      Tensor tensor = Tensor.zeros(value.dtype(), value.shape().evaluate(symbols::get));
      results.put(output.getKey(), tensor);
      work |= tensor.elements() > 0;
    }
    if (!work) {
      return results;
    }
    List<OnnxTensor> made = new ArrayList<>();
    try {
      Map<String, OnnxTensor> feeds = new HashMap<>();
      Map<String, OnnxTensor> pinned = new HashMap<>();
      inputs.forEach((name, tensor) -> feeds.put(name, wrap(tensor, made)));
      results.forEach(
          (name, tensor) -> {
            if (tensor.elements() > 0) {
              pinned.put(Lowering.OUTPUT + name, wrap(tensor, made));
            }
          });
      if (state != null) {
        state.pin(feeds, pinned);
      }
      execute(feeds, pinned, cancellation);
      if (state != null) {
        state.advance();
      }
      return results;
    } finally {
      made.forEach(OnnxTensor::close);
    }
  }

  /**
   * Some of ONNX Runtime's kernels divide by a length and end the process when it is 0. What is
   * left to compute then is little, and the interpreter does it.
   */
  private Map<String, Tensor> runOfLengthZero(
      Map<String, Tensor> inputs, Set<String> outputs, RunOptions options) {
    if (options.state() != null) {
      throw new InvalidRequestException(
          "graph "
              + graph.name()
              + ": an input has a length of 0; expected at least 1 where a state is kept");
    }
    try (Program interpreter =
        new ReferenceEngine().compile(graph, weights, CompileOptions.DEFAULT)) {
      return interpreter.run(inputs, outputs, options);
    }
  }

  private void execute(
      Map<String, OnnxTensor> feeds,
      Map<String, OnnxTensor> pinned,
      @Nullable Cancellation cancellation) {
    // Closed in this order: nobody may stop a run whose options are gone.
    try (OrtSession.RunOptions control = new OrtSession.RunOptions();
        RunWatch watch = new RunWatch(cancellation, () -> terminate(control))) {
      try {
        // Everything is written where it was asked to be: there is nothing to keep.
        session.run(feeds, Set.of(), pinned, control).close();
      } catch (OrtException e) {
        watch.check();
        throw e;
      }
    } catch (OrtException e) {
      throw new EngineException("graph " + graph.name() + " failed: " + e.getMessage(), e);
    }
  }

  private static void terminate(OrtSession.RunOptions control) {
    try {
      control.setTerminate(true);
    } catch (OrtException e) {
      throw new EngineException("a run cannot be stopped: " + e.getMessage(), e);
    }
  }

  private @Nullable OnnxState state(@Nullable ProgramState state) {
    if (graph.states().isEmpty()) {
      if (state != null) {
        throw new InvalidRequestException(
            "graph " + graph.name() + " keeps no state; one was given");
      }
      return null;
    }
    if (!(state instanceof OnnxState own) || !own.belongsTo(this)) {
      throw new InvalidRequestException(
          "graph "
              + graph.name()
              + " keeps a state; expected one made by newState of this program, found "
              + (state == null ? "none" : "another"));
    }
    own.open();
    return own;
  }

  private OnnxTensor wrap(Tensor tensor, List<OnnxTensor> made) {
    OnnxTensor wrapped = wrap(environment, tensor);
    made.add(wrapped);
    return wrapped;
  }

  static OnnxTensor wrap(OrtEnvironment environment, Tensor tensor) {
    try {
      return OnnxTensor.createTensor(
          environment, tensor.data(), tensor.shape(), javaType(tensor.dtype()));
    } catch (OrtException e) {
      throw new EngineException(
          "tensor " + tensor + " cannot be handed over: " + e.getMessage(), e);
    }
  }

  private static OnnxJavaType javaType(DType type) {
    return switch (type) {
      case F32 -> OnnxJavaType.FLOAT;
      case F16 -> OnnxJavaType.FLOAT16;
      case BF16 -> OnnxJavaType.BFLOAT16;
      case I64 -> OnnxJavaType.INT64;
      case I32 -> OnnxJavaType.INT32;
      case I8 -> OnnxJavaType.INT8;
      case U8 -> OnnxJavaType.UINT8;
      case BOOL -> OnnxJavaType.BOOL;
      default -> throw new EngineException("engine onnx takes no tensors of type " + type);
    };
  }

  @Override
  public ProgramState newState(Map<String, Long> symbols) {
    gate.enter();
    try {
      return new OnnxState(this, environment, symbols);
    } finally {
      gate.leave();
    }
  }

  @Override
  public void close() {
    if (gate.close()) {
      try {
        session.close();
        NativeHeap.trimSoon();
      } catch (OrtException e) {
        throw new EngineException(
            "graph " + graph.name() + " cannot be closed: " + e.getMessage(), e);
      }
    }
  }
}
