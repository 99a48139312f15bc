package dev.lmm.spring.ai;

import dev.lmm.Check;
import dev.lmm.GenerateRequest;
import dev.lmm.GeneratedImage;
import dev.lmm.Generator;
import dev.lmm.InvalidRequestException;
import java.net.URI;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.springframework.ai.content.Media;
import org.springframework.ai.image.Image;
import org.springframework.ai.image.ImageGeneration;
import org.springframework.ai.image.ImageMessage;
import org.springframework.ai.image.ImageModel;
import org.springframework.ai.image.ImageOptions;
import org.springframework.ai.image.ImagePrompt;
import org.springframework.ai.image.ImageResponse;

/**
 * Makes pictures of texts, and of a text and a picture: Stable Diffusion. Pictures are PNGs in
 * base64, with prompt and settings inside. A message of negative weight tells what not to draw.
 * Thread-safe.
 */
public final class LmmImageModel implements ImageModel {
  private final Generator generator;
  private final UnaryOperator<GenerateRequest> options;
  private final Function<URI, dev.lmm.Image> imageLoader;

  /**
   * The model of a generator with its own defaults.
   *
   * @param generator stays the caller's to close
   */
  public LmmImageModel(Generator generator) {
    this(generator, request -> request);
  }

  /**
   * The model of a generator.
   *
   * @param generator stays the caller's to close
   * @param options sets what Spring AI's options lack: {@code r -> r.steps(25).seed(7)}
   */
  public LmmImageModel(Generator generator, UnaryOperator<GenerateRequest> options) {
    this(generator, options, Pictures.LOCAL);
  }

  /**
   * The model of a generator.
   *
   * @param generator stays the caller's to close
   * @param options sets what Spring AI's options lack: {@code r -> r.steps(25).seed(7)}
   * @param imageLoader reads pictures that are given by address
   */
  public LmmImageModel(
      Generator generator,
      UnaryOperator<GenerateRequest> options,
      Function<URI, dev.lmm.Image> imageLoader) {
    this.generator = Check.notNull(generator, "generator");
    this.options = Check.notNull(options, "options");
    this.imageLoader = Check.notNull(imageLoader, "imageLoader");
  }

  @Override
  public ImageResponse call(ImagePrompt prompt) {
    List<ImageGeneration> made = new ArrayList<>();
    for (GeneratedImage image : request(prompt).run()) {
      String base64 = Base64.getEncoder().encodeToString(image.png());
      made.add(new ImageGeneration(new Image(null, base64)));
    }
    return new ImageResponse(made);
  }

  private GenerateRequest request(ImagePrompt prompt) {
    List<String> wanted = new ArrayList<>();
    List<String> unwanted = new ArrayList<>();
    List<Media> pictures = new ArrayList<>();
    for (ImageMessage message : prompt.getInstructions()) {
      Float weight = message.getWeight();
      (weight != null && weight < 0 ? unwanted : wanted).add(message.getText());
      pictures.addAll(message.getMedia());
    }
    GenerateRequest request = options.apply(generator.generate(String.join(", ", wanted)));
    if (!unwanted.isEmpty()) {
      request = request.negative(String.join(", ", unwanted));
    }
    Check.that(
        pictures.size() <= 1,
        "media: has " + pictures.size() + " pictures; expected at most one, to begin with");
    if (!pictures.isEmpty()) {
      request = request.from(Pictures.from(pictures.get(0), imageLoader));
    }
    return with(request, prompt.getOptions());
  }

  private GenerateRequest with(GenerateRequest request, @Nullable ImageOptions options) {
    if (options == null) {
      return request;
    }
    String id = generator.info().id();
    refuse(
        options.getModel() != null && !options.getModel().equals(id),
        "model " + options.getModel() + " (this model is " + id + ")");
    refuse(
        options.getResponseFormat() != null && !options.getResponseFormat().equals("b64_json"),
        "responseFormat " + options.getResponseFormat() + " (pictures come as b64_json)");
    refuse(options.getStyle() != null, "style (say it in the prompt)");
    refuse(
        (options.getWidth() == null) != (options.getHeight() == null),
        "a width without a height, or a height without a width,");
    GenerateRequest all = request;
    if (options.getN() != null) {
      all = all.count(options.getN());
    }
    if (options.getWidth() != null && options.getHeight() != null) {
      all = all.size(options.getWidth(), options.getHeight());
    }
    return all;
  }

  private static void refuse(boolean asked, String what) {
    if (asked) {
      throw new InvalidRequestException(what + " is not supported by this model");
    }
  }
}
