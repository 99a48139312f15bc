package dev.lmm.langchain4j;

import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.data.message.Content;
import dev.langchain4j.data.message.ContentType;
import dev.langchain4j.data.message.ImageContent;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.model.embedding.listener.EmbeddingModelListener;
import dev.langchain4j.model.embedding.request.EmbeddingInput;
import dev.langchain4j.model.embedding.request.EmbeddingRequest;
import dev.langchain4j.model.embedding.response.EmbeddingResponse;
import dev.langchain4j.model.embedding.response.EmbeddingResponseMetadata;
import dev.lmm.Check;
import dev.lmm.Embeddings;
import dev.lmm.Encoder;
import dev.lmm.Image;
import java.net.URI;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.function.Function;

/**
 * Embeds texts and pictures into one space, so that a store of pictures' embeddings is searched by
 * texts: CLIP, SigLIP, SigLIP 2. Thread-safe.
 *
 * <p>An input is a text or one picture; both together have no embedding of their own in these
 * models and are refused.
 */
public final class LmmEmbeddingModel implements EmbeddingModel {
  private final Encoder encoder;
  private final List<EmbeddingModelListener> listeners;
  private final Function<URI, Image> imageLoader;

  private LmmEmbeddingModel(Builder builder) {
    this.encoder = builder.encoder;
    this.listeners = List.copyOf(builder.listeners);
    this.imageLoader = builder.imageLoader;
  }

  /**
   * The model of an encoder.
   *
   * @param encoder stays the caller's to close
   * @return the model
   */
  public static LmmEmbeddingModel of(Encoder encoder) {
    return builder(encoder).build();
  }

  /**
   * Begins a model with options.
   *
   * @param encoder stays the caller's to close
   * @return the options
   */
  public static Builder builder(Encoder encoder) {
    return new Builder(encoder);
  }

  /** Options of a model. */
  public static final class Builder {
    private final Encoder encoder;
    private List<EmbeddingModelListener> listeners = List.of();
    private Function<URI, Image> imageLoader = Pictures.LOCAL;

    private Builder(Encoder encoder) {
      this.encoder = Check.notNull(encoder, "encoder");
    }

    /**
     * Who hears of requests and responses; nobody by default.
     *
     * @param value the listeners
     * @return this
     */
    public Builder listeners(List<EmbeddingModelListener> value) {
      this.listeners = List.copyOf(value);
      return this;
    }

    /**
     * Reads pictures that are given by address. By default {@code file:} and {@code data:} are read
     * and nothing is fetched.
     *
     * @param value reads an address
     * @return this
     */
    public Builder imageLoader(Function<URI, Image> value) {
      this.imageLoader = Check.notNull(value, "imageLoader");
      return this;
    }

    /**
     * The model.
     *
     * @return with these options
     */
    public LmmEmbeddingModel build() {
      return new LmmEmbeddingModel(this);
    }
  }

  @Override
  public EmbeddingResponse doEmbed(EmbeddingRequest request) {
    List<String> texts = new ArrayList<>();
    List<Image> images = new ArrayList<>();
    List<Boolean> isImage = new ArrayList<>();
    for (EmbeddingInput input : request.inputs()) {
      boolean picture = isPicture(input);
      isImage.add(picture);
      if (picture) {
        images.add(Pictures.from(((ImageContent) input.contents().get(0)).image(), imageLoader));
      } else {
        texts.add(input.text());
      }
    }
    Embeddings ofTexts = texts.isEmpty() ? null : encoder.texts(texts).run();
    Embeddings ofImages = images.isEmpty() ? null : encoder.images(images).run();
    List<Embedding> embeddings = new ArrayList<>(Collections.nCopies(isImage.size(), null));
    int text = 0;
    int image = 0;
    for (int i = 0; i < isImage.size(); i++) {
      float[] vector = isImage.get(i) ? ofImages.vector(image++) : ofTexts.vector(text++);
      embeddings.set(i, Embedding.from(vector));
    }
    return EmbeddingResponse.builder()
        .embeddings(embeddings)
        .metadata(EmbeddingResponseMetadata.builder().modelName(modelName()).build())
        .build();
  }

  private static boolean isPicture(EmbeddingInput input) {
    List<Content> contents = input.contents();
    boolean pictures = contents.stream().anyMatch(ImageContent.class::isInstance);
    if (pictures && contents.size() > 1) {
      throw new UnsupportedFeatureException(
          "One embedding of a picture and something else is not supported: these models embed a"
              + " text or a picture; give two inputs");
    }
    return pictures;
  }

  @Override
  public Set<ContentType> supportedContentTypes() {
    return Set.of(ContentType.TEXT, ContentType.IMAGE);
  }

  @Override
  public List<EmbeddingModelListener> listeners() {
    return listeners;
  }

  @Override
  public String modelName() {
    return encoder.info().id();
  }

  @Override
  public int dimension() {
    return encoder.dimension();
  }
}
