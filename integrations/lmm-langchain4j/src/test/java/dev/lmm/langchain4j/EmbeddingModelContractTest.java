package dev.lmm.langchain4j;

import dev.langchain4j.data.message.ImageContent;
import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.model.embedding.common.AbstractEmbeddingModelIT;
import dev.langchain4j.model.embedding.listener.EmbeddingModelListener;
import dev.lmm.Encoder;
import dev.lmm.Models;
import dev.lmm.tiny.TinyPictures;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.TestInstance;

/** LangChain4j's own tests of embedding models, on a model that knows texts and pictures. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class EmbeddingModelContractTest extends AbstractEmbeddingModelIT {
  private final Encoder encoder = Models.encoder("tiny-siglip2").load();

  @AfterAll
  void close() {
    encoder.close();
  }

  @Override
  protected List<EmbeddingModel> models() {
    return List.of(LmmEmbeddingModel.of(encoder));
  }

  @Override
  protected EmbeddingModel modelWith(EmbeddingModelListener listener) {
    return LmmEmbeddingModel.builder(encoder).listeners(List.of(listener)).build();
  }

  /** Of a model that is closed. */
  @Override
  protected EmbeddingModel failingModelWith(EmbeddingModelListener listener) {
    Encoder closed = Models.encoder("tiny-clip").load();
    closed.close();
    return LmmEmbeddingModel.builder(closed).listeners(List.of(listener)).build();
  }

  @Override
  protected ImageContent catImage() {
    byte[] picture = TinyPictures.bytes(TinyPictures.all().get(0).file());
    return ImageContent.from(Base64.getEncoder().encodeToString(picture), "image/png");
  }

  @Override
  protected boolean supportsImageInput() {
    return true;
  }

  /** A text or a picture, each with an embedding of its own. */
  @Override
  protected boolean supportsInterleavedInput() {
    return false;
  }

  @Override
  protected boolean supportsInputTypeParameter() {
    return false;
  }

  @Override
  protected boolean supportsDimensionsParameter() {
    return false;
  }

  @Override
  protected boolean assertTokenUsage() {
    return false;
  }
}
