package dev.lmm.bench;

import dev.lmm.Image;
import dev.lmm.core.vision.Preprocessing;
import dev.lmm.core.vision.Resize;
import dev.lmm.core.vision.ResizeFilter;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.util.concurrent.TimeUnit;
import javax.imageio.ImageIO;
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
import org.openjdk.jmh.annotations.Warmup;

/** What happens to a photograph before the model sees it, one step at a time. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@State(Scope.Thread)
@Fork(1)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
public class PictureBenchmark {
  private static final int SIDE = 224;

  /** Width of the photograph; its height is three quarters of it. */
  @Param({"640", "4000"})
  public int width = 640;

  private byte[] jpeg;
  private Image photo;
  private Preprocessing preprocessing;
  private FloatBuffer planes;

  /**
   * Makes a photograph with soft shapes and grain, and its JPEG file.
   *
   * @throws IOException never, in memory
   */
  @Setup
  public void photograph() throws IOException {
    int height = width * 3 / 4;
    BufferedImage picture = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    long grain = 1;
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        grain = grain * 6364136223846793005L + 1442695040888963407L;
        int noise = (int) (grain >>> 60);
        int red = (int) (110 + 100 * Math.sin(9.0 * x / width)) + noise;
        int green = (int) (110 + 100 * Math.cos(7.0 * y / height)) + noise;
        int blue = 200 * x / width + noise;
        picture.setRGB(x, y, red << 16 | green << 8 | blue);
      }
    }
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    ImageIO.write(picture, "jpeg", bytes);
    jpeg = bytes.toByteArray();
    photo = Image.read(jpeg);
    double[] mean = {0.48145466, 0.4578275, 0.40821073};
    double[] std = {0.26862954, 0.26130258, 0.27577711};
    preprocessing =
        new Preprocessing(
            true, 0, 0, SIDE, ResizeFilter.BICUBIC, true, SIDE, SIDE, 1.0 / 255, mean, std);
    planes = FloatBuffer.allocate(3 * SIDE * SIDE);
  }

  /**
   * A JPEG file to pixels.
   *
   * @return the picture
   */
  @Benchmark
  public Image decode() {
    return Image.read(jpeg);
  }

  /**
   * Pillow's bicubic filter, the shorter side to 224 pixels.
   *
   * @return the picture
   */
  @Benchmark
  public Image resize() {
    return Resize.resize(photo, SIDE * 4 / 3, SIDE, ResizeFilter.BICUBIC);
  }

  /**
   * All that CLIP's processor does: resize, cut, rescale, normalise.
   *
   * @return the tensor's numbers
   */
  @Benchmark
  public FloatBuffer prepare() {
    planes.clear();
    Preprocessing.planes(preprocessing.pixels(photo), preprocessing.levels(), planes);
    return planes;
  }
}
