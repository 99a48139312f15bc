package dev.lmm.blip2.internal;

import dev.lmm.Check;
import dev.lmm.ClosedException;
import dev.lmm.Image;
import dev.lmm.Inspection;
import dev.lmm.ModelInfo;
import dev.lmm.Summary;
import dev.lmm.core.engine.Program;
import dev.lmm.core.engine.RunOptions;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.engine.WeightStore;
import dev.lmm.core.engine.reference.NonFinite;
import dev.lmm.core.family.LoadContext;
import dev.lmm.core.family.Summaries;
import dev.lmm.core.graph.Flops;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.text.Tokenizer;
import dev.lmm.core.text.Tokenizers;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.ToLongBiFunction;

/**
 * What a model of either stage is made of: compiled parts, tokenizer, the pictures' form. Opened
 * and closed together. Thread-safe.
 */
final class Parts implements AutoCloseable {
  /**
   * What both stages begin with and leave alone; only what stands between them is trained. (That a
   * vision tower was tuned afterwards, as for captions of COCO, is in no file.)
   */
  private static final Set<String> FROZEN = Set.of("vision", "language", "encoder", "decoder");

  private final ModelInfo info;
  private final Summary summary;
  private final PictureInput pictures;
  private final Tokenizer tokenizer;
  private final WeightStore weights;
  private final Map<String, Program> programs;
  private volatile boolean closed;

  private Parts(
      LoadContext context,
      Summary summary,
      PictureInput pictures,
      Tokenizer tokenizer,
      Map<String, Program> programs) {
    this.info = context.info();
    this.summary = summary;
    this.pictures = pictures;
    this.tokenizer = tokenizer;
    this.weights = context.weights();
    this.programs = programs;
  }

  /**
   * Reads and compiles.
   *
   * @param context what is loaded
   * @param vision the vision tower, whose graph is among them as {@code vision}
   * @param graphs by part, in the order they compute
   */
  static Parts open(LoadContext context, Blip2Config.Vision vision, Map<String, Graph> graphs) {
    PictureInput pictures = PictureInput.read(context.folder(), vision);
    Summary summary =
        Summaries.freeze(
            Summaries.of(context.info().id(), graphs, context.weights(), List.of()), FROZEN);
    List<AutoCloseable> opened = new ArrayList<>();
    try {
      Tokenizer tokenizer = Tokenizers.load(context.folder(), false);
      opened.add(tokenizer);
      Map<String, Program> programs = new LinkedHashMap<>();
      graphs.forEach(
          (part, graph) -> {
            Program program = context.compile(graph);
            opened.add(program);
            programs.put(part, program);
          });
      return new Parts(context, summary, pictures, tokenizer, programs);
    } catch (RuntimeException | Error e) {
      for (AutoCloseable resource : opened) {
        try {
          resource.close();
        } catch (Exception suppressed) {
          e.addSuppressed(suppressed);
        }
      }
      throw e;
    }
  }

  ModelInfo info() {
    return info;
  }

  Summary summary() {
    return summary;
  }

  PictureInput pictures() {
    return pictures;
  }

  Tokenizer tokenizer() {
    return tokenizer;
  }

  Program program(String part) {
    return Check.notNull(programs.get(part), part);
  }

  /** A picture as the Q-Former sees it: [1, rows, vision width]. */
  Tensor see(Tensor pixels, RunOptions run) {
    return program("vision").run(Map.of("pixels", pixels), Set.of("image"), run).get("image");
  }

  void requireOpen() {
    if (closed) {
      throw new ClosedException(info.id() + " was closed");
    }
  }

  // Inspection.

  Inspection.Tokens tokenize(String value) {
    Tokenizer.Encoded encoded = tokenizer.encode(value, true);
    return new Inspection.Tokens(
        Arrays.stream(encoded.ids()).boxed().toList(), List.of(encoded.tokens()));
  }

  Inspection.Pixels preprocess(Image image) {
    requireOpen();
    return pictures.inspect(Check.notNull(image, "image"));
  }

  Optional<String> firstNonFinite(Image image) {
    requireOpen();
    Tensor pixels = pictures.tensor(Check.notNull(image, "image"));
    return firstNonFinite("vision", Map.of("pixels", pixels));
  }

  Optional<String> firstNonFinite(String part, Map<String, Tensor> inputs) {
    return NonFinite.find(program(part).graph(), weights, inputs).map(NonFinite.Finding::toString);
  }

  /** Floating point operations of a run of each part, given the length of its symbols. */
  Map<String, Double> flops(ToLongBiFunction<String, String> length) {
    Map<String, Double> all = new LinkedHashMap<>();
    programs.forEach(
        (part, program) ->
            all.put(part, Flops.of(program.graph(), symbol -> length.applyAsLong(part, symbol))));
    return all;
  }

  @Override
  public void close() {
    closed = true;
    programs.values().forEach(Program::close);
    tokenizer.close();
  }
}
