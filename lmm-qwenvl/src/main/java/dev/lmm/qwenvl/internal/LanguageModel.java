package dev.lmm.qwenvl.internal;

import dev.lmm.Cancellation;
import dev.lmm.core.decode.KvCache;
import dev.lmm.core.decode.ProgramCache;
import dev.lmm.core.decode.StepInput;
import dev.lmm.core.decode.StepModel;
import dev.lmm.core.engine.Program;
import dev.lmm.core.engine.RunOptions;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.graph.DType;
import dev.lmm.qwenvl.internal.QwenConfig.TextConfig;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The language model as decoding sees it. Thread-safe. */
final class LanguageModel implements StepModel, AutoCloseable {
  private final TextConfig config;
  private final Program program;
  private final float[] frequencies;
  private final int[] axes;

  LanguageModel(TextConfig config, Program program) {
    this.config = config;
    this.program = program;
    int half = config.headSize() / 2;
    this.frequencies = new float[half];
    this.axes = new int[half];
    int axis = 0;
    int end = config.sections().get(0);
    for (int i = 0; i < half; i++) {
      while (i >= end) {
        axis++;
        end += config.sections().get(axis);
      }
      axes[i] = axis;
      // In single precision, as the reference has it.
      float exponent = 2f * i / config.headSize();
      frequencies[i] = 1 / (float) Math.pow(config.ropeTheta(), exponent);
    }
  }

  Program program() {
    return program;
  }

  @Override
  public int vocabularySize() {
    return config.vocabSize();
  }

  @Override
  public int contextLength() {
    return config.contextLength();
  }

  @Override
  public KvCache newCache(int rows, int capacity) {
    return new ProgramCache(
        program, rows, capacity, Map.of("batch", (long) rows, "capacity", (long) capacity));
  }

  @Override
  public @Nullable Tensor step(
      KvCache cache, StepInput input, @Nullable Cancellation cancellation) {
    Map<String, Tensor> inputs = inputs(input);
    inputs.put("past", input.pastTensor());
    inputs.put("last", Tensor.of(new long[] {input.count() - 1}, 1));
    Tensor logits =
        program
            .run(
                inputs,
                Set.of("logits"),
                new RunOptions(((ProgramCache) cache).state(), cancellation))
            .get("logits");
    return input.logits() ? logits : null;
  }

  /** What a step and a watched text are given alike. */
  Map<String, Tensor> inputs(StepInput input) {
    int width = config.hiddenSize();
    Tensor seen = Tensor.zeros(DType.F32, input.rows(), input.count(), width);
    Tensor isSeen = Tensor.zeros(DType.BOOL, input.rows(), input.count(), 1);
    ByteBuffer target = seen.data();
    ByteBuffer marks = isSeen.data();
    for (StepInput.Slice slice : input.embeddings()) {
      int at = slice.row() * input.count() + slice.at();
      ByteBuffer values = slice.values().data();
      target.put(at * width * 4, values, slice.first() * width * 4, slice.count() * width * 4);
      for (int i = 0; i < slice.count(); i++) {
        marks.put(at + i, (byte) 1);
      }
    }
    Map<String, Tensor> inputs = new LinkedHashMap<>();
    inputs.put("ids", input.idsTensor());
    inputs.put("seen", seen);
    inputs.put("is_seen", isSeen);
    inputs.put("angles", angles(input));
    return inputs;
  }

  /** Each pair of a head turns with the position on its own axis. */
  private Tensor angles(StepInput input) {
    int half = frequencies.length;
    int entries = input.rows() * input.count();
    int[][] positions = input.positions();
    float[] angles = new float[entries * half];
    for (int entry = 0, at = 0; entry < entries; entry++) {
      for (int i = 0; i < half; i++, at++) {
        int axis = positions.length == 1 ? 0 : axes[i];
        angles[at] = positions[axis][entry] * frequencies[i];
      }
    }
    return Tensor.of(angles, input.rows(), input.count(), half);
  }

  @Override
  public void close() {
    program.close();
  }
}
