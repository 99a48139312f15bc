package dev.lmm.diffusion.internal;

import dev.lmm.CheckpointException;
import dev.lmm.Image;
import dev.lmm.core.engine.Program;
import dev.lmm.core.engine.StoredFloats;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.engine.WeightStore;
import dev.lmm.core.family.LoadContext;
import dev.lmm.core.graph.DType;
import dev.lmm.core.graph.WeightUsage;
import dev.lmm.core.json.Json;
import dev.lmm.core.vision.Preprocessing;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks at finished pictures as the first Stable Diffusion's safety checker does: how near CLIP's
 * embedding comes to those of 17 concepts, each with its own limit, and of 3 that lower the limits
 * of all. Loaded when a picture is first looked at. Not thread-safe.
 */
final class SafetyChecker implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(SafetyChecker.class);
  private static final String PART = "safety_checker";

  /** Tensors beside the tower. */
  private static final Set<String> LIMITS =
      Set.of(
          "concept_embeds",
          "concept_embeds_weights",
          "special_care_embeds",
          "special_care_embeds_weights");

  private final LoadContext context;
  private final Path file;
  private final SafetyConfig config;
  private final Preprocessing preprocessing;
  private final float[][] levels;
  private @Nullable Loaded loaded;

  private record Loaded(Program program, Concepts concepts, Concepts special) {}

  /**
   * Embeddings with limits.
   *
   * @param embeds a row for each, of length 1
   * @param limits how near a picture may come
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Concepts(float[][] embeds, float[] limits) {}

  private SafetyChecker(
      LoadContext context, Path file, SafetyConfig config, Preprocessing preprocessing) {
    this.context = context;
    this.file = file;
    this.config = config;
    this.preprocessing = preprocessing;
    this.levels = preprocessing.levels();
  }

  /** The checker of a pipeline's folder; null, with a warning, if the folder lacks it. */
  static @Nullable SafetyChecker of(LoadContext context) {
    Path file = context.folder().resolve(PART).resolve("config.json");
    Path processor =
        context.folder().resolve("feature_extractor").resolve("preprocessor_config.json");
    for (Path needed : new Path[] {file, processor}) {
      if (!Files.isRegularFile(needed)) {
        LOG.warn(
            "{}: no such file, though model_index.json names a safety checker; pictures are not"
                + " checked",
            needed);
        return null;
      }
    }
    SafetyConfig config = SafetyConfig.of(Json.parse(file));
    return new SafetyChecker(context, file, config, config.preprocessing(Json.parse(processor)));
  }

  /** Whether a picture is to be withheld. */
  boolean withholds(Image image) {
    Loaded all = loaded == null ? load() : loaded;
    loaded = all;
    float[] embeds = embeds(all.program(), image);
    float[] row = unit(embeds, 0, embeds.length);
    float adjustment = 0;
    for (int i = 0; i < all.special().limits().length; i++) {
      if (isOver(row, all.special(), i, adjustment)) {
        adjustment = 0.01f;
      }
    }
    for (int i = 0; i < all.concepts().limits().length; i++) {
      if (isOver(row, all.concepts(), i, adjustment)) {
        return true;
      }
    }
    return false;
  }

  /** Above the limit when rounded to three decimals, as the reference compares. */
  private static boolean isOver(float[] row, Concepts concepts, int index, float adjustment) {
    float cosine = 0;
    for (int k = 0; k < row.length; k++) {
      cosine += row[k] * concepts.embeds()[index][k];
    }
    return Math.rint((cosine - concepts.limits()[index] + adjustment) * 1000f) > 0;
  }

  private float[] embeds(Program program, Image image) {
    Image pixels = preprocessing.pixels(image);
    Tensor input = Tensor.zeros(DType.F32, 1, 3, pixels.height(), pixels.width());
    Preprocessing.planes(pixels, levels, input.floats());
    return Objects.requireNonNull(program.run(Map.of("pixels", input)).get("embeds")).toFloats();
  }

  private Loaded load() {
    WeightStore weights = context.weights(PART);
    WeightUsage usage = new WeightUsage(weights, file.toString());
    Program program = context.compile(PART, SafetyGraph.of(config, usage), weights);
    try {
      usage.requireAllRead(name -> name.endsWith("position_ids") || LIMITS.contains(name));
      return new Loaded(
          program, concepts(weights, "concept_embeds"), concepts(weights, "special_care_embeds"));
    } catch (RuntimeException e) {
      program.close();
      throw e;
    }
  }

  private Concepts concepts(WeightStore weights, String name) {
    float[] all = read(weights, name, 2);
    float[] limits = read(weights, name + "_weights", 1);
    int width = config.projection();
    if (all.length != limits.length * width) {
      throw new CheckpointException(
          weights.description()
              + ": "
              + name
              + " has "
              + all.length
              + " numbers; expected "
              + width
              + " for each of its "
              + limits.length
              + " weights");
    }
    float[][] embeds = new float[limits.length][];
    for (int i = 0; i < limits.length; i++) {
      embeds[i] = unit(all, i * width, width);
    }
    return new Concepts(embeds, limits);
  }

  private static float[] read(WeightStore weights, String name, int rank) {
    long[] shape = weights.shape(name);
    if (shape == null || shape.length != rank) {
      throw new CheckpointException(
          weights.description() + ": " + name + " is missing, or not of rank " + rank);
    }
    return StoredFloats.read(weights, name);
  }

  private static float[] unit(float[] values, int from, int count) {
    double squares = 0;
    for (int i = 0; i < count; i++) {
      squares += (double) values[from + i] * values[from + i];
    }
    float length = Math.max((float) Math.sqrt(squares), 1e-12f);
    float[] unit = new float[count];
    for (int i = 0; i < count; i++) {
      unit[i] = values[from + i] / length;
    }
    return unit;
  }

  @Override
  public void close() {
    if (loaded != null) {
      loaded.program().close();
      loaded = null;
    }
  }
}
