package dev.lmm.tiny;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lmm.Generator;
import dev.lmm.Image;
import dev.lmm.Models;
import dev.lmm.core.json.Json;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Prompts nobody was trained on: colour and background as asked, judged by rules on pixels. The
 * whole measurement, shapes included, is reference/tiny/evaluate_sd.py.
 */
class TinySdTest {
  private static final Json HELD_OUT = Json.parse(Path.of("src/test/resources/heldout/sd.json"));

  @Test
  void makesWhatIsAsked() {
    List<Json> prompts = HELD_OUT.at("prompts").elements();
    assertThat(prompts).hasSize(20);
    int right = 0;
    List<String> wrong = new ArrayList<>();
    try (Generator generator = Models.generator("tiny-sd").load()) {
      for (int i = 0; i < prompts.size(); i++) {
        Json prompt = prompts.get(i);
        Image made =
            generator
                .generate(prompt.stringAt("text"))
                .steps(20)
                .guidance(7.5)
                .seed(i % 10)
                .scheduler("ddim")
                .run()
                .get(0)
                .image();
        assertThat(made.width()).isEqualTo(64);
        int background = nearest(rim(made));
        int colour = nearest(inside(made));
        if (background == prompt.intAt("background") && colour == prompt.intAt("colour")) {
          right++;
        } else {
          wrong.add(prompt.stringAt("text"));
        }
      }
    }
    assertThat(right).as("right of 20; wrong are %s", wrong).isGreaterThanOrEqualTo(18);
  }

  /** The median colour of the picture's rim. */
  private static double[] rim(Image image) {
    List<int[]> pixels = new ArrayList<>();
    for (int y = 0; y < image.height(); y++) {
      for (int x = 0; x < image.width(); x++) {
        if (x < 3 || y < 3 || x >= image.width() - 3 || y >= image.height() - 3) {
          pixels.add(pixel(image, x, y));
        }
      }
    }
    return median(pixels);
  }

  /** The median colour of what stands out from the rim most. */
  private static double[] inside(Image image) {
    double[] rim = rim(image);
    List<int[]> pixels = new ArrayList<>();
    double most = 0;
    for (int pass = 0; pass < 2; pass++) {
      for (int y = 0; y < image.height(); y++) {
        for (int x = 0; x < image.width(); x++) {
          int[] pixel = pixel(image, x, y);
          double off = 0;
          for (int c = 0; c < 3; c++) {
            off += (pixel[c] - rim[c]) * (pixel[c] - rim[c]);
          }
          if (pass == 0) {
            most = Math.max(most, off);
          } else if (off > 0.5 * most) {
            pixels.add(pixel);
          }
        }
      }
    }
    return median(pixels);
  }

  private static int[] pixel(Image image, int x, int y) {
    int at = (y * image.width() + x) * 3;
    return new int[] {
      image.rgb()[at] & 0xFF, image.rgb()[at + 1] & 0xFF, image.rgb()[at + 2] & 0xFF
    };
  }

  private static double[] median(List<int[]> pixels) {
    double[] median = new double[3];
    for (int c = 0; c < 3; c++) {
      int channel = c;
      int[] values = pixels.stream().mapToInt(p -> p[channel]).sorted().toArray();
      median[c] = values[values.length / 2];
    }
    return median;
  }

  private static int nearest(double[] colour) {
    List<Json> colours = HELD_OUT.at("colours").elements();
    int best = 0;
    double least = Double.MAX_VALUE;
    for (int i = 0; i < colours.size(); i++) {
      double[] known = colours.get(i).doubles();
      double off = 0;
      for (int c = 0; c < 3; c++) {
        off += (known[c] - colour[c]) * (known[c] - colour[c]);
      }
      if (off < least) {
        least = off;
        best = i;
      }
    }
    return best;
  }
}
