package dev.lmm.spring.ai;

import dev.lmm.Chat;
import dev.lmm.ChatRequest;
import dev.lmm.Check;
import dev.lmm.Conversation;
import dev.lmm.Image;
import dev.lmm.InvalidRequestException;
import dev.lmm.spi.KeptConversations;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.springframework.ai.chat.messages.AssistantMessage;
import org.springframework.ai.chat.messages.Message;
import org.springframework.ai.chat.messages.MessageType;
import org.springframework.ai.content.Media;
import org.springframework.ai.content.MediaContent;

/**
 * A prompt of Spring AI's holds a whole conversation; lmm keeps what it has read, and one that goes
 * on reads only what is new. Thread-safe.
 */
final class Talks implements AutoCloseable {
  private final Chat chat;
  private final Function<URI, Image> imageLoader;
  private final KeptConversations<Said> kept;

  Talks(Chat chat, Function<URI, Image> imageLoader, int kept) {
    this.chat = chat;
    this.imageLoader = imageLoader;
    this.kept = new KeptConversations<>(kept);
  }

  /**
   * What was said; messages of Spring AI's are equal without regard to their pictures.
   *
   * @param media equal for equal pictures
   */
  record Said(MessageType type, String text, List<Object> media) {
    static Said of(Message message) {
      List<Object> media = new ArrayList<>();
      if (message instanceof MediaContent content) {
        content.getMedia().forEach(each -> media.add(Pictures.key(each)));
      }
      String text = message.getText();
      return new Said(message.getMessageType(), text == null ? "" : text, media);
    }
  }

  /**
   * A question in its conversation, which nobody else has until it is {@link #over} or left.
   *
   * @param said the question at the end
   */
  record Asked(List<Said> said, Conversation conversation, ChatRequest request) {}

  Asked ask(List<Message> messages) {
    int answered = answered(messages);
    List<Said> said = messages.stream().map(Said::of).toList();
    Conversation conversation = kept.take(said.subList(0, answered));
    if (conversation == null) {
      conversation = begin(messages.subList(0, answered));
    }
    try {
      List<Message> question = messages.subList(answered, messages.size());
      return new Asked(said, conversation, question(conversation, question));
    } catch (RuntimeException e) {
      conversation.close();
      throw e;
    }
  }

  /** Keeps a conversation for the next question. */
  void over(Asked asked, String answer) {
    List<Said> said = new ArrayList<>(asked.said());
    said.add(new Said(MessageType.ASSISTANT, answer, List.of()));
    kept.keep(said, asked.conversation());
  }

  /** Where the question begins: behind the last answer, or behind what the system says. */
  private static int answered(List<Message> messages) {
    int at = 0;
    for (int i = 0; i < messages.size(); i++) {
      Message message = messages.get(i);
      Check.that(
          message.getMessageType() != MessageType.TOOL
              && !(message instanceof AssistantMessage answer && answer.hasToolCalls()),
          "messages: use of tools is not supported by this model");
      if (message.getMessageType() != MessageType.USER) {
        at = i + 1;
      }
    }
    Check.that(
        at < messages.size(), "messages: the last is not a user's: there is nothing to answer");
    return at;
  }

  private Conversation begin(List<Message> said) {
    List<String> system = new ArrayList<>();
    for (Message message : said) {
      if (message.getMessageType() == MessageType.SYSTEM) {
        system.add(message.getText());
      }
    }
    Conversation conversation =
        chat.conversation(system.isEmpty() ? null : String.join("\n\n", system));
    try {
      List<Message> asked = new ArrayList<>();
      for (Message message : said) {
        if (message.getMessageType() == MessageType.USER) {
          asked.add(message);
        } else if (message.getMessageType() == MessageType.ASSISTANT) {
          Check.that(!asked.isEmpty(), "messages: an answer has no question before it");
          String answer = message.getText();
          conversation.said(question(conversation, asked), answer == null ? "" : answer);
          asked.clear();
        }
      }
      Check.that(asked.isEmpty(), "messages: what the system says stands behind the user's");
      return conversation;
    } catch (RuntimeException e) {
      conversation.close();
      throw e;
    }
  }

  /** What the user says, in one or several messages: the pictures, then the words. */
  private ChatRequest question(Conversation conversation, List<Message> messages) {
    List<String> words = new ArrayList<>();
    List<Image> images = new ArrayList<>();
    for (Message message : messages) {
      words.add(message.getText());
      if (message instanceof MediaContent content) {
        for (Media media : content.getMedia()) {
          images.add(Pictures.from(media, imageLoader));
        }
      }
    }
    String text = String.join("\n", words);
    if (text.isBlank()) {
      throw new InvalidRequestException("There are no words beside the pictures: ask something");
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
