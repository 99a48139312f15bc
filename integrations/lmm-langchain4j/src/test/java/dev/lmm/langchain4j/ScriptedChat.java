package dev.lmm.langchain4j;

import dev.lmm.Answer;
import dev.lmm.AnswersRequest;
import dev.lmm.Chat;
import dev.lmm.ChatRequest;
import dev.lmm.Conversation;
import dev.lmm.Image;
import dev.lmm.ModelInfo;
import dev.lmm.Precision;
import dev.lmm.Summary;
import dev.lmm.TokenStream;
import java.util.ArrayList;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Knows what LangChain4j's own tests ask of a large model, so that they test the adapter and not
 * what a tiny model has learned. A token is a word with the blank before it.
 */
final class ScriptedChat implements Chat {
  static final String NAME = "scripted";
  static final int CAT_WIDTH = 5;

  /** Of the photograph that LangChain4j's tests bring. */
  private static final int THEIR_CAT_WIDTH = 426;

  static final int DICE_WIDTH = 7;
  private static final int DEFAULT_TOKENS = 512;
  private static final Pattern WORD = Pattern.compile("\\s*\\S+");

  /** Conversations that are open. */
  final List<Conversation> open = new ArrayList<>();

  /** What each question was asked in. */
  final List<List<Conversation.Turn>> asked = new ArrayList<>();

  /** What each request was. */
  final List<ChatRequest> requests = new ArrayList<>();

  private final boolean failing;

  ScriptedChat() {
    this(false);
  }

  /** A chat that cannot answer anything, if asked for. */
  ScriptedChat(boolean failing) {
    this.failing = failing;
  }

  @Override
  public ModelInfo info() {
    return new ModelInfo(NAME, "scripted", "none", "cpu", Precision.FP32, false);
  }

  @Override
  public Summary summary() {
    return new Summary(NAME, List.of(), List.of(), 0, 0);
  }

  @Override
  public synchronized Conversation conversation(@Nullable String system) {
    Talk talk = new Talk(system);
    open.add(talk);
    return talk;
  }

  @Override
  public AnswersRequest answers() {
    throw new UnsupportedOperationException();
  }

  @Override
  public ChatRequest ask(String text) {
    return conversation(null).ask(text);
  }

  @Override
  public void close() {}

  private String answer(
      @Nullable String system, ChatRequest request, List<Conversation.Turn> said) {
    String text = request.text();
    if (failing || text.contains("fail")) {
      throw new dev.lmm.EngineException("The script says: fail");
    }
    if (system != null && system.contains("German")) {
      return "Ich liebe dich";
    }
    if (text.contains("capital of Germany")) {
      String schema = request.jsonSchema();
      return schema == null
          ? "It is Berlin." + (text.contains("2 + 2") ? " And two and two make four." : "")
          : schema.contains("\"city\"") ? "{\"city\": \"Berlin\"}" : "{}";
    }
    if (text.contains("favorite color")) {
      return said.stream().anyMatch(turn -> turn.text().contains("green")) ? "It is green." : "?";
    }
    if (text.contains("Hello World")) {
      return "Hello World";
    }
    if (text.contains("see")) {
      List<String> seen = new ArrayList<>();
      for (Image image : request.images()) {
        seen.add(
            image.width() == CAT_WIDTH || image.width() == THEIR_CAT_WIDTH ? "a cat" : "a dice");
      }
      return "I see " + String.join(" and ", seen);
    }
    return "Once upon a time there was a long story that did not end";
  }

  private final class Talk implements Conversation {
    private final @Nullable String system;
    private final List<Turn> turns = new ArrayList<>();

    Talk(@Nullable String system) {
      this.system = system;
      if (system != null) {
        turns.add(new Turn("system", system, 0, 0));
      }
    }

    @Override
    public ChatRequest ask(String text) {
      return new ChatRequest(text, this::stream);
    }

    private TokenStream stream(ChatRequest request) {
      asked.add(turns());
      requests.add(request);
      return new Words(this, request, answer(system, request, turns()));
    }

    @Override
    public void said(ChatRequest question, String answer) {
      turns.add(new Turn("user", question.text(), question.images().size(), 0));
      turns.add(new Turn("assistant", answer, 0, 0));
    }

    @Override
    public List<Turn> turns() {
      return List.copyOf(turns);
    }

    @Override
    public void close() {
      open.remove(this);
    }
  }

  private static final class Words implements TokenStream {
    private final Talk talk;
    private final ChatRequest request;
    private final List<String> words = new ArrayList<>();
    private final Answer.End end;
    private int at;
    private boolean added;

    Words(Talk talk, ChatRequest request, String whole) {
      this.talk = talk;
      this.request = request;
      String text = whole;
      Answer.End last = Answer.End.COMPLETE;
      for (String stop : request.stop()) {
        if (text.contains(stop)) {
          text = text.substring(0, text.indexOf(stop));
          last = Answer.End.STOP;
        }
      }
      int limit = request.maxTokens() > 0 ? request.maxTokens() : DEFAULT_TOKENS;
      Matcher word = WORD.matcher(text);
      while (word.find()) {
        if (words.size() == limit) {
          last = Answer.End.LENGTH;
          break;
        }
        words.add(word.group());
      }
      end = last;
    }

    @Override
    public boolean hasNext() {
      return at < words.size();
    }

    @Override
    public Piece next() {
      if (!hasNext()) {
        throw new NoSuchElementException();
      }
      if (request.cancellation() != null) {
        request.cancellation().check();
      }
      Piece piece = new Piece(at, words.get(at), -1);
      at++;
      if (!hasNext()) {
        close();
      }
      return piece;
    }

    @Override
    public Answer answer() {
      List<Answer.Token> tokens = new ArrayList<>();
      for (int i = 0; i < at; i++) {
        tokens.add(new Answer.Token(i, -1));
      }
      return new Answer(
          String.join("", words.subList(0, at)),
          tokens,
          hasNext() ? Answer.End.UNFINISHED : end,
          3 * (talk.turns.size() + 1),
          0);
    }

    @Override
    public void close() {
      if (!added && at > 0) {
        added = true;
        talk.said(request, answer().text());
      }
    }
  }
}
