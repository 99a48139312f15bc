package dev.lmm.diffusion.internal;

import dev.lmm.Cancellation;
import dev.lmm.Image;
import dev.lmm.InvalidRequestException;
import dev.lmm.core.engine.WeightStore;
import dev.lmm.core.family.LoadContext;
import dev.lmm.core.family.Summaries;
import dev.lmm.core.graph.WeightUsage;
import dev.lmm.core.json.Json;
import dev.lmm.core.random.TorchGenerator;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Pictures to latents as the UNet knows them, and back. Not thread-safe. */
final class Autoencoder implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Autoencoder.class);

  /**
   * How one picture is worked on.
   *
   * @param tiled whether large pictures are cut into overlapping tiles
   * @param mayRescue whether single precision may take the place of one that overflows
   * @param cancellation stops it
   */
  record Work(boolean tiled, boolean mayRescue, @Nullable Cancellation cancellation) {}

  private final Codec codec;
  private final Coder decoder;
  private final Coder encoder;
  private final Summaries.Part encoderPart;
  private final Summaries.Part decoderPart;
  private final LinearPreview preview;

  private Autoencoder(
      Codec codec,
      Coder decoder,
      Coder encoder,
      Summaries.Part encoderPart,
      Summaries.Part decoderPart) {
    this.codec = codec;
    this.decoder = decoder;
    this.encoder = encoder;
    this.encoderPart = encoderPart;
    this.decoderPart = decoderPart;
    this.preview = new LinearPreview(codec.latentChannels(), codec.scale());
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
        new Coder(
            context,
            weights,
            "The autoencoder's decoder",
            "latents",
            (h, w) -> codec.decoder(new WeightUsage(weights, file.toString()), h, w)),
        new Coder(
            context,
            weights,
            "The autoencoder's encoder",
            "picture",
            (h, w) -> codec.encoder(new WeightUsage(weights, file.toString()), h, w)),
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
   */
  Image decode(float[] latents, int h, int w, Work work) {
    Planes planes = raw(latents, h, w, work);
    if (isBlack(planes.floats()) && decoder.isNarrow() && work.mayRescue()) {
      decoder.rescue("The autoencoder's decoder made a picture that is black everywhere");
      planes = raw(latents, h, w, work);
    }
    if (isBlack(planes.floats())) {
      LOG.warn("The picture is black everywhere");
    }
    return image(planes.floats(), planes.height(), planes.width());
  }

  private Planes raw(float[] latents, int h, int w, Work work) {
    float[] scaled = new float[latents.length];
    float factor = (float) codec.scalingFactor();
    float shift = (float) codec.shiftFactor();
    for (int i = 0; i < scaled.length; i++) {
      scaled[i] = latents[i] / factor + shift;
    }
    Planes z = new Planes(FloatBuffer.wrap(scaled), codec.latentChannels(), h, w);
    Tiling.Step step = tile -> decoder.run(tile, work.mayRescue(), work.cancellation());
    int size = codec.tileSize();
    return work.tiled() && size > 0 && Math.max(h, w) > size / codec.scale()
        ? Tiling.run(z, size / codec.scale(), size, step)
        : step.of(z);
  }

  /** Whether every value rounds to the level 0. */
  private static boolean isBlack(FloatBuffer planes) {
    for (int i = planes.position(); i < planes.limit(); i++) {
      if (level(planes.get(i)) != 0) {
        return false;
      }
    }
    return true;
  }

  private static int level(float value) {
    return (int) Math.rint(Math.max(0, Math.min(1, value / 2 + 0.5f)) * 255f);
  }

  private static Image image(FloatBuffer planes, int height, int width) {
    int pixels = height * width;
    byte[] rgb = new byte[pixels * 3];
    for (int c = 0; c < 3; c++) {
      for (int i = 0; i < pixels; i++) {
        rgb[3 * i + c] = (byte) level(planes.get(c * pixels + i));
      }
    }
    return Image.ofRgb(width, height, rgb);
  }

  /**
   * A picture to latents, drawn from the posterior if there is one.
   *
   * @param planes [3, height, width], -1 to 1
   * @return [channels, height / scale, width / scale]
   */
  float[] encode(float[] planes, int height, int width, TorchGenerator random, Work work) {
    Planes x = new Planes(FloatBuffer.wrap(planes), 3, height, width);
    Tiling.Step step = tile -> encoder.run(tile, work.mayRescue(), work.cancellation());
    int size = codec.tileSize();
    Planes encoded =
        work.tiled() && size > 0 && Math.max(height, width) > size
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
  Image preview(float[] latents, int h, int w, Work work) {
    return preview.of(latents, h, w, (board, a, b) -> raw(board, a, b, work).floats());
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
