package com.example;

import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.data.message.ImageContent;
import dev.langchain4j.data.message.TextContent;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.model.embedding.request.EmbeddingRequest;
import dev.langchain4j.store.embedding.CosineSimilarity;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/** Finds a picture by words and talks about it; knows LangChain4j alone. */
public final class Guide {
  private final EmbeddingModel embeddings;
  private final ChatModel chat;

  public Guide(EmbeddingModel embeddings, ChatModel chat) {
    this.embeddings = embeddings;
    this.chat = chat;
  }

  /** Index of the picture that fits best. */
  public int find(String words, List<ImageContent> pictures) {
    EmbeddingRequest.Builder request = EmbeddingRequest.builder();
    pictures.forEach(request::input);
    List<Embedding> seen = embeddings.embed(request.build()).embeddings();
    Embedding wanted = embeddings.embed(words).content();
    return IntStream.range(0, seen.size())
        .boxed()
        .max(Comparator.comparing(i -> CosineSimilarity.between(seen.get(i), wanted)))
        .orElseThrow();
  }

  public String describe(ImageContent picture) {
    return chat.chat(UserMessage.from(TextContent.from("What is in the picture?"), picture))
        .aiMessage()
        .text();
  }
}
