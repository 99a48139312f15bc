package com.example;

import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.springframework.ai.chat.client.AdvisorParams;
import org.springframework.ai.chat.client.ChatClient;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.ai.content.Media;
import org.springframework.ai.document.Document;
import org.springframework.ai.embedding.DocumentEmbeddingModel;
import org.springframework.ai.embedding.DocumentEmbeddingRequest;
import org.springframework.ai.embedding.Embedding;
import org.springframework.ai.embedding.EmbeddingModel;
import org.springframework.ai.image.ImageModel;
import org.springframework.ai.image.ImagePrompt;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import reactor.core.publisher.Flux;

/** Finds pictures by words, talks about them and draws; knows Spring AI alone. */
@SpringBootApplication
public class GuideApplication {
  private final EmbeddingModel embeddings;
  private final DocumentEmbeddingModel documents;
  private final ImageModel images;
  private final ChatClient chat;

  public GuideApplication(
      EmbeddingModel embeddings,
      DocumentEmbeddingModel documents,
      ImageModel images,
      ChatModel chat) {
    this.embeddings = embeddings;
    this.documents = documents;
    this.images = images;
    this.chat = ChatClient.create(chat);
  }

  public static void main(String[] arguments) {
    SpringApplication.run(GuideApplication.class, arguments);
  }

  /** What may be asked of a picture. */
  public record Seen(boolean star, boolean circle) {}

  /** Index of the picture that fits best. */
  public int find(String words, List<Document> pictures) {
    List<Embedding> seen = documents.call(new DocumentEmbeddingRequest(pictures)).getResults();
    float[] wanted = embeddings.embed(words);
    return IntStream.range(0, seen.size())
        .boxed()
        .max(Comparator.comparing(i -> product(seen.get(i).getOutput(), wanted)))
        .orElseThrow();
  }

  private static double product(float[] a, float[] b) {
    return IntStream.range(0, a.length).mapToDouble(i -> (double) a[i] * b[i]).sum();
  }

  public String describe(Media picture) {
    return ask(picture).call().content();
  }

  public Flux<String> describeInPieces(Media picture) {
    return ask(picture).stream().content();
  }

  /** In a form that the answer always keeps to. */
  public Seen look(Media picture) {
    return ask(picture)
        .advisors(AdvisorParams.ENABLE_NATIVE_STRUCTURED_OUTPUT)
        .call()
        .entity(Seen.class);
  }

  private ChatClient.ChatClientRequestSpec ask(Media picture) {
    return chat.prompt().user(user -> user.text("What is in the picture?").media(picture));
  }

  /** A PNG. */
  public byte[] draw(String wish) {
    String png = images.call(new ImagePrompt(wish)).getResult().getOutput().getB64Json();
    return Base64.getDecoder().decode(png);
  }
}
