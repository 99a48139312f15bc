package dev.lmm.core.family;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lmm.Cancellation;
import dev.lmm.CancelledException;
import dev.lmm.EngineException;
import dev.lmm.FileEmbedding;
import dev.lmm.FilesOptions;
import dev.lmm.Image;
import dev.lmm.Inspection;
import dev.lmm.ModelInfo;
import dev.lmm.Probability;
import dev.lmm.Summary;
import dev.lmm.core.engine.RunOptions;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(60)
class FileStreamTest {
  private static final int PICTURES = 45;

  @TempDir static Path folder;

  private static final List<Path> FILES = new ArrayList<>();

  @BeforeAll
  static void pictures() throws IOException {
    for (int i = 0; i < PICTURES; i++) {
      Path file = folder.resolve(i + ".png");
      if (i == 20) {
        Files.writeString(file, "no picture");
      } else {
        BufferedImage picture = new BufferedImage(1, 1, BufferedImage.TYPE_INT_RGB);
        picture.setRGB(0, 0, i);
        ImageIO.write(picture, "png", file.toFile());
      }
      FILES.add(file);
    }
  }

  /** A model whose vectors say which picture they are of, and which runs some at once. */
  private static class Towers implements EncoderBackend<Image> {
    private final int sideBySide;
    final AtomicInteger inside = new AtomicInteger();
    final AtomicInteger mostInside = new AtomicInteger();
    final AtomicInteger largest = new AtomicInteger();

    Towers(int sideBySide) {
      this.sideBySide = sideBySide;
    }

    @Override
    public int sideBySide() {
      return sideBySide;
    }

    @Override
    public Image prepare(Image image) {
      return image;
    }

    @Override
    public float[] encodeImages(List<Image> images, RunOptions options) {
      assertThat(options.sideBySide()).isEqualTo(sideBySide > 1);
      mostInside.accumulateAndGet(inside.incrementAndGet(), Math::max);
      largest.accumulateAndGet(images.size(), Math::max);
      try {
        float[] vectors = new float[images.size() * 2];
        for (int i = 0; i < images.size(); i++) {
          double angle = (images.get(i).rgb()[2] & 0xff) / 100.0;
          vectors[2 * i] = (float) (3 * Math.cos(angle));
          vectors[2 * i + 1] = (float) (3 * Math.sin(angle));
        }
        compute(images, options);
        return vectors;
      } finally {
        inside.decrementAndGet();
      }
    }

    @SuppressWarnings("UnusedVariable") // for those who override it
    void compute(List<Image> images, RunOptions options) {}

    @Override
    public int dimension() {
      return 2;
    }

    @Override
    public float[] encodeTexts(List<String> texts, Cancellation cancellation) {
      throw new UnsupportedOperationException();
    }

    @Override
    public ModelInfo info() {
      throw new UnsupportedOperationException();
    }

    @Override
    public Summary summary() {
      throw new UnsupportedOperationException();
    }

    @Override
    public Inspection inspect() {
      throw new UnsupportedOperationException();
    }

    @Override
    public double logitScale() {
      return 1;
    }

    @Override
    public double logitBias() {
      return 0;
    }

    @Override
    public Probability probability() {
      return Probability.SOFTMAX;
    }
  }

  private static void embed(Towers towers, FilesOptions options, List<FileEmbedding> results) {
    new EncoderRole<>(towers).embedFiles(FILES, options, results::add);
  }

  @ParameterizedTest
  @CsvSource({"1,16,16", "1,4,4", "2,16,8", "3,16,8", "2,10,10", "4,1,1", "2,17,9", "2,1000,45"})
  void resultsAreInOrderHoweverManyRunsAreKeptGoing(int sideBySide, int batch, int largest) {
    Towers towers = new Towers(sideBySide);
    List<FileEmbedding> results = new ArrayList<>();
    List<Long> progress = new ArrayList<>();
    embed(towers, new FilesOptions(batch, null, (done, total) -> progress.add(done)), results);
    assertThat(results).extracting(FileEmbedding::file).isEqualTo(FILES);
    for (int i = 0; i < PICTURES; i++) {
      FileEmbedding result = results.get(i);
      if (i == 20) {
        assertThat(result.vector()).isNull();
        assertThat(result.failure()).hasMessageContaining("20.png");
      } else {
        assertThat(result.vector())
            .usingComparatorWithPrecision(1e-6f)
            .containsExactly((float) Math.cos(i / 100.0), (float) Math.sin(i / 100.0));
      }
    }
    List<Long> batches = new ArrayList<>();
    for (long done = Math.min(batch, PICTURES); done < PICTURES; done += batch) {
      batches.add(done);
    }
    batches.add((long) PICTURES);
    assertThat(progress).isEqualTo(batches);
    assertThat(towers.largest.get()).isLessThanOrEqualTo(largest);
    assertThat(towers.mostInside.get()).isBetween(1, sideBySide);
  }

  @Test
  void runsAreKeptGoingSideBySide() {
    CountDownLatch both = new CountDownLatch(2);
    Towers towers =
        new Towers(2) {
          @Override
          void compute(List<Image> images, RunOptions options) {
            both.countDown();
            await(both);
          }
        };
    List<FileEmbedding> results = new ArrayList<>();
    embed(towers, FilesOptions.DEFAULT, results);
    assertThat(results).hasSize(PICTURES);
    assertThat(towers.mostInside).hasValue(2);
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(30, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void afterAFailureNothingRunsAnyMore() {
    CountDownLatch other = new CountDownLatch(1);
    Towers towers =
        new Towers(2) {
          @Override
          void compute(List<Image> images, RunOptions options) {
            if ((images.get(0).rgb()[2] & 0xff) == 0) {
              await(other);
              throw new EngineException("out of order");
            }
            other.countDown();
            untilCancelled(options);
          }
        };
    List<FileEmbedding> results = new ArrayList<>();
    assertThatThrownBy(() -> embed(towers, FilesOptions.DEFAULT, results))
        .isInstanceOf(EngineException.class)
        .hasMessage("out of order");
    assertThat(results).isEmpty();
    assertThat(towers.inside).as("runs after the call").hasValue(0);
  }

  private static void untilCancelled(RunOptions options) {
    CountDownLatch cancelled = new CountDownLatch(1);
    Cancellation cancellation = options.cancellation();
    assertThat(cancellation).isNotNull();
    cancellation.onCancel(cancelled::countDown);
    await(cancelled);
    cancellation.check();
  }

  @ParameterizedTest
  @CsvSource({"1", "2"})
  void theCallersSwitchStopsTheRunsAndIsNamed(int sideBySide) {
    Cancellation cancellation = new Cancellation();
    Towers towers =
        new Towers(sideBySide) {
          @Override
          void compute(List<Image> images, RunOptions options) {
            cancellation.cancel();
            untilCancelled(options);
          }
        };
    FilesOptions options = new FilesOptions(16, cancellation, null);
    assertThatThrownBy(() -> embed(towers, options, new ArrayList<>()))
        .isInstanceOf(CancelledException.class)
        .hasMessage("The run was stopped: cancelled by the caller");
    assertThat(towers.inside).hasValue(0);
  }

  @Test
  void anInterruptStopsTheRuns() {
    Thread caller = Thread.currentThread();
    Towers towers =
        new Towers(2) {
          @Override
          void compute(List<Image> images, RunOptions options) {
            caller.interrupt();
            untilCancelled(options);
          }
        };
    try {
      assertThatThrownBy(() -> embed(towers, FilesOptions.DEFAULT, new ArrayList<>()))
          .isInstanceOf(CancelledException.class)
          .hasMessageContaining("interrupted");
      assertThat(towers.inside).hasValue(0);
    } finally {
      assertThat(Thread.interrupted()).as("the interrupt stays pending").isTrue();
    }
  }
}
