package dev.lmm.diffusion.internal;

import dev.lmm.core.checkpoint.CheckpointFiles;
import dev.lmm.core.checkpoint.CheckpointWeights;
import dev.lmm.core.engine.CompileOptions;
import dev.lmm.core.engine.Engines;
import dev.lmm.core.engine.Program;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.WeightUsage;
import dev.lmm.core.json.Json;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * One step of a UNet, or one decoding, of full size against diffusers: no test, for its weights
 * have gigabytes; reference/fullsize_sd.py makes them and says how to run this.
 */
final class FullSizeRun {
  private static final double MOST = 1e-3;

  private FullSizeRun() {}

  /**
   * Compares.
   *
   * @param args the folder that the script made, of a UNet or an autoencoder, and the engine
   */
  public static void main(String[] args) {
    Path folder = Path.of(args[0]);
    String engine = args.length > 1 ? args[1] : "onnx";
    Json config = Json.parse(folder.resolve("config.json"));
    try (CheckpointWeights golden =
            CheckpointWeights.ofSafetensors(
                "golden", List.of(folder.resolve("golden/golden.safetensors")));
        CheckpointWeights weights = CheckpointFiles.open(folder)) {
      WeightUsage usage = new WeightUsage(weights, "config");
      boolean unet = config.stringAt("_class_name").equals("UNet2DConditionModel");
      Tensor input = Goldens.tensor(golden, unet ? "sample" : "latents");
      int h = (int) input.dim(2);
      int w = (int) input.dim(3);
      Map<String, Tensor> inputs = new HashMap<>();
      Graph graph;
      if (unet) {
        UnetConfig c = UnetConfig.of(config);
        graph = UnetGraph.of(c, usage, h, w);
        int width = c.channels().get(0);
        double time = Goldens.tensor(golden, "time").toFloats()[0];
        inputs.put("sample", input);
        inputs.put("context", Goldens.tensor(golden, "context"));
        inputs.put("time", Tensor.of(Unet.waves(c, time, width), 1, width));
        if (c.addedTime() > 0) {
          inputs.put("added", DiffusionParity.added(c, golden, ""));
        }
      } else {
        graph = VaeGraphs.decoder(VaeConfig.of(config), usage, h, w);
        inputs.put("latents", input);
      }
      try (Program program =
          Engines.choose(engine).compile(graph, weights, CompileOptions.DEFAULT)) {
        long start = System.nanoTime();
        float[] made = program.run(inputs).values().iterator().next().toFloats();
        double seconds = (System.nanoTime() - start) / 1e9;
        float[] expected = Goldens.tensor(golden, unet ? "noise" : "picture").toFloats();
        double worst = made.length == expected.length ? 0 : Double.NaN;
        double squares = 0;
        for (int i = 0; i < expected.length; i++) {
          double difference = Math.abs((double) made[i] - expected[i]);
          worst = difference <= worst ? worst : difference;
          squares += (double) expected[i] * expected[i];
        }
        System.out.printf(
            "%s on %s: %d numbers, largest difference %.2g, their root mean square %.3g; %.1f s%n",
            folder, engine, expected.length, worst, Math.sqrt(squares / expected.length), seconds);
        if (!(worst < MOST)) {
          throw new IllegalStateException("more than " + MOST + " apart");
        }
      }
    }
  }
}
