package dev.lmm.bench;

import dev.lmm.CaptionRequest;
import dev.lmm.Captioner;
import dev.lmm.Encoder;
import dev.lmm.Image;
import dev.lmm.Model;
import dev.lmm.Models;
import dev.lmm.Quantization;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Random;

/**
 * The Java side of {@code reference/bench_blip2.py}: for each line it reads, {@code image}, {@code
 * greedy N} or {@code beams N}, it embeds a picture or writes N tokens about it, and answers with
 * the milliseconds it took.
 *
 * <p>Arguments: a folder with config and tokenizer, and the number of threads. Weights are random.
 * The system property {@code engine} names the engine, {@code onnx} by default, and {@code
 * precision} the precision of the language model, {@code AUTO} by default, {@code block} how many
 * weights share a scale.
 */
public final class Blip2Peer {
  private Blip2Peer() {}

  /**
   * Serves until its input ends.
   *
   * @param args folder, threads
   * @throws IOException if a request cannot be read
   */
  public static void main(String[] args) throws IOException {
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    byte[] rgb = new byte[224 * 224 * 3];
    new Random(1).nextBytes(rgb);
    Image image = Image.ofRgb(224, 224, rgb);
    try (Model model =
        Models.model(args[0])
            .engine(System.getProperty("engine", "onnx"))
            .precision("language", ClipPeer.precision())
            .quantization(Quantization.DEFAULT.withBlock(Integer.getInteger("block", 32)))
            .threads(Integer.parseInt(args[1]))
            .randomWeights(1)
            .load()) {
      Encoder encoder = model.encoder();
      Captioner captioner = model.captioner();
      out.println("ready");
      BufferedReader in =
          new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
      for (String line; (line = in.readLine()) != null; ) {
        String[] request = line.split(" ", -1);
        long start = System.nanoTime();
        if (request[0].equals("image")) {
          encoder.images(List.of(image)).run();
        } else {
          int tokens = Integer.parseInt(request[1]);
          CaptionRequest caption = captioner.caption(image).minTokens(tokens).maxTokens(tokens);
          int beams = request[0].equals("beams") ? 5 : 1;
          int written = caption.beams(beams).run().tokens().size();
          if (written != tokens) {
            throw new IllegalStateException("wrote " + written + " tokens, not " + tokens);
          }
        }
        out.printf(Locale.ROOT, "%.4f%n", (System.nanoTime() - start) / 1e6);
      }
    }
  }
}
