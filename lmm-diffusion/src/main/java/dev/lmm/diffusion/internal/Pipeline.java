package dev.lmm.diffusion.internal;

import dev.lmm.Cancellation;
import dev.lmm.CancelledException;
import dev.lmm.DenoisingStep;
import dev.lmm.GenerateRequest;
import dev.lmm.GeneratedImage;
import dev.lmm.Image;
import dev.lmm.InvalidRequestException;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.json.Json;
import dev.lmm.core.random.TorchGenerator;
import dev.lmm.diffusion.internal.lora.LoraBranches;
import dev.lmm.diffusion.internal.lora.Loras;
import dev.lmm.diffusion.internal.scheduler.Scheduler;
import dev.lmm.diffusion.internal.scheduler.Schedulers;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * From a request to pictures: text, noise, one step after the other, autoencoder. Random numbers
 * are drawn in diffusers' order. Not thread-safe.
 */
final class Pipeline {
  private static final Logger LOG = LoggerFactory.getLogger(Pipeline.class);
  private static final int STEPS = 50;

  private final Prompts prompts;
  private final Unet unet;
  private final Autoencoder vae;
  private final Loras loras;
  private final OtherAutoencoders others;
  private final @Nullable SafetyChecker checker;
  private final Json schedulerConfig;
  private final String schedulerName;
  private final boolean xl;
  private final String modelName;

  Pipeline(
      Prompts prompts,
      Unet unet,
      Autoencoder vae,
      Loras loras,
      OtherAutoencoders others,
      @Nullable SafetyChecker checker,
      Json schedulerConfig,
      String schedulerName,
      boolean xl,
      String modelName) {
    this.modelName = modelName;
    this.prompts = prompts;
    this.unet = unet;
    this.vae = vae;
    this.loras = loras;
    this.others = others;
    this.checker = checker;
    this.schedulerConfig = schedulerConfig;
    this.schedulerName = schedulerName;
    this.xl = xl;
  }

  /** A picture's own size, each side rounded down to what the autoencoder takes. */
  int[] size(Image image) {
    int scale = vae.scale();
    int width = image.width() / scale * scale;
    int height = image.height() / scale * scale;
    if (width == 0 || height == 0) {
      throw new InvalidRequestException(
          "image: is "
              + image.width()
              + "x"
              + image.height()
              + " pixels; expected at least "
              + scale
              + "x"
              + scale);
    }
    return new int[] {width, height};
  }

  List<GeneratedImage> run(GenerateRequest request) {
    Image image = request.image();
    if (request.mask() != null && image == null) {
      throw new InvalidRequestException("mask: needs a picture to paint in; give it with from()");
    }
    boolean painting = unet.config().inChannels() != vae.channels();
    if (painting && request.mask() == null) {
      throw new InvalidRequestException(
          "mask: is missing; this model was made for painting into pictures");
    }
    int width = request.width();
    int height = request.height();
    if (width == 0) {
      int[] own =
          image == null
              ? new int[] {
                unet.config().sampleSize() * vae.scale(), unet.config().sampleSize() * vae.scale()
              }
              : size(image);
      width = own[0];
      height = own[1];
    }
    if (width % vae.scale() != 0 || height % vae.scale() != 0) {
      throw new InvalidRequestException(
          "size: is " + width + "x" + height + "; expected multiples of " + vae.scale());
    }
    double guidance = Double.isNaN(request.guidance()) ? (xl ? 5.0 : 7.5) : request.guidance();
    Map<String, LoraBranches> adapters = loras.of(request.loras());
    Conditioning conditioning =
        prompts.encode(request, guidance > 1, sizes(width, height), adapters);
    // Loaded now: not after all the steps, if it does not fit.
    others.or(request.decodeBy(), vae);
    others.or(request.previewBy(), vae);
    List<GeneratedImage> images = new ArrayList<>();
    for (int i = 0; i < request.count(); i++) {
      images.add(new Run(request, conditioning, adapters, guidance, width, height, i).picture());
    }
    return images;
  }

  /** SDXL's time ids: original height and width, crop, wanted height and width. */
  private float[] sizes(int width, int height) {
    int each = unet.config().addedTime();
    if (!xl) {
      return new float[0];
    }
    double[] numbers = {height, width, 0, 0, height, width};
    float[] waves = new float[numbers.length * each];
    for (int i = 0; i < numbers.length; i++) {
      System.arraycopy(unet.waves(numbers[i], each), 0, waves, i * each, each);
    }
    return waves;
  }

  /** One picture of a request. */
  private final class Run {
    private final GenerateRequest request;
    private final Conditioning conditioning;
    private final LoraBranches adapters;
    private final double guidance;
    private final int width;
    private final int height;
    private final int index;
    private final int h;
    private final int w;
    private final int size;
    private final TorchGenerator random;
    private final @Nullable Cancellation cancellation;
    private final String name;
    private final int steps;

    private float[] latents = {};

    /** What is painted into, for masks: the clean latents, their noise, where to paint. */
    private float @Nullable [] kept;

    private float[] noise = {};
    private float[] mask = {};

    /** Mask and masked picture as further channels of the UNet's input. */
    private float @Nullable [] paintChannels;

    Run(
        GenerateRequest request,
        Conditioning conditioning,
        Map<String, LoraBranches> adapters,
        double guidance,
        int width,
        int height,
        int index) {
      this.request = request;
      this.conditioning = conditioning;
      this.adapters = adapters.getOrDefault("unet", LoraBranches.NONE);
      this.guidance = guidance;
      this.width = width;
      this.height = height;
      this.index = index;
      this.h = height / vae.scale();
      this.w = width / vae.scale();
      this.size = vae.channels() * h * w;
      this.random = new TorchGenerator(request.seed() + index);
      this.cancellation = request.cancellation();
      this.name = request.scheduler() == null ? schedulerName : request.scheduler();
      this.steps = request.steps() < 0 ? STEPS : request.steps();
    }

    GeneratedImage picture() {
      Scheduler scheduler =
          Schedulers.of(schedulerConfig, name, request.sigmas(), steps, request.seed() + index);
      int begin = start(scheduler);
      for (int call = begin; call < scheduler.calls(); call++) {
        check();
        float[] output = predict(scheduler, call);
        latents = scheduler.step(output, call, latents, random);
        if (kept != null) {
          keep(scheduler, call);
        }
        tell(scheduler, call - begin, scheduler.calls() - begin, call);
      }
      check();
      Image image = decode(latents);
      boolean withheld = checker != null && request.safetyChecker() && checker.withholds(image);
      if (withheld) {
        LOG.warn(
            "The safety checker may have seen something not safe for all in the picture of seed {};"
                + " it is withheld, and a black one returned. Try another prompt or seed, or turn"
                + " the checker off with safetyChecker(false)",
            request.seed() + index);
        image = Image.ofRgb(width, height, new byte[3 * width * height]);
      }
      return new GeneratedImage(image, request.seed() + index, name, steps, parameters(), withheld);
    }

    /** The request with what was chosen for it, to be written into files. */
    private String parameters() {
      return request
          .steps(steps)
          .guidance(guidance)
          .scheduler(name)
          .size(width, height)
          .seed(request.seed() + index)
          .parameters(modelName);
    }

    private void check() {
      if (cancellation != null) {
        cancellation.check();
      }
      if (Thread.currentThread().isInterrupted()) {
        throw new CancelledException(
            "The run was stopped: thread " + Thread.currentThread().getName() + " was interrupted");
      }
    }

    /** The first latents; returns the first call. */
    private int start(Scheduler scheduler) {
      Image image = request.image();
      if (image == null) {
        latents = scaled(firstNoise(), scheduler.initialNoise());
        return 0;
      }
      int taken = Math.min((int) (steps * request.strength()), steps);
      int begin = (steps - taken) * scheduler.order();
      if (taken < 1) {
        throw new InvalidRequestException(
            "strength: "
                + request.strength()
                + " of "
                + steps
                + " steps leaves none; expected at least one");
      }
      float[] planes = Pictures.planes(image, width, height);
      Image drawn = request.mask();
      boolean fresh = drawn != null && request.strength() == 1;
      // A UNet made for painting needs no latents of a picture it does not start from: not drawn.
      float[] clean =
          fresh && unet.config().inChannels() != vae.channels()
              ? new float[0]
              : vae.encode(planes, height, width, random, work(request.vaeTiling()));
      noise = firstNoise();
      latents =
          fresh ? scaled(noise, scheduler.initialNoise()) : scheduler.addNoise(clean, noise, begin);
      if (drawn != null) {
        paint(drawn, planes, clean);
      }
      return begin;
    }

    private float[] firstNoise() {
      float[] own = random.randn(size);
      double share = request.variationStrength();
      return share == 0
          ? own
          : Noise.between(own, new TorchGenerator(request.variationSeed()).randn(size), share);
    }

    private void paint(Image drawn, float[] planes, float[] clean) {
      float[] full = Pictures.mask(drawn, width, height);
      float[] small = Pictures.latentMask(full, width, height, vae.scale());
      float[] masked = new float[planes.length];
      for (int i = 0; i < masked.length; i++) {
        masked[i] = full[i % full.length] < 0.5f ? planes[i] : 0;
      }
      // Drawn from the posterior by both kinds of pipelines, though one does not use it.
      float[] maskedLatents = vae.encode(masked, height, width, random, work(request.vaeTiling()));
      if (unet.config().inChannels() == vae.channels()) {
        kept = clean;
        mask = small;
        return;
      }
      float[] channels = new float[small.length + maskedLatents.length];
      System.arraycopy(small, 0, channels, 0, small.length);
      System.arraycopy(maskedLatents, 0, channels, small.length, maskedLatents.length);
      paintChannels = channels;
    }

    /** Puts the picture back, as noisy as the next call expects, where nothing is painted. */
    private void keep(Scheduler scheduler, int call) {
      float[] back = scheduler.addNoise(kept == null ? latents : kept, noise, call + 1);
      for (int i = 0; i < latents.length; i++) {
        float m = mask[i % mask.length];
        latents[i] = (1 - m) * back[i] + m * latents[i];
      }
    }

    private float[] predict(Scheduler scheduler, int call) {
      boolean guided = conditioning.guided();
      int rows = guided ? 2 : 1;
      float[] input = scaled(latents, scheduler.inputScale(call));
      float[] more = paintChannels == null ? new float[0] : paintChannels;
      int row = input.length + more.length;
      float[] batch = new float[rows * row];
      for (int i = 0; i < rows; i++) {
        System.arraycopy(input, 0, batch, i * row, input.length);
        System.arraycopy(more, 0, batch, i * row + input.length, more.length);
      }
      float[] output =
          unet.predict(
              Tensor.of(batch, rows, row / (h * w), h, w),
              scheduler.timestep(call),
              conditioning.context(),
              conditioning.added(),
              adapters,
              cancellation);
      return guided ? guide(output) : output;
    }

    private float[] guide(float[] both) {
      float[] guided = new float[size];
      float g = (float) guidance;
      for (int i = 0; i < size; i++) {
        guided[i] = both[i] + g * (both[size + i] - both[i]);
      }
      if (request.guidanceRescale() > 0) {
        double ratio = deviation(both, size) / deviation(guided, 0);
        double share = request.guidanceRescale();
        return scaled(guided, share * ratio + 1 - share);
      }
      return guided;
    }

    private double deviation(float[] values, int from) {
      double sum = 0;
      double squares = 0;
      for (int i = from; i < from + size; i++) {
        sum += values[i];
        squares += (double) values[i] * values[i];
      }
      double mean = sum / size;
      return Math.sqrt((squares - sum * mean) / (size - 1));
    }

    private void tell(Scheduler scheduler, int done, int count, int call) {
      if (request.listener() == null) {
        return;
      }
      float[] now = latents.clone();
      request
          .listener()
          .accept(
              new DenoisingStep(
                  index,
                  done,
                  count,
                  scheduler.timestep(call),
                  () -> preview(now),
                  () -> decode(now)));
    }

    private Image decode(float[] from) {
      return others.or(request.decodeBy(), vae).decode(from, h, w, work(request.vaeTiling()));
    }

    private Autoencoder.Work work(boolean tiled) {
      return new Autoencoder.Work(tiled, request.vaeRescue(), cancellation);
    }

    private Image preview(float[] from) {
      return request.previewBy() == null
          ? vae.preview(from, h, w, work(false))
          : others.or(request.previewBy(), vae).decode(from, h, w, work(false));
    }

    private float[] scaled(float[] values, double factor) {
      float f = (float) factor;
      float[] out = new float[values.length];
      for (int i = 0; i < out.length; i++) {
        out[i] = values[i] * f;
      }
      return out;
    }
  }
}
