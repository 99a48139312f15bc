package dev.lmm.qwenvl.internal;

import dev.lmm.Answer;
import dev.lmm.ChatRequest;
import dev.lmm.Check;
import dev.lmm.Conversation;
import dev.lmm.TokenStream;
import dev.lmm.core.decode.Generation;
import dev.lmm.core.decode.Session;
import dev.lmm.core.decode.TextRun;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Turns over one session. */
final class QwenConversation implements Conversation {
  private final QwenModel model;
  private final Session session;
  private final List<Message> messages = new ArrayList<>();

  QwenConversation(QwenModel model, @Nullable String system) {
    this.model = model;
    this.session = model.decoder().session();
    if (system != null) {
      messages.add(new Message("system", system, List.of()));
    }
  }

  @Override
  public ChatRequest ask(String text) {
    return new ChatRequest(text, this::stream);
  }

  /** Begins an answer; the caller closes the stream. */
  TokenStream stream(ChatRequest request) {
    Message question = model.message(request);
    List<Message> all = said();
    all.add(question);
    TextRun run = session.stream(model.prompt(all, request.cancellation()), model.options(request));
    return new Stream(run, question);
  }

  @Override
  public void said(ChatRequest question, String answer) {
    add(model.message(question), Check.notNull(answer, "answer"));
  }

  private synchronized List<Message> said() {
    return new ArrayList<>(messages);
  }

  private synchronized void add(Message question, String answer) {
    messages.add(question);
    messages.add(new Message("assistant", answer, List.of()));
  }

  @Override
  public List<Turn> turns() {
    return said().stream()
        .map(
            m -> {
              int videos = (int) m.seen().stream().filter(Seen::video).count();
              return new Turn(m.role(), m.text(), m.seen().size() - videos, videos);
            })
        .toList();
  }

  @Override
  public void close() {
    session.close();
  }

  /** An answer, which becomes a turn when it is whole or closed. */
  private final class Stream implements TokenStream {
    private final TextRun run;
    private final Message question;
    private boolean written;
    private boolean added;
    private boolean failed;

    Stream(TextRun run, Message question) {
      this.run = run;
      this.question = question;
    }

    @Override
    public boolean hasNext() {
      return run.hasNext();
    }

    @Override
    public Piece next() {
      failed = true;
      dev.lmm.core.decode.Piece piece = run.next();
      failed = false;
      written = true;
      if (!run.hasNext()) {
        turn();
      }
      return new Piece(piece.id(), piece.text(), piece.logProbability());
    }

    private void turn() {
      if (!added && written && !failed) {
        added = true;
        add(question, run.soFar().text());
      }
    }

    @Override
    public Answer answer() {
      return answerOf(run.soFar());
    }

    @Override
    public void close() {
      turn();
      run.close();
    }
  }

  static Answer answerOf(Generation generation) {
    return new Answer(
        generation.text(),
        generation.tokens().stream()
            .map(token -> new Answer.Token(token.id(), token.logProbability()))
            .toList(),
        switch (generation.finish()) {
          case END -> Answer.End.COMPLETE;
          case STOP -> Answer.End.STOP;
          case LENGTH -> Answer.End.LENGTH;
          case GRAMMAR -> Answer.End.FORM;
          case UNFINISHED -> Answer.End.UNFINISHED;
        },
        generation.promptTokens(),
        generation.cachedTokens());
  }
}
