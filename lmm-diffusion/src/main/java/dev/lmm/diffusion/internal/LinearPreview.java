package dev.lmm.diffusion.internal;

import dev.lmm.Image;
import dev.lmm.core.random.TorchGenerator;
import dev.lmm.core.vision.Resize;
import dev.lmm.core.vision.ResizeFilter;
import java.nio.FloatBuffer;
import org.jspecify.annotations.Nullable;

/** Rough pictures of latents by a linear map. Not thread-safe. */
final class LinearPreview {
  /** Makes planes of colours, about -1 to 1, of latents [channels, h, w]. */
  @FunctionalInterface
  interface Decoder {
    FloatBuffer decode(float[] latents, int h, int w);
  }

  private final int channels;
  private final int scale;
  private float @Nullable [] map;

  LinearPreview(int channels, int scale) {
    this.channels = channels;
    this.scale = scale;
  }

  /**
   * A rough picture: one colour a latent, by a linear map, enlarged. The map is fitted once to what
   * the decoder makes of a board of random patches, so it suits every autoencoder.
   */
  Image of(float[] latents, int h, int w, Decoder decoder) {
    float[] fitted = map;
    if (fitted == null) {
      fitted = fit(decoder);
      map = fitted;
    }
    byte[] rgb = new byte[h * w * 3];
    for (int i = 0; i < h * w; i++) {
      for (int c = 0; c < 3; c++) {
        float v = fitted[c * (channels + 1) + channels];
        for (int k = 0; k < channels; k++) {
          v += fitted[c * (channels + 1) + k] * latents[k * h * w + i];
        }
        rgb[3 * i + c] = (byte) Math.max(0, Math.min(255, Math.round((v / 2 + 0.5f) * 255)));
      }
    }
    return Resize.resize(Image.ofRgb(w, h, rgb), w * scale, h * scale, ResizeFilter.BILINEAR);
  }

  private float[] fit(Decoder decoder) {
    int side = 16;
    int patch = 4;
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
    FloatBuffer picture = decoder.decode(latents, side, side);
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
    float[] fitted = new float[3 * n];
    for (int c = 0; c < 3; c++) {
      for (int i = 0; i < n; i++) {
        fitted[c * n + i] = (float) a[i][n + c];
      }
    }
    return fitted;
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
}
