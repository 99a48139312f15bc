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
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

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

  /** A model whose vectors say which picture they are of. */
  private static class Towers implements EncoderBackend<Image> {
    int largest;

    @Override
    public Image prepare(Image image) {
      return image;
    }

    @Override
    public float[] encodeImages(List<Image> images, Cancellation cancellation) {
      largest = Math.max(largest, images.size());
      float[] vectors = new float[images.size() * 2];
      for (int i = 0; i < images.size(); i++) {
        double angle = (images.get(i).rgb()[2] & 0xff) / 100.0;
        vectors[2 * i] = (float) (3 * Math.cos(angle));
        vectors[2 * i + 1] = (float) (3 * Math.sin(angle));
      }
      compute(images, cancellation);
      return vectors;
    }

    @SuppressWarnings("UnusedVariable") // for those who override it
    void compute(List<Image> images, Cancellation cancellation) {}

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
  @ValueSource(ints = {1, 4, 10, 16, 17, 45, 1000})
  void resultsAreInOrder(int batch) {
    Towers towers = new Towers();
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
    assertThat(towers.largest)
        .as("pictures in a run, one cannot be read")
        .isEqualTo(Math.min(batch, PICTURES - 1));
  }

  @Test
  void afterAFailureNothingIsDelivered() {
    Towers towers =
        new Towers() {
          @Override
          void compute(List<Image> images, Cancellation cancellation) {
            throw new EngineException("out of order");
          }
        };
    List<FileEmbedding> results = new ArrayList<>();
    assertThatThrownBy(() -> embed(towers, FilesOptions.DEFAULT, results))
        .isInstanceOf(EngineException.class)
        .hasMessage("out of order");
    assertThat(results).isEmpty();
  }

  @Test
  void theCallersSwitchStopsTheRunAndIsNamed() {
    Cancellation cancellation = new Cancellation();
    Towers towers =
        new Towers() {
          @Override
          void compute(List<Image> images, Cancellation given) {
            assertThat(given).isSameAs(cancellation);
            cancellation.cancel();
          }
        };
    FilesOptions options = new FilesOptions(16, cancellation, null);
    List<FileEmbedding> results = new ArrayList<>();
    assertThatThrownBy(() -> embed(towers, options, results))
        .isInstanceOf(CancelledException.class)
        .hasMessage("The run was stopped: cancelled by the caller");
    assertThat(results).as("of the batch that was done by then").hasSize(16);
  }

  @Test
  void anInterruptStopsBetweenBatches() {
    Towers towers =
        new Towers() {
          @Override
          void compute(List<Image> images, Cancellation cancellation) {
            Thread.currentThread().interrupt();
          }
        };
    try {
      assertThatThrownBy(() -> embed(towers, FilesOptions.DEFAULT, new ArrayList<>()))
          .isInstanceOf(CancelledException.class)
          .hasMessageContaining("interrupted");
    } finally {
      assertThat(Thread.interrupted()).as("the interrupt stays pending").isTrue();
    }
  }
}
