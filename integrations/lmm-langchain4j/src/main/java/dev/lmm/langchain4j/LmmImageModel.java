package dev.lmm.langchain4j;

import dev.langchain4j.data.image.Image;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.model.image.ImageModel;
import dev.langchain4j.model.output.Response;
import dev.lmm.Check;
import dev.lmm.GenerateRequest;
import dev.lmm.Generator;
import java.net.URI;
import java.util.List;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/**
 * Makes pictures of texts, and pictures out of pictures: Stable Diffusion. Pictures are PNGs in
 * base64, with prompt and settings inside. Thread-safe.
 */
public final class LmmImageModel implements ImageModel {
  private final Generator generator;
  private final UnaryOperator<GenerateRequest> options;
  private final Function<URI, dev.lmm.Image> imageLoader;

  private LmmImageModel(Builder builder) {
    this.generator = builder.generator;
    this.options = builder.options;
    this.imageLoader = builder.imageLoader;
  }

  /**
   * The model of a generator.
   *
   * @param generator stays the caller's to close
   * @return the model
   */
  public static LmmImageModel of(Generator generator) {
    return builder(generator).build();
  }

  /**
   * Begins a model with options.
   *
   * @param generator stays the caller's to close
   * @return the options
   */
  public static Builder builder(Generator generator) {
    return new Builder(generator);
  }

  /** Options of a model. */
  public static final class Builder {
    private final Generator generator;
    private UnaryOperator<GenerateRequest> options = request -> request;
    private Function<URI, dev.lmm.Image> imageLoader = Pictures.LOCAL;

    private Builder(Generator generator) {
      this.generator = Check.notNull(generator, "generator");
    }

    /**
     * Steps, guidance, seed, scheduler, size and whatever else a request of lmm has; its defaults
     * if nothing is set.
     *
     * @param value sets them, for instance {@code r -> r.steps(25).seed(7)}
     * @return this
     */
    public Builder options(UnaryOperator<GenerateRequest> value) {
      this.options = Check.notNull(value, "options");
      return this;
    }

    /**
     * Reads pictures that are given by address. By default {@code file:} and {@code data:} are read
     * and nothing is fetched.
     *
     * @param value reads an address
     * @return this
     */
    public Builder imageLoader(Function<URI, dev.lmm.Image> value) {
      this.imageLoader = Check.notNull(value, "imageLoader");
      return this;
    }

    /**
     * The model.
     *
     * @return with these options
     */
    public LmmImageModel build() {
      return new LmmImageModel(this);
    }
  }

  @Override
  public Response<Image> generate(String prompt) {
    return one(request(prompt));
  }

  @Override
  public Response<List<Image>> generate(String prompt, int n) {
    try {
      return Response.from(request(prompt).count(n).run().stream().map(Pictures::to).toList());
    } catch (dev.lmm.InvalidRequestException e) {
      throw new InvalidRequestException(e.getMessage(), e);
    }
  }

  @Override
  public Response<Image> edit(Image image, String prompt) {
    return one(request(prompt).from(Pictures.from(image, imageLoader)));
  }

  @Override
  public Response<Image> edit(Image image, Image mask, String prompt) {
    return one(
        request(prompt)
            .from(Pictures.from(image, imageLoader))
            .mask(Pictures.from(mask, imageLoader)));
  }

  private GenerateRequest request(String prompt) {
    return options.apply(generator.generate(prompt));
  }

  private static Response<Image> one(GenerateRequest request) {
    try {
      return Response.from(Pictures.to(request.run().get(0)));
    } catch (dev.lmm.InvalidRequestException e) {
      throw new InvalidRequestException(e.getMessage(), e);
    }
  }
}
