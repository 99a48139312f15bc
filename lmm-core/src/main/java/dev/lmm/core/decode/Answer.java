package dev.lmm.core.decode;

import dev.lmm.core.text.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One answer while it is written: chooses tokens, keeps them, and knows when it is over. */
final class Answer {
  private final GenerationOptions options;
  private final Processors processors;
  private final Sampler sampler;
  private final AnswerText text;
  private final int limit;
  private final List<TokenChoice> tokens = new ArrayList<>();
  private final List<List<TokenChoice>> alternatives = new ArrayList<>();
  private @Nullable FinishReason finish;
  private float score;
  private TokenEvent event = TokenEvent.started();

  Answer(
      GenerationOptions options,
      Prompt prompt,
      @Nullable Tokenizer tokenizer,
      int[] endIds,
      int limit,
      long seed) {
    this.options = options;
    this.processors = new Processors(options, prompt, endIds, limit);
    this.sampler = new Sampler(options, seed);
    this.text = new AnswerText(tokenizer, options.stop());
    this.limit = limit;
  }

  /**
   * Chooses the next token.
   *
   * @param logits the model's; changed
   * @return what came of it
   */
  Piece take(float[] logits) {
    double normaliser = Logits.logSumExp(logits);
    List<TokenChoice> top =
        options.topLogProbabilities() == 0
            ? List.of()
            : Logits.top(logits, normaliser, options.topLogProbabilities());
    float[] scores = processors.idle() ? logits : logits.clone();
    processors.process(scores);
    // Warping works in place, and the model's own logit is wanted afterwards.
    int id = sampler.choose(options.sample() && scores == logits ? logits.clone() : scores);
    TokenChoice choice = new TokenChoice(id, (float) (logits[id] - normaliser));
    processors.accept(id);
    tokens.add(choice);
    alternatives.add(top);
    score += choice.logProbability();
    boolean end = processors.isEnd(id);
    String news = end ? "" : text.accept(id);
    if (end) {
      finish = FinishReason.END;
    } else if (text.stopped()) {
      finish = FinishReason.STOP;
    } else if (processors.finished()) {
      finish = FinishReason.GRAMMAR;
    } else if (tokens.size() == limit) {
      finish = FinishReason.LENGTH;
    }
    if (finish != null) {
      news += text.finish();
      if (finish != FinishReason.END && text.stopped()) {
        finish = FinishReason.STOP;
      }
    }
    record(id);
    return new Piece(id, news, choice.logProbability(), top);
  }

  private void record(int id) {
    event.end();
    if (event.shouldCommit()) {
      event.index = tokens.size() - 1;
      event.id = id;
      event.commit();
    }
    event = TokenEvent.started();
  }

  int written() {
    return tokens.size();
  }

  int last() {
    return tokens.get(tokens.size() - 1).id();
  }

  @Nullable FinishReason finish() {
    return finish;
  }

  Generation result(FinishReason reason, int promptTokens, int cachedTokens) {
    return new Generation(
        text.shown(),
        List.copyOf(tokens),
        List.copyOf(alternatives),
        reason,
        promptTokens,
        cachedTokens,
        score);
  }
}
