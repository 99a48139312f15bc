package dev.lmm.diffusion.internal;

import dev.lmm.Cancellation;
import dev.lmm.Image;
import dev.lmm.InvalidRequestException;
import dev.lmm.LmmException;
import dev.lmm.core.engine.Program;
import dev.lmm.core.engine.RunOptions;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.engine.WeightStore;
import dev.lmm.core.family.LoadContext;
import dev.lmm.core.family.Summaries;
import dev.lmm.core.graph.WeightUsage;
import dev.lmm.core.json.Json;
import dev.lmm.core.random.TorchGenerator;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Pictures to latents as the UNet knows them, and back. Not thread-safe. */
final class Autoencoder implements AutoCloseable {
  /** What a program is compiled for. */
  private record Size(int height, int width) {}

  private final Codec codec;
  private final KeptProgram<Size> decoder;
  private final KeptProgram<Size> encoder;
  private final Summaries.Part encoderPart;
  private final Summaries.Part decoderPart;
  private final LinearPreview preview;

  private Autoencoder(
      Codec codec,
      KeptProgram<Size> decoder,
      KeptProgram<Size> encoder,
      Summaries.Part encoderPart,
      Summaries.Part decoderPart) {
    this.codec = codec;
    this.decoder = decoder;
    this.encoder = encoder;
    this.encoderPart = encoderPart;
    this.decoderPart = decoderPart;
    this.preview =
        new LinearPreview(
            codec.latentChannels(),
            codec.scale(),
            (latents, h, w) -> raw(latents, h, w, false, null).floats());
  }

  /**
   * Loads an autoencoder.
   *
   * @param folder with its config and weights
   * @param latentSize the usual width and height of latents
   */
  static Autoencoder load(LoadContext context, Path folder, int latentSize) {
    Path file = folder.resolve("config.json");
    Codec codec = Codec.of(Json.parse(file));
    WeightStore weights = context.files().open(folder);
    WeightUsage usage = new WeightUsage(weights, file.toString());
    int pixels = latentSize * codec.scale();
    var decoderGraph = codec.decoder(usage, latentSize, latentSize);
    var encoderGraph = codec.encoder(usage, pixels, pixels);
    usage.requireAllRead(name -> false);
    return new Autoencoder(
        codec,
        new KeptProgram<>(
            size ->
                context.compile(
                    "vae",
                    codec.decoder(
                        new WeightUsage(weights, file.toString()), size.height(), size.width()),
                    weights)),
        new KeptProgram<>(
            size ->
                context.compile(
                    "vae",
                    codec.encoder(
                        new WeightUsage(weights, file.toString()), size.height(), size.width()),
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
    return codec.scale();
  }

  int channels() {
    return codec.latentChannels();
  }

  /**
   * Latents to a picture.
   *
   * @param latents [channels, h, w], as the UNet knows them
   * @param tiled whether large pictures are decoded in overlapping tiles
   */
  Image decode(float[] latents, int h, int w, boolean tiled, @Nullable Cancellation cancellation) {
    Planes planes = raw(latents, h, w, tiled, cancellation);
    return image(planes.floats(), planes.height(), planes.width());
  }

  private Planes raw(
      float[] latents, int h, int w, boolean tiled, @Nullable Cancellation cancellation) {
    float[] scaled = new float[latents.length];
    float factor = (float) codec.scalingFactor();
    float shift = (float) codec.shiftFactor();
    for (int i = 0; i < scaled.length; i++) {
      scaled[i] = latents[i] / factor + shift;
    }
    Planes z = new Planes(FloatBuffer.wrap(scaled), codec.latentChannels(), h, w);
    Tiling.Step step = tile -> run(decoder, "latents", tile, cancellation);
    int size = codec.tileSize();
    return tiled && size > 0 && Math.max(h, w) > size / codec.scale()
        ? Tiling.run(z, size / codec.scale(), size, step)
        : step.of(z);
  }

  private static Planes run(
      KeptProgram<Size> programs, String input, Planes x, @Nullable Cancellation cancellation) {
    Program program = programs.of(new Size(x.height(), x.width()));
    Map<String, Tensor> outputs =
        program.run(Map.of(input, x.tensor()), Set.of(), RunOptions.cancelledBy(cancellation));
    return Planes.of(outputs.values().iterator().next());
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
   * A picture to latents, drawn from the posterior if there is one.
   *
   * @param planes [3, height, width], -1 to 1
   * @param tiled whether large pictures are encoded in overlapping tiles
   * @return [channels, height / scale, width / scale]
   */
  float[] encode(
      float[] planes,
      int height,
      int width,
      boolean tiled,
      TorchGenerator random,
      @Nullable Cancellation cancellation) {
    Planes x = new Planes(FloatBuffer.wrap(planes), 3, height, width);
    Tiling.Step step = tile -> run(encoder, "picture", tile, cancellation);
    int size = codec.tileSize();
    Planes encoded =
        tiled && size > 0 && Math.max(height, width) > size
            ? Tiling.run(x, size, size / codec.scale(), step)
            : step.of(x);
    float[] made = new float[encoded.floats().remaining()];
    encoded.floats().duplicate().get(made);
    float[] latents = codec.isDrawn() ? drawn(made, random) : made;
    float factor = (float) codec.scalingFactor();
    float shift = (float) codec.shiftFactor();
    for (int i = 0; i < latents.length; i++) {
      latents[i] = (latents[i] - shift) * factor;
    }
    return latents;
  }

  private static float[] drawn(float[] moments, TorchGenerator random) {
    int n = moments.length / 2;
    float[] noise = random.randn(n);
    float[] latents = new float[n];
    for (int i = 0; i < n; i++) {
      float deviation = (float) Math.exp(0.5f * Math.max(-30, Math.min(20, moments[n + i])));
      latents[i] = moments[i] + deviation * noise[i];
    }
    return latents;
  }

  /** A rough picture by a linear map. */
  Image preview(float[] latents, int h, int w) {
    return preview.of(latents, h, w);
  }

  /** Fails if latents of another autoencoder cannot be decoded by this one. */
  void requireLike(Autoencoder other, Path folder) {
    if (channels() != other.channels() || scale() != other.scale()) {
      throw new InvalidRequestException(
          folder
              + ": its latents have "
              + channels()
              + " channels and stand for "
              + scale()
              + " pixels a side; the model's have "
              + other.channels()
              + " and stand for "
              + other.scale()
              + ". An autoencoder for another model?");
    }
  }

  @Override
  public void close() {
    decoder.close();
    encoder.close();
  }
}
