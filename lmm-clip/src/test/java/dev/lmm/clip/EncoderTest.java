package dev.lmm.clip;

import static dev.lmm.clip.Golden.assertClose;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import dev.lmm.Cancellation;
import dev.lmm.CancelledException;
import dev.lmm.ClosedException;
import dev.lmm.Embeddings;
import dev.lmm.Encoder;
import dev.lmm.FileEmbedding;
import dev.lmm.FilesOptions;
import dev.lmm.Image;
import dev.lmm.ImageException;
import dev.lmm.InvalidRequestException;
import dev.lmm.Model;
import dev.lmm.Models;
import dev.lmm.Precision;
import dev.lmm.Probability;
import dev.lmm.Score;
import dev.lmm.ZeroShotClassifier;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a caller may do with an encoder besides getting the right numbers. */
class EncoderTest {
  private Golden golden;
  private Encoder encoder;

  @TempDir Path temporary;

  @BeforeEach
  void load() {
    golden = new Golden("clip-openai");
    encoder = Clip.from(golden.folder).load();
  }

  @AfterEach
  void close() {
    encoder.close();
    golden.close();
  }

  @Test
  void defaultsAreOnnxOnTheCpuInSinglePrecision() {
    assertThat(encoder.info().modelType()).isEqualTo("clip");
    assertThat(encoder.info().engine()).isEqualTo("onnx");
    assertThat(encoder.info().device()).isEqualTo("cpu");
    assertThat(encoder.info().precision()).isEqualTo(Precision.FP32);
    assertThat(encoder.info().randomWeights()).isFalse();
    assertThat(encoder.images(List.of()).batchSize()).isEqualTo(16);
    assertThat(encoder.images(List.of()).isRaw()).isFalse();
    assertThat(encoder.dimension()).isEqualTo(32);
  }

  @Test
  void embeddingsHaveLengthOneUnlessRaw() {
    Embeddings unit = encoder.texts(golden.texts).run();
    Embeddings raw = encoder.texts(golden.texts).raw().run();
    for (int i = 0; i < unit.count(); i++) {
      assertThat(unit.cosine(i, raw, i)).isCloseTo(1, offset(1e-6));
      double squares = 0;
      for (float v : unit.vector(i)) {
        squares += v * v;
      }
      assertThat(squares).isCloseTo(1, offset(1e-5));
    }
  }

  @Test
  void batchSizeDoesNotChangeTheResult() {
    float[] one = encoder.images(golden.images()).batchSize(1).run().vector(3);
    float[] three = encoder.images(golden.images()).batchSize(3).run().vector(3);
    assertClose("batches of 3", three, one, 1e-5);
  }

  @Test
  void nothingGivesNothing() {
    assertThat(encoder.images(List.of()).run().count()).isZero();
    assertThat(encoder.texts(List.of()).run().count()).isZero();
    assertThat(encoder.rank(List.of(), List.of("a"), Probability.FAMILY)).isEmpty();
  }

  @Test
  void progressIsHeardAfterEachBatch() {
    List<String> heard = new ArrayList<>();
    encoder
        .texts(golden.texts)
        .batchSize(3)
        .onProgress((done, total) -> heard.add(done + "/" + total))
        .run();
    assertThat(heard).containsExactly("3/8", "6/8", "8/8");
  }

  @Test
  void probabilitiesOnRequest() {
    Image image = golden.images().get(0);
    List<Score> softmax = encoder.rank(image, golden.texts);
    List<Score> sigmoid = encoder.rank(List.of(image), golden.texts, Probability.SIGMOID).get(0);
    assertThat(softmax.stream().mapToDouble(Score::probability).sum()).isCloseTo(1, offset(1e-9));
    for (Score score : sigmoid) {
      assertThat(score.probability()).isCloseTo(1 / (1 + Math.exp(-score.logit())), offset(1e-12));
    }
    assertThat(Score.best(softmax)).isEqualTo(Score.sorted(softmax).get(0));
  }

  @Test
  void aClassifierOfOneTemplateRanksLikeTheTexts() {
    ZeroShotClassifier classifier =
        encoder.classifier(List.of("flower", "dog"), List.of("a photo of a {}"));
    Image image = golden.images().get(0);
    List<Score> byClass = classifier.classify(image);
    List<Score> byText = encoder.rank(image, List.of("a photo of a flower", "a photo of a dog"));
    assertThat(classifier.labels()).containsExactly("flower", "dog");
    for (int i = 0; i < 2; i++) {
      assertThat(byClass.get(i).logit()).isCloseTo(byText.get(i).logit(), offset(1e-3));
    }
  }

  @Test
  void severalTemplatesAreAveraged() {
    List<String> templates = List.of("a photo of a {}", "{} 사진", "one {}");
    ZeroShotClassifier classifier = encoder.classifier(List.of("flower"), templates);
    Image image = golden.images().get(0);
    float[] picture = encoder.embed(image);
    float[] mean = new float[picture.length];
    for (String template : templates) {
      float[] vector = encoder.embed(template.replace("{}", "flower"));
      for (int i = 0; i < mean.length; i++) {
        mean[i] += vector[i] / 3;
      }
    }
    double dot = 0;
    double squares = 0;
    for (int i = 0; i < mean.length; i++) {
      dot += mean[i] * picture[i];
      squares += mean[i] * mean[i];
    }
    assertThat(classifier.classify(image).get(0).similarity())
        .isCloseTo(dot / Math.sqrt(squares), offset(1e-5));
  }

  @Test
  void filesArriveInOrderAndBrokenOnesAreResultsToo() throws IOException {
    Path broken = temporary.resolve("broken.png");
    Files.writeString(broken, "no picture");
    List<Path> files = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      files.addAll(golden.pictures);
      files.add(broken);
    }
    List<FileEmbedding> results = new ArrayList<>();
    encoder.embedFiles(files, new FilesOptions(4, null, null), results::add);
    assertThat(results).extracting(FileEmbedding::file).isEqualTo(files);
    Embeddings expected = encoder.images(golden.images()).run();
    for (int i = 0; i < results.size(); i++) {
      int picture = i % 9;
      if (picture == 8) {
        assertThat(results.get(i).vector()).isNull();
        assertThat(results.get(i).failure())
            .isInstanceOf(ImageException.class)
            .hasMessageContaining("broken.png");
      } else {
        assertClose("file " + i, results.get(i).vector(), expected.vector(picture), 1e-5);
      }
    }
  }

  @Test
  void aThrownSwitchStopsTheRun() {
    Cancellation cancellation = new Cancellation();
    AtomicInteger batches = new AtomicInteger();
    assertThatThrownBy(
            () ->
                encoder
                    .texts(Collections.nCopies(100, "a"))
                    .batchSize(1)
                    .cancelledBy(cancellation)
                    .onProgress(
                        (done, total) -> {
                          batches.incrementAndGet();
                          cancellation.cancel();
                        })
                    .run())
        .isInstanceOf(CancelledException.class)
        .hasMessageContaining("cancelled by the caller");
    assertThat(batches).hasValue(1);
    assertThat(encoder.embed("still usable")).hasSize(32);
  }

  @Test
  void aDeadlineStopsTheRun() {
    assertThatThrownBy(
            () ->
                encoder
                    .texts(Collections.nCopies(2_000_000, "a"))
                    .batchSize(1)
                    .cancelledBy(Cancellation.after(Duration.ofMillis(50)))
                    .run())
        .isInstanceOf(CancelledException.class)
        .hasMessageContaining("deadline of 50 ms");
  }

  @Test
  void anInterruptedThreadIsStoppedAndStaysInterrupted() {
    Thread.currentThread().interrupt();
    try {
      assertThatThrownBy(() -> encoder.embed("a"))
          .isInstanceOf(CancelledException.class)
          .hasMessageContaining("interrupted");
      assertThat(Thread.currentThread().isInterrupted()).isTrue();
    } finally {
      Thread.interrupted();
    }
    assertThat(encoder.embed("still usable")).hasSize(32);
  }

  @Test
  void manyThreadsGetTheResultsOfOne() throws Exception {
    Embeddings images = encoder.images(golden.images()).run();
    Embeddings texts = encoder.texts(golden.texts).run();
    ExecutorService pool = Executors.newFixedThreadPool(8);
    try {
      List<Future<Boolean>> tasks = new ArrayList<>();
      for (int t = 0; t < 8; t++) {
        int thread = t;
        Callable<Boolean> task =
            () -> {
              for (int i = 0; i < 40; i++) {
                int n = (i + thread) % 8;
                assertClose("image", encoder.embed(golden.images().get(n)), images.vector(n), 1e-5);
                assertClose("text", encoder.embed(golden.texts.get(n)), texts.vector(n), 1e-5);
              }
              return true;
            };
        tasks.add(pool.submit(task));
      }
      for (Future<Boolean> task : tasks) {
        assertThat(task.get()).isTrue();
      }
    } finally {
      pool.shutdownNow();
    }
  }

  @Test
  void closingTwiceIsHarmlessAndUsingAfterwardsIsAnError() {
    ZeroShotClassifier classifier = encoder.classifier(List.of("a"), List.of("{}"));
    Image image = golden.images().get(0);
    encoder.close();
    encoder.close();
    assertThatThrownBy(() -> encoder.embed("a")).isInstanceOf(ClosedException.class);
    assertThatThrownBy(() -> encoder.embed(image)).isInstanceOf(ClosedException.class);
    assertThatThrownBy(() -> classifier.classify(image)).isInstanceOf(ClosedException.class);
    assertThatThrownBy(() -> encoder.inspect().tokenize("a")).isInstanceOf(ClosedException.class);
    assertThatThrownBy(() -> encoder.inspect().preprocess(image))
        .isInstanceOf(ClosedException.class);
  }

  @Test
  void rolesOfAModelEndWithItNotBefore() {
    Model model = Models.load(golden.folder.toString());
    Encoder role = model.encoder();
    role.close();
    assertThat(role.embed("a")).hasSize(32);
    model.close();
    assertThatThrownBy(() -> role.embed("a")).isInstanceOf(ClosedException.class);
  }

  @Test
  @SuppressWarnings("NullAway") // null on purpose
  void nullArgumentsAreNamed() {
    assertThatThrownBy(() -> encoder.embed((String) null))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessage("text: is null; expected a value");
    assertThatThrownBy(() -> encoder.embed((Image) null))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("image");
    assertThatThrownBy(() -> encoder.texts(null))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("texts");
    assertThatThrownBy(() -> encoder.texts(Collections.singletonList(null)))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("texts[0]");
    assertThatThrownBy(() -> Models.encoder((String) null))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("id");
    assertThatThrownBy(() -> encoder.rank(golden.images().get(0), List.of()))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("texts: is empty");
    assertThatThrownBy(() -> encoder.classifier(List.of("a"), List.of("no place")))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("{}");
    assertThatThrownBy(() -> encoder.texts(List.of("a")).batchSize(0))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("batchSize");
  }

  @Test
  void anyPictureAndAnyTextIsServed() {
    Image dot = Image.ofRgb(1, 1, new byte[] {1, 2, 3});
    Image line = Image.ofRgb(60_000, 1, new byte[180_000]);
    assertThat(encoder.images(List.of(dot, line)).run().count()).isEqualTo(2);
    List<String> texts =
        List.of(
            "",
            " ",
            "\u0000",
            "\ud83d",
            "👩‍👩‍👧‍👦",
            "가".repeat(5000),
            "a\nb\tc",
            "<|endoftext|>");
    Embeddings embedded = encoder.texts(texts).run();
    for (int i = 0; i < texts.size(); i++) {
      assertThat(embedded.vector(i)).as(texts.get(i)).doesNotContain(Float.NaN);
    }
  }
}
