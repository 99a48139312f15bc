package dev.lmm.diffusion.internal;

import dev.lmm.Cancellation;
import dev.lmm.EngineException;
import dev.lmm.Precision;
import dev.lmm.core.engine.Program;
import dev.lmm.core.engine.RunOptions;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.family.LoadContext;
import dev.lmm.core.family.Summaries;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.WeightUsage;
import dev.lmm.core.json.Json;
import dev.lmm.diffusion.internal.lora.LoraBranches;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The network that predicts noise. Not thread-safe. */
final class Unet implements AutoCloseable {
  /** What a program is compiled for: the size of the latents, the ranks of adapters. */
  private record Key(int height, int width, Map<String, Integer> ranks) {}

  private static final String PART = "unet";

  private final LoadContext context;
  private final String file;
  private final UnetConfig config;
  private final KeptProgram<Key> program;
  private final Summaries.Part part;

  private Unet(LoadContext context, String file, UnetConfig config, Summaries.Part part) {
    this.context = context;
    this.file = file;
    this.config = config;
    this.part = part;
    this.program = new KeptProgram<>(key -> compile(graph(key)));
  }

  static Unet load(LoadContext context) {
    Path file = context.folder().resolve(PART).resolve("config.json");
    UnetConfig config = UnetConfig.of(Json.parse(file));
    var weights = context.weights(PART);
    WeightUsage usage = new WeightUsage(weights, file.toString());
    var graph = UnetGraph.of(config, usage, config.sampleSize(), config.sampleSize());
    usage.requireAllRead(name -> false);
    return new Unet(context, file.toString(), config, new Summaries.Part(graph, weights));
  }

  private Graph graph(Key key) {
    WeightUsage usage = new WeightUsage(part.weights(), file, key.ranks());
    return UnetGraph.of(config, usage, key.height(), key.width());
  }

  private Program compile(Graph graph) {
    return context.compile(PART, graph, part.weights());
  }

  UnetConfig config() {
    return config;
  }

  Summaries.Part part() {
    return part;
  }

  /**
   * Predicts.
   *
   * @param sample [batch, channels, h, w]
   * @param timestep need not be whole
   * @param context [batch, tokens, width]
   * @param added [batch, width], or null
   * @param loras what adapters change
   * @return [batch, channels, h, w]
   * @throws EngineException if its numbers are not finite, naming the layer
   */
  float[] predict(
      Tensor sample,
      double timestep,
      Tensor context,
      @Nullable Tensor added,
      LoraBranches loras,
      @Nullable Cancellation cancellation) {
    Map<String, Tensor> inputs = new HashMap<>(loras.inputs());
    inputs.put("sample", sample);
    inputs.put(
        "time", Tensor.of(waves(timestep, config.channels().get(0)), 1, config.channels().get(0)));
    inputs.put("context", context);
    if (added != null) {
      inputs.put("added", added);
    }
    Key key = new Key((int) sample.dim(2), (int) sample.dim(3), loras.ranks());
    Tensor noise =
        program.of(key).run(inputs, Set.of(), RunOptions.cancelledBy(cancellation)).get("noise");
    if (noise == null) {
      throw new IllegalStateException("no noise was computed");
    }
    if (Overflow.in(noise.floats())) {
      throw overflow(key, inputs, timestep);
    }
    return noise.toFloats();
  }

  private EngineException overflow(Key key, Map<String, Tensor> inputs, double timestep) {
    // Not two copies of the weights while the layer is looked for.
    program.close();
    Precision precision = context.precision(PART);
    String told =
        Overflow.told(
            "The UNet at timestep " + timestep, precision, graph(key), inputs, this::compile);
    return new EngineException(
        context.info().id()
            + ": "
            + told
            + (precision == Precision.FP32
                ? ""
                : ". Compute it in single precision: precision(\"unet\", Precision.FP32)"));
  }

  float[] waves(double value, int width) {
    return waves(config, value, width);
  }

  /** Cosines and sines of a number at falling frequencies. */
  static float[] waves(UnetConfig config, double value, int width) {
    int half = width / 2;
    float[] waves = new float[width];
    float t = (float) value;
    for (int i = 0; i < half; i++) {
      float exponent = (float) -Math.log(10000) * i / (half - config.freqShift());
      float angle = t * (float) Math.exp(exponent);
      float sine = (float) Math.sin(angle);
      float cosine = (float) Math.cos(angle);
      waves[i] = config.flipSinToCos() ? cosine : sine;
      waves[half + i] = config.flipSinToCos() ? sine : cosine;
    }
    return waves;
  }

  @Override
  public void close() {
    program.close();
  }
}
