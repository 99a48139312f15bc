package dev.lmm.clip.internal;

import dev.lmm.AttentionMap;
import dev.lmm.AttentionMap.Axis;
import dev.lmm.AttentionMap.Kind;
import dev.lmm.Cancellation;
import dev.lmm.ClosedException;
import dev.lmm.core.engine.Program;
import dev.lmm.core.engine.RunOptions;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.family.LoadContext;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.WeightUsage;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The towers watched at work: the same layers, with attention probabilities as outputs. Compiled
 * when they are first wanted. Thread-safe.
 */
final class ClipWatch implements AutoCloseable {
  private final LoadContext context;
  private final ClipConfig config;
  private @Nullable Program vision;
  private @Nullable Program text;
  private boolean closed;

  ClipWatch(LoadContext context, ClipConfig config) {
    this.context = context;
    this.config = config;
  }

  static Graph vision(ClipConfig config, WeightUsage usage) {
    return switch (config.kind()) {
      case CLIP -> ClipGraphs.watchedVision(config.vision(), usage);
      case SIGLIP -> SiglipGraphs.watchedVision(config.vision(), usage);
      case NAFLEX -> SiglipGraphs.watchedNaflexVision(config.vision(), usage);
    };
  }

  static Graph text(ClipConfig config, WeightUsage usage) {
    return config.kind() == ClipConfig.Kind.CLIP
        ? ClipGraphs.watchedText(config.text(), usage)
        : SiglipGraphs.watchedText(config.text(), usage);
  }

  /**
   * What patches attend to.
   *
   * @param inputs of the vision tower, of one picture
   * @param axis its class token and patches
   */
  AttentionMap patches(Map<String, Tensor> inputs, Axis axis, @Nullable Cancellation cancellation) {
    Program program;
    synchronized (this) {
      program = compiled(vision, usage -> vision(config, usage));
      vision = program;
    }
    int heads = config.vision().numAttentionHeads();
    return map(program, inputs, Kind.PATCH_TO_PATCH, axis, heads, cancellation);
  }

  /**
   * What words attend to.
   *
   * @param ids I64 [1, tokens]
   * @param axis the words
   */
  AttentionMap words(Tensor ids, Axis axis, @Nullable Cancellation cancellation) {
    Program program;
    synchronized (this) {
      program = compiled(text, usage -> text(config, usage));
      text = program;
    }
    int heads = config.text().numAttentionHeads();
    return map(program, Map.of("ids", ids), Kind.TEXT_TO_TEXT, axis, heads, cancellation);
  }

  private static AttentionMap map(
      Program program,
      Map<String, Tensor> inputs,
      Kind kind,
      Axis axis,
      int heads,
      @Nullable Cancellation cancellation) {
    Map<String, Tensor> found = program.run(inputs, Set.of(), RunOptions.cancelledBy(cancellation));
    List<float[]> layers = new ArrayList<>();
    for (int i = 0; i < found.size(); i++) {
      layers.add(found.get("layer" + i).toFloats());
    }
    return new AttentionMap(kind, axis, axis, heads, layers);
  }

  private Program compiled(@Nullable Program known, Function<WeightUsage, Graph> graph) {
    if (closed) {
      throw new ClosedException(context.info().id() + " was closed");
    }
    return known != null
        ? known
        : context.compile(
            graph.apply(new WeightUsage(context.weights(), context.config().source())));
  }

  @Override
  public synchronized void close() {
    closed = true;
    if (vision != null) {
      vision.close();
    }
    if (text != null) {
      text.close();
    }
  }
}
