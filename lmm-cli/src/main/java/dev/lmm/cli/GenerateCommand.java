package dev.lmm.cli;

import dev.lmm.Check;
import dev.lmm.DenoisingStep;
import dev.lmm.GenerateRequest;
import dev.lmm.GeneratedImage;
import dev.lmm.Image;
import dev.lmm.ImageException;
import dev.lmm.Model;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code lmm generate}. */
@Command(name = "generate", description = "Makes pictures from text, or from a picture and text.")
final class GenerateCommand extends ModelCommand {
  @Option(names = "--prompt", paramLabel = "TEXT", description = "What it shows.")
  @Nullable String prompt;

  @Option(
      names = "--again",
      paramLabel = "FILE",
      description = "The request of a PNG file made before, instead of a prompt.")
  @Nullable String again;

  @Option(names = "--negative", paramLabel = "TEXT", description = "What it must not show.")
  @Nullable String negative;

  @Option(names = "--steps", description = "Denoising steps; 50 by default.")
  @Nullable Integer steps;

  @Option(names = "--guidance", description = "How strictly the prompt is followed.")
  @Nullable Double guidance;

  @Option(names = "--guidance-rescale", description = "Tames strong guidance; 0 to 1.")
  @Nullable Double guidanceRescale;

  @Option(names = "--seed", description = "0 by default.")
  @Nullable Long seed;

  @Option(names = "--scheduler", paramLabel = "NAME", description = "The model's own by default.")
  @Nullable String scheduler;

  @Option(names = "--sigmas", description = "karras, exponential or beta.")
  @Nullable String sigmas;

  @Option(names = "--width", description = "In pixels.")
  int width;

  @Option(names = "--height", description = "In pixels.")
  int height;

  @Option(names = "--count", description = "How many; with seeds K, K+1, and so on.")
  int count = 1;

  @Option(names = "--clip-skip", description = "Last layers of the text tower left out.")
  @Nullable Integer clipSkip;

  @Option(names = "--init-image", paramLabel = "FILE", description = "A picture to start from.")
  @Nullable String initImage;

  @Option(names = "--strength", description = "How much of it is redrawn, 0 to 1.")
  @Nullable Double strength;

  @Option(
      names = "--mask",
      paramLabel = "FILE",
      description = "White where the start picture is redrawn.")
  @Nullable String mask;

  @Option(
      names = "--lora",
      paramLabel = "FILE[:SCALE]",
      description = "An adapter (LoRA) and how strongly it acts, 1 by default; repeat for several.")
  List<String> loras = new ArrayList<>();

  @Option(
      names = "--embedding",
      paramLabel = "WORD=FILE",
      description = "A word of the prompts that stands for learned vectors; repeat for several.")
  Map<String, String> embeddings = new LinkedHashMap<>();

  @Option(names = "--long-prompts", description = "Reads all of a prompt, 75 tokens at a time.")
  boolean longPrompts;

  @Option(names = "--prompt-weights", description = "Reads (word:1.3) and [word] as weights.")
  boolean promptWeights;

  @Option(names = "--no-safety-checker", description = "The model's own is not asked.")
  boolean noSafetyChecker;

  @Option(names = "--vae-tiling", description = "Decodes large pictures in tiles: less memory.")
  boolean vaeTiling;

  @Option(
      names = "--preview-by",
      paramLabel = "DIR",
      description = "A tiny autoencoder that makes the previews.")
  @Nullable String previewBy;

  @Option(
      names = "--decode-by",
      paramLabel = "DIR",
      description = "A tiny autoencoder that decodes the picture.")
  @Nullable String decodeBy;

  @Option(names = "--previews", paramLabel = "DIR", description = "Takes a picture of each step.")
  @Nullable String previews;

  @Option(
      names = "--out",
      paramLabel = "FILE",
      required = true,
      description = "A PNG or JPEG file.")
  String out = "";

  @Override
  public Integer call() {
    if ((prompt == null) == (again == null)) {
      throw wrong("expected one of --prompt and --again");
    }
    if ((width == 0) != (height == 0)) {
      throw wrong("--width and --height belong together");
    }
    if ((strength != null || mask != null) && initImage == null && again == null) {
      throw wrong("--strength and --mask need --init-image");
    }
    Path target = path(out);
    try (Model loaded = load()) {
      warnOfRandomWeights(loaded.info());
      List<Map<String, Object>> images = new ArrayList<>();
      for (GeneratedImage made : request(loaded).run()) {
        Path file = count == 1 ? target : numbered(target, made.seed());
        made.save(file);
        Map<String, Object> image = new LinkedHashMap<>();
        image.put("file", file.toString());
        image.put("seed", made.seed());
        image.put("width", made.image().width());
        image.put("height", made.image().height());
        image.put("scheduler", made.scheduler());
        image.put("steps", made.steps());
        if (made.withheld()) {
          image.put("withheld", true);
        }
        images.add(image);
      }
      Map<String, Object> document = document(loaded.info());
      document.put("images", images);
      return print(
          document, () -> images.forEach(image -> output().line(image.get("file").toString())));
    }
  }

  private GenerateRequest request(Model loaded) {
    GenerateRequest request =
        again == null
            ? loaded.generator().generate(Check.notNull(prompt, "prompt"))
            : loaded.generator().again(path(again));
    request = request.count(count);
    request = seed == null ? request : request.seed(seed);
    request = clipSkip == null ? request : request.clipSkip(clipSkip);
    request = negative == null ? request : request.negative(negative);
    request = steps == null ? request : request.steps(steps);
    request = guidance == null ? request : request.guidance(guidance);
    request = guidanceRescale == null ? request : request.guidanceRescale(guidanceRescale);
    request = scheduler == null ? request : request.scheduler(scheduler);
    request = sigmas == null ? request : request.sigmas(sigmas);
    request = width == 0 ? request : request.size(width, height);
    request = strength == null ? request : request.strength(strength);
    request = initImage == null ? request : request.from(Image.read(path(initImage)));
    request = mask == null ? request : request.mask(Image.read(path(mask)));
    request = longPrompts ? request.longPrompts(true) : request;
    request = promptWeights ? request.promptWeights(true) : request;
    request = noSafetyChecker ? request.safetyChecker(false) : request;
    request = vaeTiling ? request.vaeTiling(true) : request;
    request = previewBy == null ? request : request.previewBy(path(previewBy));
    request = decodeBy == null ? request : request.decodeBy(path(decodeBy));
    for (Map.Entry<String, String> embedding : embeddings.entrySet()) {
      request = request.textualInversion(embedding.getKey(), path(embedding.getValue()));
    }
    for (String lora : loras) {
      request = adapted(request, lora);
    }
    return previews == null ? request : request.onStep(this::step);
  }

  /** What follows the last colon is a scale if it is a number. */
  private GenerateRequest adapted(GenerateRequest request, String lora) {
    int colon = lora.lastIndexOf(':');
    if (colon > 0) {
      try {
        double scale = Double.parseDouble(lora.substring(colon + 1));
        return request.lora(path(lora.substring(0, colon)), scale);
      } catch (NumberFormatException e) {
        // Part of the file's name.
      }
    }
    return request.lora(path(lora));
  }

  private void step(DenoisingStep step) {
    Path folder = path(Check.notNull(previews, "previews"));
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw new ImageException(folder + ": cannot be made: " + e.getMessage(), e);
    }
    String name =
        String.format(Locale.ROOT, "%03d-step-%03d.png", step.picture() + 1, step.index() + 1);
    step.preview().save(folder.resolve(name));
  }

  private static Path numbered(Path target, long seed) {
    String name = target.getFileName().toString();
    int dot = name.lastIndexOf('.');
    String numbered =
        dot < 0 ? name + "-" + seed : name.substring(0, dot) + "-" + seed + name.substring(dot);
    return target.resolveSibling(numbered);
  }
}
