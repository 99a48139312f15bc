package dev.lmm.spring.ai;

import dev.lmm.Check;
import dev.lmm.Embeddings;
import dev.lmm.Encoder;
import dev.lmm.Image;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.springframework.ai.content.Media;
import org.springframework.ai.document.Document;
import org.springframework.ai.embedding.DocumentEmbeddingModel;
import org.springframework.ai.embedding.DocumentEmbeddingRequest;
import org.springframework.ai.embedding.Embedding;
import org.springframework.ai.embedding.EmbeddingResponse;
import org.springframework.ai.embedding.EmbeddingResultMetadata;
import org.springframework.ai.embedding.EmbeddingResultMetadata.ModalityType;
import org.springframework.util.MimeType;
import org.springframework.util.MimeTypeUtils;

/**
 * Embeds documents, each a text or a picture, into one space, so that pictures are found by texts:
 * CLIP, SigLIP, SigLIP 2. Thread-safe.
 */
public final class LmmDocumentEmbeddingModel implements DocumentEmbeddingModel {
  private final Encoder encoder;
  private final Function<URI, Image> imageLoader;

  /**
   * The model of an encoder. Pictures are given as bytes, {@code file:} or {@code data:}; nothing
   * is fetched.
   *
   * @param encoder stays the caller's to close
   */
  public LmmDocumentEmbeddingModel(Encoder encoder) {
    this(encoder, Pictures.LOCAL);
  }

  /**
   * The model of an encoder.
   *
   * @param encoder stays the caller's to close
   * @param imageLoader reads pictures that are given by address
   */
  public LmmDocumentEmbeddingModel(Encoder encoder, Function<URI, Image> imageLoader) {
    this.encoder = Check.notNull(encoder, "encoder");
    this.imageLoader = Check.notNull(imageLoader, "imageLoader");
  }

  @Override
  public EmbeddingResponse call(DocumentEmbeddingRequest request) {
    LmmEmbeddingModel.check(encoder, request.getOptions());
    List<Document> documents = request.getInstructions();
    List<float[]> vectors = embed(documents);
    List<Embedding> embeddings = new ArrayList<>(vectors.size());
    for (int i = 0; i < vectors.size(); i++) {
      Document document = documents.get(i);
      Media media = document.getMedia();
      MimeType type = media == null ? MimeTypeUtils.TEXT_PLAIN : media.getMimeType();
      embeddings.add(
          new Embedding(
              vectors.get(i),
              i,
              new EmbeddingResultMetadata(
                  document.getId(),
                  media == null ? ModalityType.TEXT : ModalityType.IMAGE,
                  type,
                  media == null ? document.getText() : media.getData())));
    }
    return new EmbeddingResponse(embeddings, LmmEmbeddingModel.metadata(encoder));
  }

  /** The vectors, in the documents' order; texts and pictures each in one batch. */
  List<float[]> embed(List<Document> documents) {
    List<String> texts = new ArrayList<>();
    List<Image> images = new ArrayList<>();
    for (Document document : documents) {
      Media media = document.getMedia();
      if (media == null) {
        texts.add(Check.notNull(document.getText(), "document"));
      } else {
        images.add(Pictures.from(media, imageLoader));
      }
    }
    Embeddings ofTexts = texts.isEmpty() ? null : encoder.texts(texts).run();
    Embeddings ofImages = images.isEmpty() ? null : encoder.images(images).run();
    List<float[]> vectors = new ArrayList<>(documents.size());
    int text = 0;
    int image = 0;
    for (Document document : documents) {
      vectors.add(document.getMedia() == null ? ofTexts.vector(text++) : ofImages.vector(image++));
    }
    return vectors;
  }

  @Override
  public int dimensions() {
    return encoder.dimension();
  }
}
