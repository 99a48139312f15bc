package dev.lmm.bench;

import dev.lmm.Cancellation;
import dev.lmm.EmbedRequest;
import dev.lmm.Embeddings;
import dev.lmm.Encoder;
import dev.lmm.FileEmbedding;
import dev.lmm.FilesOptions;
import dev.lmm.Image;
import dev.lmm.Inspection;
import dev.lmm.ModelInfo;
import dev.lmm.Precision;
import dev.lmm.Probability;
import dev.lmm.Score;
import dev.lmm.Summary;
import dev.lmm.ZeroShotClassifier;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;

/**
 * An encoder that makes embeddings up, by a file's number: for measuring an index, not a model.
 *
 * <p>{@code PHOTOS} lie as photographs' embeddings do: in a cone, taken in bursts of 20, in fewer
 * directions than there are; texts lie in another cone. {@code NOISE} is the worst case: every
 * direction alike, so that nothing is much nearer than anything else.
 */
final class SimulatedPhotos implements Encoder {
  /** How vectors lie. */
  enum Kind {
    PHOTOS,
    NOISE
  }

  private static final int BURST = 20;

  private final Kind kind;
  private final int dimension;
  private long nanos;

  SimulatedPhotos(Kind kind, int dimension) {
    this.kind = kind;
    this.dimension = dimension;
  }

  /** Seconds spent on making vectors up. */
  double seconds() {
    return nanos / 1e9;
  }

  float[] picture(long number) {
    double[] sum = new double[dimension];
    if (kind == Kind.NOISE) {
      add(sum, number + 17, 1, 0);
      return unit(sum);
    }
    add(sum, -1, 1.5, 0);
    add(sum, 3_000_000_019L * (number / BURST + 1), 1, 8);
    add(sum, 7_000_000_033L * (number + 1), 0.5, 8);
    return unit(sum);
  }

  float[] text(long number) {
    double[] sum = new double[dimension];
    if (kind == Kind.NOISE) {
      add(sum, -number - 17, 1, 0);
      return unit(sum);
    }
    add(sum, -2, 1.5, 0);
    add(sum, 11_000_000_057L * (number + 1), 1, 8);
    return unit(sum);
  }

  /**
   * Adds a random part.
   *
   * @param bend where the spectrum begins to fall; 0 for never
   */
  private static void add(double[] sum, long seed, double weight, double bend) {
    Random random = new Random(seed);
    double[] part = new double[sum.length];
    double squares = 0;
    for (int i = 0; i < part.length; i++) {
      part[i] = random.nextGaussian() / (bend == 0 ? 1 : Math.sqrt(1 + i / bend));
      squares += part[i] * part[i];
    }
    for (int i = 0; i < part.length; i++) {
      sum[i] += weight * part[i] / Math.sqrt(squares);
    }
  }

  private static float[] unit(double[] sum) {
    double squares = 0;
    for (double v : sum) {
      squares += v * v;
    }
    float[] unit = new float[sum.length];
    for (int i = 0; i < unit.length; i++) {
      unit[i] = (float) (sum[i] / Math.sqrt(squares));
    }
    return unit;
  }

  @Override
  public void embedFiles(
      Iterable<Path> files, FilesOptions options, Consumer<FileEmbedding> consumer) {
    Cancellation cancellation = options.cancellation();
    for (Path file : files) {
      if (cancellation != null) {
        cancellation.check();
      }
      long start = System.nanoTime();
      float[] vector = picture(Long.parseLong(file.getFileName().toString().replace(".jpg", "")));
      nanos += System.nanoTime() - start;
      consumer.accept(new FileEmbedding(file, vector, 4000, 3000, null));
    }
  }

  @Override
  public ModelInfo info() {
    return new ModelInfo("simulated-" + kind, "simulated", "none", "cpu", Precision.FP32, true);
  }

  @Override
  public int dimension() {
    return dimension;
  }

  @Override
  public EmbedRequest images(List<Image> images) {
    return new EmbedRequest(request -> new Embeddings(1, dimension, picture(-1)));
  }

  @Override
  public EmbedRequest texts(List<String> texts) {
    throw new UnsupportedOperationException("texts are asked for by number");
  }

  @Override
  public Summary summary() {
    throw new UnsupportedOperationException("there are no layers");
  }

  @Override
  public Inspection inspect() {
    throw new UnsupportedOperationException("there are no layers");
  }

  @Override
  public List<List<Score>> rank(List<Image> images, List<String> texts, Probability probability) {
    throw new UnsupportedOperationException("there are no pictures");
  }

  @Override
  public ZeroShotClassifier classifier(List<String> labels, List<String> templates) {
    throw new UnsupportedOperationException("there are no pictures");
  }

  @Override
  public void close() {
    // holds nothing
  }
}
