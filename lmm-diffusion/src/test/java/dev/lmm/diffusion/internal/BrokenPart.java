package dev.lmm.diffusion.internal;

import dev.lmm.core.checkpoint.CheckpointFiles;
import dev.lmm.core.checkpoint.CheckpointWeights;
import dev.lmm.core.engine.StoredFloats;
import dev.lmm.core.engine.Tensor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.stream.Stream;

/** A copy of a tiny pipeline with weights of one part changed, and what is logged of it. */
public final class BrokenPart {
  private BrokenPart() {}

  /**
   * Copies.
   *
   * @param to an empty folder
   * @param part whose weights are changed, for instance {@code vae}
   * @param change gets each weight's name and numbers
   */
  public static void copy(Path to, String part, BiConsumer<String, float[]> change)
      throws IOException {
    Path from = Goldens.FOLDER.resolve("sd15");
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Path target = to.resolve(from.relativize(file).toString());
        Files.createDirectories(target.getParent());
        Files.write(target, Files.readAllBytes(file));
      }
    }
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    try (CheckpointWeights weights = CheckpointFiles.open(from.resolve(part))) {
      for (String name : weights.names()) {
        float[] numbers = StoredFloats.read(weights, name);
        change.accept(name, numbers);
        tensors.put(name, Tensor.of(numbers, weights.locate(name).shape()));
      }
    }
    Goldens.write(to.resolve(part).resolve("diffusion_pytorch_model.safetensors"), tensors);
  }

  /** What is logged while something runs. */
  public static String logged(Runnable run) {
    PrintStream before = System.err;
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    System.setErr(new PrintStream(text, true, StandardCharsets.UTF_8));
    try {
      run.run();
    } finally {
      System.setErr(before);
    }
    return text.toString(StandardCharsets.UTF_8);
  }
}
