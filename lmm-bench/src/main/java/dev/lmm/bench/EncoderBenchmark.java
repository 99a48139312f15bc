package dev.lmm.bench;

import dev.lmm.Embeddings;
import dev.lmm.Encoder;
import dev.lmm.Image;
import dev.lmm.Models;
import dev.lmm.tiny.TinyPictures;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Pictures and texts to embeddings through the public API. The default model is tiny, so that what
 * is around the model shows; {@code -p model=/folder} takes another.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@State(Scope.Thread)
@Fork(1)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
public class EncoderBenchmark {
  /** Hub id, folder or bundled model. */
  @Param({"tiny-clip"})
  public String model = "tiny-clip";

  /** Name of the engine. */
  @Param({"auto"})
  public String engine = "auto";

  /** How many at once. */
  @Param({"1", "16"})
  public int batch = 1;

  private Encoder encoder;
  private List<Image> images = List.of();
  private List<String> texts = List.of();

  /** Loads. */
  @Setup
  public void load() {
    encoder = Models.encoder(model).engine(engine).load();
    TinyPictures.Captioned picture = TinyPictures.all().get(0);
    images = Collections.nCopies(batch, picture.image());
    texts = Collections.nCopies(batch, picture.english());
  }

  /**
   * Pictures, preparing included.
   *
   * @return the embeddings
   */
  @Benchmark
  public Embeddings images() {
    return encoder.images(images).batchSize(batch).run();
  }

  /**
   * Texts, tokenizing included.
   *
   * @return the embeddings
   */
  @Benchmark
  public Embeddings texts() {
    return encoder.texts(texts).batchSize(batch).run();
  }

  /** Closes. */
  @TearDown
  public void close() {
    encoder.close();
  }
}
