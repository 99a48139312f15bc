package dev.lmm.spring.ai;

import dev.lmm.Check;
import dev.lmm.Embeddings;
import dev.lmm.Encoder;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.ai.chat.metadata.EmptyUsage;
import org.springframework.ai.document.Document;
import org.springframework.ai.embedding.Embedding;
import org.springframework.ai.embedding.EmbeddingModel;
import org.springframework.ai.embedding.EmbeddingOptions;
import org.springframework.ai.embedding.EmbeddingRequest;
import org.springframework.ai.embedding.EmbeddingResponse;
import org.springframework.ai.embedding.EmbeddingResponseMetadata;

/**
 * Embeds texts: CLIP, SigLIP, SigLIP 2. A document that is a picture is embedded as one, into the
 * same space, by {@link #embed(Document)}; many at once by {@link LmmDocumentEmbeddingModel}. Other
 * models' names and other dimensions are refused. Thread-safe.
 */
public final class LmmEmbeddingModel implements EmbeddingModel {
  private final Encoder encoder;
  private final LmmDocumentEmbeddingModel documents;

  /**
   * The model of an encoder.
   *
   * @param encoder stays the caller's to close
   */
  public LmmEmbeddingModel(Encoder encoder) {
    this.encoder = Check.notNull(encoder, "encoder");
    this.documents = new LmmDocumentEmbeddingModel(encoder);
  }

  @Override
  public EmbeddingResponse call(EmbeddingRequest request) {
    check(encoder, request.getOptions());
    List<String> texts = request.getInstructions();
    List<Embedding> embeddings = new ArrayList<>(texts.size());
    if (!texts.isEmpty()) {
      Embeddings found = encoder.texts(texts).run();
      for (int i = 0; i < found.count(); i++) {
        embeddings.add(new Embedding(found.vector(i), i));
      }
    }
    return new EmbeddingResponse(embeddings, metadata(encoder));
  }

  @Override
  public float[] embed(Document document) {
    return documents.embed(List.of(document)).get(0);
  }

  @Override
  public int dimensions() {
    return encoder.dimension();
  }

  static EmbeddingResponseMetadata metadata(Encoder encoder) {
    return new EmbeddingResponseMetadata(encoder.info().id(), new EmptyUsage());
  }

  /** Refuses what would otherwise be passed over. */
  static void check(Encoder encoder, @Nullable EmbeddingOptions options) {
    if (options == null) {
      return;
    }
    String id = encoder.info().id();
    Check.that(
        options.getModel() == null || options.getModel().equals(id),
        "model: is " + options.getModel() + "; this model is " + id);
    Check.that(
        options.getDimensions() == null || options.getDimensions() == encoder.dimension(),
        "dimensions: is " + options.getDimensions() + "; " + id + " has " + encoder.dimension());
  }
}
