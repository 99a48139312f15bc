package dev.lmm.diffusion.internal;

import dev.lmm.Cancellation;
import dev.lmm.Image;
import dev.lmm.LmmException;
import dev.lmm.core.engine.RunOptions;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.family.LoadContext;
import dev.lmm.core.family.Summaries;
import dev.lmm.core.graph.WeightUsage;
import dev.lmm.core.json.Json;
import dev.lmm.core.random.TorchGenerator;
import dev.lmm.core.vision.Resize;
import dev.lmm.core.vision.ResizeFilter;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Pictures to latents as the UNet knows them, and back. Not thread-safe. */
final class Autoencoder implements AutoCloseable {
  /** What a program is compiled for. */
  private record Size(int height, int width) {}

  private final VaeConfig config;
  private final KeptProgram<Size> decoder;
  private final KeptProgram<Size> encoder;
  private final Summaries.Part encoderPart;
  private final Summaries.Part decoderPart;
  private float @Nullable [] previewMap;

  private Autoencoder(
      VaeConfig config,
      KeptProgram<Size> decoder,
      KeptProgram<Size> encoder,
      Summaries.Part encoderPart,
      Summaries.Part decoderPart) {
    this.config = config;
    this.decoder = decoder;
    this.encoder = encoder;
    this.encoderPart = encoderPart;
    this.decoderPart = decoderPart;
  }

  static Autoencoder load(LoadContext context, int latentSize) {
    Path file = context.folder().resolve("vae").resolve("config.json");
    VaeConfig config = VaeConfig.of(Json.parse(file));
    var weights = context.weights("vae");
    WeightUsage usage = new WeightUsage(weights, file.toString());
    int pixels = latentSize * config.scale();
    var decoderGraph = VaeGraphs.decoder(config, usage, latentSize, latentSize);
    var encoderGraph = VaeGraphs.encoder(config, usage, pixels, pixels);
    usage.requireAllRead(name -> false);
    return new Autoencoder(
        config,
        new KeptProgram<>(
            size ->
                context.compile(
                    "vae",
                    VaeGraphs.decoder(
                        config,
                        new WeightUsage(weights, file.toString()),
                        size.height(),
                        size.width()),
                    weights)),
        new KeptProgram<>(
            size ->
                context.compile(
                    "vae",
                    VaeGraphs.encoder(
                        config,
                        new WeightUsage(weights, file.toString()),
                        size.height(),
                        size.width()),
                    weights)),
        new Summaries.Part(encoderGraph, weights),
        new Summaries.Part(decoderGraph, weights));
  }

  Summaries.Part encoderPart() {
    return encoderPart;
  }

  Summaries.Part decoderPart() {
    return decoderPart;
  }

  /** Pixels on each side that a latent stands for. */
  int scale() {
    return config.scale();
  }

  int channels() {
    return config.latentChannels();
  }

  /**
   * Latents to a picture.
   *
   * @param latents [channels, h, w], as the UNet knows them
   */
  Image decode(float[] latents, int h, int w, @Nullable Cancellation cancellation) {
    return image(raw(latents, h, w, cancellation), h * config.scale(), w * config.scale());
  }

  private FloatBuffer raw(float[] latents, int h, int w, @Nullable Cancellation cancellation) {
    float[] scaled = new float[latents.length];
    float factor = (float) config.scalingFactor();
    float shift = (float) config.shiftFactor();
    for (int i = 0; i < scaled.length; i++) {
      scaled[i] = latents[i] / factor + shift;
    }
    Tensor out =
        decoder
            .of(new Size(h, w))
            .run(
                Map.of("latents", Tensor.of(scaled, 1, config.latentChannels(), h, w)),
                Set.of(),
                RunOptions.cancelledBy(cancellation))
            .get("picture");
    if (out == null) {
      throw new IllegalStateException("no picture was computed");
    }
    return out.floats();
  }

  private static Image image(FloatBuffer planes, int height, int width) {
    int pixels = height * width;
    byte[] rgb = new byte[pixels * 3];
    for (int c = 0; c < 3; c++) {
      for (int i = 0; i < pixels; i++) {
        float v = planes.get(c * pixels + i) / 2 + 0.5f;
        if (Float.isNaN(v)) {
          throw new LmmException(
              "The autoencoder made NaN of the latents; compute it in single precision:"
                  + " precision(\"vae\", Precision.FP32)");
        }
        rgb[3 * i + c] = (byte) (int) Math.rint(Math.max(0, Math.min(1, v)) * 255f);
      }
    }
    return Image.ofRgb(width, height, rgb);
  }

  /**
   * A picture to latents, drawn from the posterior.
   *
   * @param planes [3, height, width], -1 to 1
   * @return [channels, height / scale, width / scale]
   */
  float[] encode(
      float[] planes,
      int height,
      int width,
      TorchGenerator random,
      @Nullable Cancellation cancellation) {
    Tensor moments =
        encoder
            .of(new Size(height, width))
            .run(
                Map.of("picture", Tensor.of(planes, 1, 3, height, width)),
                Set.of(),
                RunOptions.cancelledBy(cancellation))
            .get("moments");
    if (moments == null) {
      throw new IllegalStateException("no moments were computed");
    }
    float[] both = moments.toFloats();
    int n = both.length / 2;
    float[] noise = random.randn(n);
    float[] latents = new float[n];
    float factor = (float) config.scalingFactor();
    float shift = (float) config.shiftFactor();
    for (int i = 0; i < n; i++) {
      float deviation = (float) Math.exp(0.5f * Math.max(-30, Math.min(20, both[n + i])));
      latents[i] = (both[i] + deviation * noise[i] - shift) * factor;
    }
    return latents;
  }

  /**
   * A rough picture: one colour a latent, by a linear map, enlarged. The map is fitted once to what
   * the decoder makes of a board of random patches, so it suits every autoencoder.
   */
  Image preview(float[] latents, int h, int w) {
    float[] map = previewMap;
    if (map == null) {
      map = fitPreview();
      previewMap = map;
    }
    int channels = config.latentChannels();
    byte[] rgb = new byte[h * w * 3];
    for (int i = 0; i < h * w; i++) {
      for (int c = 0; c < 3; c++) {
        float v = map[c * (channels + 1) + channels];
        for (int k = 0; k < channels; k++) {
          v += map[c * (channels + 1) + k] * latents[k * h * w + i];
        }
        rgb[3 * i + c] = (byte) Math.max(0, Math.min(255, Math.round((v / 2 + 0.5f) * 255)));
      }
    }
    return Resize.resize(
        Image.ofRgb(w, h, rgb), w * config.scale(), h * config.scale(), ResizeFilter.BILINEAR);
  }

  private float[] fitPreview() {
    int side = 16;
    int patch = 4;
    int channels = config.latentChannels();
    int n = channels + 1;
    float[] latents = new float[channels * side * side];
    float[] levels = new TorchGenerator(1).randn(channels * (side / patch) * (side / patch));
    for (int k = 0; k < channels; k++) {
      for (int y = 0; y < side; y++) {
        for (int x = 0; x < side; x++) {
          latents[(k * side + y) * side + x] =
              levels[(k * (side / patch) + y / patch) * (side / patch) + x / patch];
        }
      }
    }
    FloatBuffer picture = raw(latents, side, side, null);
    int scale = config.scale();
    int width = side * scale;
    // Normal equations of the mean colour of each cell.
    double[][] a = new double[n][n + 3];
    for (int y = 0; y < side; y++) {
      for (int x = 0; x < side; x++) {
        double[] row = new double[n];
        for (int k = 0; k < channels; k++) {
          row[k] = latents[(k * side + y) * side + x];
        }
        row[channels] = 1;
        for (int c = 0; c < 3; c++) {
          double sum = 0;
          for (int dy = 0; dy < scale; dy++) {
            for (int dx = 0; dx < scale; dx++) {
              sum += picture.get((c * width + y * scale + dy) * width + x * scale + dx);
            }
          }
          double mean = Math.max(-1, Math.min(1, sum / (scale * scale)));
          for (int i = 0; i < n; i++) {
            a[i][n + c] += row[i] * mean;
          }
        }
        for (int i = 0; i < n; i++) {
          for (int j = 0; j < n; j++) {
            a[i][j] += row[i] * row[j];
          }
        }
      }
    }
    solve(a, n);
    float[] map = new float[3 * n];
    for (int c = 0; c < 3; c++) {
      for (int i = 0; i < n; i++) {
        map[c * n + i] = (float) a[i][n + c];
      }
    }
    return map;
  }

  /** Gauss and Jordan, with a little added to the diagonal so that it always works. */
  private static void solve(double[][] a, int n) {
    for (int i = 0; i < n; i++) {
      a[i][i] += 1e-3;
    }
    for (int i = 0; i < n; i++) {
      double pivot = a[i][i];
      for (int j = 0; j < a[i].length; j++) {
        a[i][j] /= pivot;
      }
      for (int k = 0; k < n; k++) {
        double factor = a[k][i];
        for (int j = 0; k != i && j < a[k].length; j++) {
          a[k][j] -= factor * a[i][j];
        }
      }
    }
  }

  @Override
  public void close() {
    decoder.close();
    encoder.close();
  }
}
