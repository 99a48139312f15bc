package dev.lmm.bench;

import dev.lmm.Encoder;
import dev.lmm.Image;
import dev.lmm.Precision;
import dev.lmm.clip.Clip;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Random;

/**
 * The Java side of {@code reference/bench_clip.py}: does one encoding for each line it reads,
 * {@code image N} or {@code text N}, and answers with the milliseconds it took. The other side does
 * the same work in between, so that both meet the same machine.
 *
 * <p>Arguments: the checkpoint's folder, and optionally the number of threads and {@code mapped}.
 * The system property {@code engine} names the engine, {@code onnx} by default, and {@code
 * precision} the precision of both towers, {@code AUTO} by default.
 */
public final class ClipPeer {
  private ClipPeer() {}

  /**
   * Serves until its input ends.
   *
   * @param args folder, threads, mode
   * @throws IOException if a request cannot be read
   */
  public static void main(String[] args) throws IOException {
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    var load = Clip.from(Path.of(args[0])).engine(System.getProperty("engine", "onnx"));
    load = load.precision(precision()).precision("vision", precision());
    if (args.length > 1) {
      load = load.threads(Integer.parseInt(args[1]));
    }
    if (args.length > 2 && args[2].equals("mapped")) {
      load = load.mapped();
    }
    byte[] rgb = new byte[224 * 224 * 3];
    new Random(1).nextBytes(rgb);
    Image image = Image.ofRgb(224, 224, rgb);
    String text = "a photo of a cat and a dog ".repeat(20); // cut at the longest, 77 tokens
    long begin = System.nanoTime();
    try (Encoder clip = load.load()) {
      clip.embed(image);
      out.printf(Locale.ROOT, "ready %.3f%n", (System.nanoTime() - begin) / 1e6);
      BufferedReader in =
          new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
      for (String line; (line = in.readLine()) != null; ) {
        String[] request = line.split(" ", -1);
        int count = Integer.parseInt(request[1]);
        List<Image> images = Collections.nCopies(count, image);
        List<String> texts = Collections.nCopies(count, text);
        long start = System.nanoTime();
        if (request[0].equals("image")) {
          clip.images(images).batchSize(count).run();
        } else {
          clip.texts(texts).batchSize(count).run();
        }
        out.printf(Locale.ROOT, "%.4f%n", (System.nanoTime() - start) / 1e6);
      }
    }
  }

  /** What is asked for by the system property {@code precision}. */
  static Precision precision() {
    return Precision.valueOf(System.getProperty("precision", "auto").toUpperCase(Locale.ROOT));
  }
}
