package dev.lmm.langchain4j;

import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.ChatMessage;
import dev.langchain4j.data.message.Content;
import dev.langchain4j.data.message.ImageContent;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.TextContent;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.lmm.Chat;
import dev.lmm.ChatRequest;
import dev.lmm.Conversation;
import dev.lmm.Image;
import dev.lmm.spi.KeptConversations;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * LangChain4j sends a whole conversation with every question; lmm keeps what it has read. So the
 * last conversations are kept by what was said in them, and one that goes on reads only what is
 * new. Thread-safe.
 */
final class Talks implements AutoCloseable {
  private final Chat chat;
  private final Function<URI, Image> imageLoader;
  private final KeptConversations<ChatMessage> kept;

  Talks(Chat chat, Function<URI, Image> imageLoader, int kept) {
    this.chat = chat;
    this.imageLoader = imageLoader;
    this.kept = new KeptConversations<>(kept);
  }

  /**
   * A question in its conversation, which nobody else has until it is {@link #over} or left.
   *
   * @param messages what was said, the question at the end
   */
  record Asked(List<ChatMessage> messages, Conversation conversation, ChatRequest request) {}

  Asked ask(List<ChatMessage> messages) {
    int answered = answered(messages);
    List<ChatMessage> said = List.copyOf(messages.subList(0, answered));
    Conversation conversation = kept.take(said);
    if (conversation == null) {
      conversation = begin(said);
    }
    try {
      return new Asked(
          List.copyOf(messages),
          conversation,
          question(conversation, messages.subList(answered, messages.size())));
    } catch (RuntimeException e) {
      conversation.close();
      throw e;
    }
  }

  /** Keeps a conversation for the next question. */
  void over(Asked asked, AiMessage answer) {
    List<ChatMessage> said = new ArrayList<>(asked.messages());
    said.add(answer);
    kept.keep(said, asked.conversation());
  }

  /** Where the question begins: behind the last answer, or behind what the system says. */
  private static int answered(List<ChatMessage> messages) {
    int at = 0;
    for (int i = 0; i < messages.size(); i++) {
      ChatMessage message = messages.get(i);
      if (message instanceof AiMessage || message instanceof SystemMessage) {
        at = i + 1;
      } else if (!(message instanceof UserMessage)) {
        throw new UnsupportedFeatureException(
            "Messages of the type " + message.type() + " are not supported by this model");
      }
    }
    if (at == messages.size()) {
      throw new dev.langchain4j.exception.InvalidRequestException(
          "The last message is not a user's: there is nothing to answer");
    }
    return at;
  }

  private Conversation begin(List<ChatMessage> said) {
    List<String> system =
        said.stream()
            .filter(SystemMessage.class::isInstance)
            .map(message -> ((SystemMessage) message).text())
            .toList();
    Conversation conversation =
        chat.conversation(system.isEmpty() ? null : String.join("\n\n", system));
    try {
      List<ChatMessage> asked = new ArrayList<>();
      for (ChatMessage message : said) {
        if (message instanceof AiMessage answer) {
          if (answer.hasToolExecutionRequests()) {
            throw new UnsupportedFeatureException("Tools are not supported by this model");
          }
          if (asked.isEmpty()) {
            throw new UnsupportedFeatureException(
                "An answer without a question before it is not supported by this model");
          }
          conversation.said(question(conversation, asked), answer.text());
          asked.clear();
        } else if (message instanceof UserMessage) {
          asked.add(message);
        }
      }
      if (!asked.isEmpty()) {
        throw new UnsupportedFeatureException(
            "What the system says must stand before what the user says");
      }
      return conversation;
    } catch (RuntimeException e) {
      conversation.close();
      throw e;
    }
  }

  /** What the user says, in one or several messages: the pictures, then the words. */
  private ChatRequest question(Conversation conversation, List<ChatMessage> messages) {
    List<String> words = new ArrayList<>();
    List<Image> images = new ArrayList<>();
    for (ChatMessage message : messages) {
      for (Content content : ((UserMessage) message).contents()) {
        if (content instanceof TextContent text) {
          words.add(text.text());
        } else if (content instanceof ImageContent image) {
          images.add(Pictures.from(image.image(), imageLoader));
        } else {
          throw new UnsupportedFeatureException(
              "Content of the type " + content.type() + " is not supported by this model");
        }
      }
    }
    String text = String.join("\n", words);
    if (text.isBlank()) {
      throw new dev.langchain4j.exception.InvalidRequestException(
          "There are no words beside the pictures: ask something");
    }
    ChatRequest request = conversation.ask(text);
    for (Image image : images) {
      request = request.image(image);
    }
    return request;
  }

  @Override
  public void close() {
    kept.close();
  }
}
