package dev.lmm.core.family;

import dev.lmm.Check;
import dev.lmm.EmbedRequest;
import dev.lmm.Embeddings;
import dev.lmm.Encoder;
import dev.lmm.FileEmbedding;
import dev.lmm.FilesOptions;
import dev.lmm.Image;
import dev.lmm.Inspection;
import dev.lmm.ModelInfo;
import dev.lmm.Probability;
import dev.lmm.ProgressListener;
import dev.lmm.Score;
import dev.lmm.Summary;
import dev.lmm.ZeroShotClassifier;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * An {@link Encoder} over two towers: batching, normalising, scoring, and files streamed so that
 * decoding and inference overlap. Thread-safe.
 *
 * @param <P> a picture prepared for the model
 */
public final class EncoderRole<P> implements Encoder {
  private final EncoderBackend<P> backend;

  /**
   * Makes the role.
   *
   * @param backend the towers
   */
  public EncoderRole(EncoderBackend<P> backend) {
    this.backend = backend;
  }

  @Override
  public ModelInfo info() {
    return backend.info();
  }

  @Override
  public Summary summary() {
    return backend.summary();
  }

  @Override
  public Inspection inspect() {
    return backend.inspect();
  }

  @Override
  public int dimension() {
    return backend.dimension();
  }

  @Override
  public void close() {
    // The model is closed by whoever loaded it.
  }

  @Override
  public EmbedRequest images(List<Image> images) {
    List<Image> items = copy(images, "images");
    return new EmbedRequest(
        request ->
            embed(
                items,
                request,
                batch -> backend.encodeImages(prepare(batch), request.cancellation())));
  }

  @Override
  public EmbedRequest texts(List<String> texts) {
    List<String> items = copy(texts, "texts");
    return new EmbedRequest(
        request ->
            embed(items, request, batch -> backend.encodeTexts(batch, request.cancellation())));
  }

  private <T> Embeddings embed(
      List<T> items, EmbedRequest request, Function<List<T>, float[]> encode) {
    int dimension = dimension();
    float[] all = new float[Math.multiplyExact(items.size(), dimension)];
    ProgressListener progress = request.progress();
    for (int from = 0; from < items.size(); from += request.batchSize()) {
      Threads.check(request.cancellation());
      int to = Math.min(items.size(), from + request.batchSize());
      float[] vectors = encode.apply(items.subList(from, to));
      System.arraycopy(vectors, 0, all, from * dimension, vectors.length);
      if (progress != null) {
        progress.progress(to, items.size());
      }
    }
    Embeddings embeddings = new Embeddings(items.size(), dimension, all);
    return request.isRaw() ? embeddings : embeddings.normalized();
  }

  /** Prepares several pictures side by side. */
  private List<P> prepare(List<Image> images) {
    if (images.size() == 1) {
      return List.of(backend.prepare(images.get(0)));
    }
    List<Future<P>> tasks = new ArrayList<>(images.size());
    for (Image image : images) {
      tasks.add(Threads.prepare(() -> backend.prepare(image)));
    }
    List<P> prepared = new ArrayList<>(images.size());
    for (Future<P> task : tasks) {
      prepared.add(Threads.await(task));
    }
    return prepared;
  }

  @Override
  public void embedFiles(
      Iterable<Path> files, FilesOptions options, Consumer<FileEmbedding> consumer) {
    Check.notNull(files, "files");
    Check.notNull(options, "options");
    Check.notNull(consumer, "consumer");
    new FileStream<>(backend, files.iterator(), options, consumer).run();
  }

  @Override
  public List<List<Score>> rank(List<Image> images, List<String> texts, Probability probability) {
    List<Image> pictures = copy(images, "images");
    List<String> labels = copy(texts, "texts");
    Check.notNull(probability, "probability");
    Check.that(!labels.isEmpty(), "texts: is empty; expected at least 1");
    return scores(images(pictures).run(), texts(labels).run(), labels, probability);
  }

  private List<List<Score>> scores(
      Embeddings images, Embeddings texts, List<String> labels, Probability wanted) {
    Probability probability = wanted == Probability.FAMILY ? backend.probability() : wanted;
    List<List<Score>> all = new ArrayList<>(images.count());
    for (int i = 0; i < images.count(); i++) {
      double[] cosines = new double[labels.size()];
      double[] logits = new double[labels.size()];
      for (int t = 0; t < logits.length; t++) {
        cosines[t] = images.cosine(i, texts, t);
        logits[t] = cosines[t] * backend.logitScale() + backend.logitBias();
      }
      double[] probabilities =
          probability == Probability.SOFTMAX ? softmax(logits) : sigmoid(logits);
      List<Score> scores = new ArrayList<>(logits.length);
      for (int t = 0; t < logits.length; t++) {
        scores.add(new Score(labels.get(t), cosines[t], logits[t], probabilities[t]));
      }
      all.add(List.copyOf(scores));
    }
    return List.copyOf(all);
  }

  private static double[] softmax(double[] logits) {
    double max = Double.NEGATIVE_INFINITY;
    for (double logit : logits) {
      max = Math.max(max, logit);
    }
    double[] p = new double[logits.length];
    double sum = 0;
    for (int i = 0; i < p.length; i++) {
      p[i] = Math.exp(logits[i] - max);
      sum += p[i];
    }
    for (int i = 0; i < p.length; i++) {
      p[i] /= sum;
    }
    return p;
  }

  private static double[] sigmoid(double[] logits) {
    double[] p = new double[logits.length];
    for (int i = 0; i < p.length; i++) {
      p[i] = 1 / (1 + Math.exp(-logits[i]));
    }
    return p;
  }

  @Override
  public ZeroShotClassifier classifier(List<String> labels, List<String> templates) {
    List<String> names = copy(labels, "labels");
    List<String> sentences = copy(templates, "templates");
    Check.that(!names.isEmpty(), "labels: is empty; expected at least 1");
    Check.that(!sentences.isEmpty(), "templates: is empty; expected at least 1");
    for (String sentence : sentences) {
      Check.that(
          sentence.contains("{}"),
          "templates: \"" + sentence + "\" has no {}; expected a place for the label");
    }
    List<String> texts = new ArrayList<>();
    for (String name : names) {
      for (String sentence : sentences) {
        texts.add(sentence.replace("{}", name));
      }
    }
    Embeddings each = texts(texts).run();
    int dimension = dimension();
    float[] means = new float[names.size() * dimension];
    for (int label = 0; label < names.size(); label++) {
      for (int s = 0; s < sentences.size(); s++) {
        float[] vector = each.vector(label * sentences.size() + s);
        for (int i = 0; i < dimension; i++) {
          means[label * dimension + i] += vector[i] / sentences.size();
        }
      }
    }
    Embeddings classes = new Embeddings(names.size(), dimension, means).normalized();
    return new ZeroShotClassifier() {
      @Override
      public List<String> labels() {
        return names;
      }

      @Override
      public List<List<Score>> classify(List<Image> images) {
        return scores(images(images).run(), classes, names, Probability.FAMILY);
      }
    };
  }

  private static <T> List<T> copy(List<T> items, String name) {
    Check.notNull(items, name);
    int i = 0;
    for (T item : items) {
      Check.notNull(item, name + "[" + i++ + "]");
    }
    return List.copyOf(items);
  }
}
