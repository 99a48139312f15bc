package dev.lmm.qwenvl.internal;

import dev.lmm.AttentionMap;
import dev.lmm.AttentionMap.Axis;
import dev.lmm.AttentionMap.Kind;
import dev.lmm.Check;
import dev.lmm.ClosedException;
import dev.lmm.core.decode.Prompt;
import dev.lmm.core.decode.StepInput;
import dev.lmm.core.engine.Program;
import dev.lmm.core.engine.RunOptions;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.family.LoadContext;
import dev.lmm.core.graph.WeightUsage;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The language model watched as it reads a picture and a question. Compiled when it is first
 * wanted. Thread-safe.
 */
final class QwenWatch implements AutoCloseable {
  private static final long MOST = 1L << 31; // bytes of all layers and heads

  private final LoadContext context;
  private final QwenConfig config;
  private final String prefix;
  private @Nullable Program program;
  private boolean closed;

  QwenWatch(LoadContext context, QwenConfig config, String prefix) {
    this.context = context;
    this.config = config;
    this.prefix = prefix;
  }

  /**
   * What words and places attend to.
   *
   * @param prompt with one picture
   * @param rows of the picture's cells
   * @param columns of the picture's cells
   * @param name of an id
   */
  List<AttentionMap> look(
      Prompt prompt,
      LanguageModel language,
      int rows,
      int columns,
      IntFunction<String> name,
      RunOptions run) {
    int length = prompt.length();
    int heads = config.text().heads();
    long bytes = 4L * heads * config.text().layers() * length * length;
    Check.that(
        bytes <= MOST,
        "image: makes "
            + rows * columns
            + " entries, and what all layers attend to would take "
            + (bytes >> 20)
            + " MB; expected at most "
            + (MOST >> 20)
            + ". Make the picture smaller");
    Prompt.Embedded picture = prompt.embedded().get(0);
    StepInput input =
        new StepInput(
            1,
            length,
            new int[1],
            prompt.ids(),
            prompt.positions(),
            List.of(
                new StepInput.Slice(
                    0, picture.start(), picture.count(), picture.values().get(), 0)),
            false);
    Map<String, Tensor> found = program().run(language.inputs(input), Set.of(), run);
    int[] cells = IntStream.range(picture.start(), picture.start() + picture.count()).toArray();
    int[] words =
        IntStream.range(0, length)
            .filter(i -> i < picture.start() || i >= picture.start() + picture.count())
            .toArray();
    int[] ids = prompt.ids();
    Axis text = Axis.words(Arrays.stream(words).mapToObj(i -> name.apply(ids[i])).toList());
    Axis places = Axis.patches(rows, columns, Axis.WHOLE);
    List<float[]> wordsToWords = new ArrayList<>();
    List<float[]> wordsToCells = new ArrayList<>();
    List<float[]> cellsToCells = new ArrayList<>();
    for (int i = 0; i < config.text().layers(); i++) {
      float[] layer = Check.notNull(found.get("layer" + i), "layer").toFloats();
      wordsToWords.add(part(layer, heads, length, words, words));
      wordsToCells.add(part(layer, heads, length, words, cells));
      cellsToCells.add(part(layer, heads, length, cells, cells));
    }
    return List.of(
        new AttentionMap(Kind.TEXT_TO_TEXT, text, text, heads, wordsToWords),
        new AttentionMap(Kind.WORD_TO_REGION, text, places, heads, wordsToCells),
        new AttentionMap(Kind.PATCH_TO_PATCH, places, places, heads, cellsToCells));
  }

  /** Some rows and columns of each head. */
  private static float[] part(float[] layer, int heads, int length, int[] rows, int[] columns) {
    float[] part = new float[heads * rows.length * columns.length];
    int at = 0;
    for (int head = 0; head < heads; head++) {
      for (int row : rows) {
        for (int column : columns) {
          part[at++] = layer[(head * length + row) * length + column];
        }
      }
    }
    return part;
  }

  private synchronized Program program() {
    if (closed) {
      throw new ClosedException("model " + context.info().id() + " is closed");
    }
    if (program == null) {
      WeightUsage usage = new WeightUsage(context.weights(), context.config().source());
      program = context.compile(TextGraph.watched(config.text(), prefix, usage));
    }
    return program;
  }

  @Override
  public synchronized void close() {
    closed = true;
    if (program != null) {
      program.close();
    }
  }
}
