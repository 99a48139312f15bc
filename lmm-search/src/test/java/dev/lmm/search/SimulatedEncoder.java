package dev.lmm.search;

import dev.lmm.Cancellation;
import dev.lmm.ClosedException;
import dev.lmm.EmbedRequest;
import dev.lmm.Embeddings;
import dev.lmm.Encoder;
import dev.lmm.FileEmbedding;
import dev.lmm.FilesOptions;
import dev.lmm.Image;
import dev.lmm.ImageException;
import dev.lmm.Inspection;
import dev.lmm.ModelInfo;
import dev.lmm.Precision;
import dev.lmm.Probability;
import dev.lmm.Score;
import dev.lmm.Summary;
import dev.lmm.ZeroShotClassifier;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * An encoder whose pictures are text files: what stands in them is a seed. Vectors lie as those of
 * photographs do: all near one another, in bursts, in fewer directions than there are.
 */
class SimulatedEncoder implements Encoder {
  private static final int BURST = 20;

  final List<Path> embedded = new ArrayList<>();
  private final int dimension;
  private final ModelInfo info;
  private final long model;
  private boolean closed;

  SimulatedEncoder(String id, int dimension, Precision precision) {
    this.dimension = dimension;
    this.model = id.hashCode();
    this.info = new ModelInfo(id, "simulated", "none", "cpu", precision, false);
  }

  /** The vector of a picture; those of one burst of 20 numbers lie close together. */
  float[] picture(long number) {
    double[] sum = new double[dimension];
    add(sum, model, 1.5, false);
    add(sum, model ^ (1_000_003 * (number / BURST + 1)), 1, true);
    add(sum, model ^ (7_000_000_007L * (number + 1)), 0.5, true);
    return unit(sum);
  }

  private float[] text(String text) {
    double[] sum = new double[dimension];
    add(sum, model + 1, 1.5, false); // texts lie elsewhere than pictures
    add(sum, model ^ text.hashCode(), 1, true);
    return unit(sum);
  }

  private static void add(double[] sum, long seed, double weight, boolean falling) {
    Random random = new Random(seed);
    double squares = 0;
    double[] part = new double[sum.length];
    for (int i = 0; i < part.length; i++) {
      part[i] = random.nextGaussian() / (falling ? Math.sqrt(1 + i / 8.0) : 1);
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
  public ModelInfo info() {
    return info;
  }

  @Override
  public int dimension() {
    return dimension;
  }

  @Override
  public EmbedRequest images(List<Image> images) {
    return request(images, image -> picture(image.width() * 31L + image.rgb()[0]));
  }

  @Override
  public EmbedRequest texts(List<String> texts) {
    return request(texts, this::text);
  }

  private <T> EmbedRequest request(List<T> items, Function<T, float[]> vector) {
    return new EmbedRequest(
        request -> {
          float[] all = new float[items.size() * dimension];
          for (int i = 0; i < items.size(); i++) {
            System.arraycopy(vector.apply(items.get(i)), 0, all, i * dimension, dimension);
          }
          return new Embeddings(items.size(), dimension, all);
        });
  }

  @Override
  public void embedFiles(
      Iterable<Path> files, FilesOptions options, Consumer<FileEmbedding> consumer) {
    int done = 0;
    for (Iterator<Path> all = files.iterator(); all.hasNext(); ) {
      if (closed) {
        throw new ClosedException("The model was closed");
      }
      Cancellation cancellation = options.cancellation();
      if (cancellation != null) {
        cancellation.check();
      }
      Path file = all.next();
      embedded.add(file);
      consumer.accept(embedding(file));
      if (++done % options.batchSize() == 0 && options.progress() != null) {
        options.progress().progress(done, -1);
      }
    }
  }

  private FileEmbedding embedding(Path file) {
    try {
      String[] words = Files.readString(file, StandardCharsets.UTF_8).strip().split(" ", -1);
      float[] vector = picture(Long.parseLong(words[0]));
      if (words.length > 1 && words[1].equals("nan")) {
        vector[0] = Float.NaN;
      }
      int width = words.length > 2 ? Integer.parseInt(words[1]) : 400;
      int height = words.length > 2 ? Integer.parseInt(words[2]) : 300;
      return new FileEmbedding(file, vector, width, height, null);
    } catch (IOException | NumberFormatException e) {
      return new FileEmbedding(
          file, null, 0, 0, new ImageException(file + ": this is no known picture format", e));
    }
  }

  @Override
  public Summary summary() {
    return new Summary(info.id(), List.of(), List.of(), 0, 0);
  }

  @Override
  public Inspection inspect() {
    throw new UnsupportedOperationException();
  }

  @Override
  public List<List<Score>> rank(List<Image> images, List<String> texts, Probability probability) {
    throw new UnsupportedOperationException();
  }

  @Override
  public ZeroShotClassifier classifier(List<String> labels, List<String> templates) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void close() {
    closed = true;
  }
}
