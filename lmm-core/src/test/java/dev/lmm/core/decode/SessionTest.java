package dev.lmm.core.decode;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lmm.Cancellation;
import dev.lmm.CancelledException;
import dev.lmm.ClosedException;
import dev.lmm.EngineException;
import dev.lmm.InvalidRequestException;
import dev.lmm.core.decode.contract.TinyQwen;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.engine.reference.ReferenceEngine;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Turns, caches, batches, pictures, cancelling: all against fresh sessions of the same model. */
class SessionTest {
  private static final int[] LONG = {90, 1, 1, 44, 8, 23, 61, 12, 77, 50, 33};
  private final TinyQwen model =
      new TinyQwen(
          new ReferenceEngine(), Path.of("src/test/resources/golden/decoding/model.safetensors"));
  private final Decoder decoder = new Decoder(model, null);
  private final GenerationOptions ten = GenerationOptions.GREEDY.maxTokens(10);

  @AfterEach
  void close() {
    model.close();
  }

  private static int[] joined(int[]... parts) {
    return Arrays.stream(parts).flatMapToInt(Arrays::stream).toArray();
  }

  private int entriesRead() {
    return model.steps.stream().mapToInt(step -> step.rows() * step.count()).sum();
  }

  @Test
  void aLaterTurnReadsOnlyWhatIsNew() {
    try (Session session = decoder.session()) {
      Generation first = session.generate(Prompt.of(LONG), ten);
      assertThat(first.cachedTokens()).isZero();
      assertThat(session.kept()).isEqualTo(LONG.length + 9);
      int[] turn = joined(LONG, first.ids(), new int[] {7, 8, 9});
      int before = entriesRead();
      Generation second = session.generate(Prompt.of(turn), ten);
      assertThat(second.cachedTokens()).isEqualTo(LONG.length + 9);
      assertThat(entriesRead() - before).isEqualTo(4 + 9);
      assertThat(second.ids()).isEqualTo(decoder.generate(Prompt.of(turn), ten).ids());
      // Another beginning: nothing of the cache may shine through.
      Generation other = session.generate(Prompt.of(3, 4, 5), ten);
      assertThat(other.cachedTokens()).isZero();
      assertThat(other.ids()).isEqualTo(decoder.generate(Prompt.of(3, 4, 5), ten).ids());
      // The same prompt again: its last entry is read once more, for its logits.
      assertThat(session.generate(Prompt.of(3, 4, 5), ten).cachedTokens()).isEqualTo(2);
    }
  }

  @Test
  void aSourceNeedsAModelThatLooksAtOne() {
    assertThatThrownBy(() -> decoder.generate(Prompt.of(3, 4).source(Map::of), ten))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("prompt: has a source");
  }

  @Test
  void theCacheGrowsWithTheConversation() {
    try (Session session = decoder.session()) {
      int[] ids = {11};
      for (int turn = 0; turn < 7; turn++) {
        Generation answer = session.generate(Prompt.of(ids), ten);
        assertThat(answer.ids()).isEqualTo(decoder.generate(Prompt.of(ids), ten).ids());
        ids = joined(ids, answer.ids(), new int[] {turn, 60 + turn, 3, 2, 1, 90, 91});
      }
      assertThat(session.kept()).isGreaterThan(100);
    }
  }

  @Test
  void chunksOfAnySizeAreTheSamePrompt() {
    int[] whole = decoder.generate(Prompt.of(LONG), ten).ids();
    for (int chunk : new int[] {1, 2, 3, 10, 11}) {
      assertThat(decoder.generate(Prompt.of(LONG), ten.prefillChunk(chunk)).ids())
          .as("chunk %d", chunk)
          .isEqualTo(whole);
    }
  }

  @Test
  void foreignEmbeddingsStandInPlaceOfTokensAndAreNotAskedForTwice() {
    int[] picture = {5, 17, 80, 33};
    int[] shown = joined(new int[] {2}, picture, new int[] {40, 41});
    int[] hidden = joined(new int[] {2}, new int[] {-1, -1, -1, -1}, new int[] {40, 41});
    int[] asked = {0};
    Prompt prompt =
        Prompt.of(hidden)
            .embedded(
                1,
                4,
                "picture",
                () -> {
                  asked[0]++;
                  return model.embeddings(picture);
                });
    int[] expected = decoder.generate(Prompt.of(shown), ten).ids();
    for (int chunk : new int[] {1, 2, 3, 512}) {
      assertThat(decoder.generate(prompt, ten.prefillChunk(chunk)).ids()).isEqualTo(expected);
    }
    assertThat(asked[0]).isEqualTo(4);
    try (Session session = decoder.session()) {
      session.generate(prompt, ten);
      session.generate(prompt, ten);
      assertThat(asked[0]).as("a picture that was read is not computed again").isEqualTo(5);
      Prompt another =
          Prompt.of(hidden).embedded(1, 4, "another", () -> model.embeddings(6, 6, 6, 6));
      assertThat(session.generate(another, ten).cachedTokens()).isEqualTo(1);
    }
    assertThatThrownBy(() -> prompt.embedded(3, 1, "x", () -> model.embeddings(1)))
        .hasMessageContaining("entry 3 has embeddings already");
    Prompt wrong = Prompt.of(hidden).embedded(1, 4, "w", () -> model.embeddings(1));
    assertThatThrownBy(() -> decoder.generate(wrong, ten))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("stands for 4 entries");
  }

  @Test
  void theAnswerGoesOnBehindTheLargestPosition() {
    Prompt prompt = Prompt.of(1, 2, 3).positions(new int[] {0, 4, 9}, new int[] {0, 1, 2});
    decoder.generate(prompt, GenerationOptions.GREEDY.maxTokens(3));
    List<int[][]> positions = model.steps.stream().map(StepInput::positions).toList();
    assertThat(positions.get(0)).isDeepEqualTo(new int[][] {{0, 4, 9}, {0, 1, 2}});
    assertThat(positions.get(1)).isDeepEqualTo(new int[][] {{10}, {10}});
    assertThat(positions.get(2)).isDeepEqualTo(new int[][] {{11}, {11}});
  }

  @Test
  void aBatchEqualsItsSingles() {
    List<Prompt> prompts = new ArrayList<>();
    for (int n = 1; n <= 7; n++) {
      prompts.add(Prompt.of(IntStream.range(0, n).map(i -> (13 * i + 7) % 97).toArray()));
    }
    Decoder ending = new Decoder(model, null, 5, 11, 30, 31, 32);
    for (GenerationOptions options :
        List.of(ten, ten.sample(true).temperature(1.5f).seed(9).repetitionPenalty(1.2f))) {
      List<Generation> batch = ending.generate(prompts, options, 4);
      assertThat(batch).hasSize(7);
      assertThat(batch.stream().mapToInt(g -> g.tokens().size()).distinct().count())
          .as("answers of different lengths")
          .isGreaterThan(1);
      for (int i = 0; i < prompts.size(); i++) {
        Generation single = ending.generate(prompts.get(i), options.seed(options.seed() + i));
        assertThat(batch.get(i).ids()).as("prompt %d", i).isEqualTo(single.ids());
        assertThat(batch.get(i).finish()).isEqualTo(single.finish());
      }
    }
  }

  @Test
  void conversationsSideBySideDoNotDisturbEachOther() {
    try (Session a = decoder.session();
        Session b = decoder.session();
        TextRun runA = a.stream(Prompt.of(LONG), ten);
        TextRun runB = b.stream(Prompt.of(3, 4, 5), ten)) {
      while (runA.hasNext()) {
        runA.next();
        runB.next();
      }
      assertThat(runA.result().ids()).isEqualTo(decoder.generate(Prompt.of(LONG), ten).ids());
      assertThat(runB.result().ids()).isEqualTo(decoder.generate(Prompt.of(3, 4, 5), ten).ids());
    }
  }

  @Test
  void seedsRepeatAndDiffer() {
    GenerationOptions drawn = ten.sample(true).temperature(3);
    int[] one = decoder.generate(Prompt.of(LONG), drawn.seed(1)).ids();
    assertThat(decoder.generate(Prompt.of(LONG), drawn.seed(1)).ids()).isEqualTo(one);
    assertThat(decoder.generate(Prompt.of(LONG), drawn.seed(2)).ids()).isNotEqualTo(one);
  }

  @Test
  void alternativesAreTheLikeliest() {
    Generation answer = decoder.generate(Prompt.of(LONG), ten.topLogProbabilities(3));
    for (int i = 0; i < answer.tokens().size(); i++) {
      List<TokenChoice> top = answer.alternatives().get(i);
      assertThat(top).hasSize(3);
      assertThat(top.get(0)).isEqualTo(answer.tokens().get(i));
      assertThat(top.get(0).logProbability()).isGreaterThanOrEqualTo(top.get(1).logProbability());
      assertThat(top.get(1).logProbability()).isGreaterThanOrEqualTo(top.get(2).logProbability());
    }
  }

  @Test
  void cancellingStopsBeforeTheNextStepAndTheSessionGoesOn() {
    Cancellation cancellation = new Cancellation();
    try (Session session = decoder.session()) {
      try (TextRun run = session.stream(Prompt.of(LONG), ten.cancellation(cancellation))) {
        run.next();
        run.next();
        int steps = model.steps.size();
        cancellation.cancel();
        assertThatThrownBy(run::next).isInstanceOf(CancelledException.class);
        assertThat(model.steps).hasSize(steps);
        assertThat(run.soFar().ids()).hasSize(2);
        assertThat(run.soFar().finish()).isEqualTo(FinishReason.UNFINISHED);
      }
      // In the middle of a prompt.
      Cancellation during = new Cancellation();
      model.before = during::cancel;
      assertThatThrownBy(
              () ->
                  session.generate(
                      Prompt.of(50, 51, 52, 53), ten.prefillChunk(2).cancellation(during)))
          .isInstanceOf(CancelledException.class);
      model.before = () -> {};
      assertThat(session.generate(Prompt.of(LONG), ten).ids())
          .isEqualTo(decoder.generate(Prompt.of(LONG), ten).ids());
    }
    // Batches and beams too.
    Cancellation thrown = new Cancellation();
    thrown.cancel();
    GenerationOptions stopped = ten.cancellation(thrown);
    assertThatThrownBy(() -> decoder.generate(List.of(Prompt.of(1)), stopped, 2))
        .isInstanceOf(CancelledException.class);
    assertThatThrownBy(() -> decoder.search(Prompt.of(1), stopped.beams(2)))
        .isInstanceOf(CancelledException.class);
  }

  @Test
  void anInterruptStops() {
    Thread.currentThread().interrupt();
    assertThatThrownBy(() -> decoder.generate(Prompt.of(1), ten))
        .isInstanceOf(CancelledException.class);
    assertThat(Thread.interrupted()).isTrue();
  }

  @Test
  void aFullContextIsRefusedBeforeWork() {
    Prompt prompt = Prompt.of(new int[155]);
    assertThatThrownBy(() -> decoder.generate(prompt, ten))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessage(
            "prompt: has 155 tokens and 10 new ones are asked for; the model's context holds 160"
                + " together. Ask for at most 5 new tokens");
    assertThatThrownBy(() -> decoder.generate(Prompt.of(new int[160]), GenerationOptions.GREEDY))
        .hasMessageContaining("Shorten the prompt");
    assertThatThrownBy(() -> decoder.generate(List.of(Prompt.of(1), prompt), ten, 2))
        .isInstanceOf(InvalidRequestException.class);
    assertThat(model.steps).isEmpty();
    assertThat(decoder.generate(prompt, GenerationOptions.GREEDY).tokens()).hasSize(5);
  }

  @Test
  void oneAnswerAtATimeAndNoneAfterClose() {
    Session session = decoder.session();
    TextRun run = session.stream(Prompt.of(LONG), ten);
    run.next();
    assertThatThrownBy(() -> session.stream(Prompt.of(1), ten))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("is writing another answer");
    run.close();
    run.close();
    assertThat(run.hasNext()).isFalse();
    assertThatThrownBy(run::next).isInstanceOf(ClosedException.class);
    session.generate(Prompt.of(1), ten);
    session.close();
    session.close();
    assertThatThrownBy(() -> session.generate(Prompt.of(1), ten))
        .isInstanceOf(ClosedException.class);
  }

  @Test
  void optionsOutOfRangeAreNamed() {
    GenerationOptions o = GenerationOptions.GREEDY;
    assertThatThrownBy(() -> o.maxTokens(0)).hasMessage("maxTokens: is 0; expected at least 1");
    assertThatThrownBy(() -> o.temperature(0)).hasMessageContaining("temperature: is 0.0");
    assertThatThrownBy(() -> o.topP(1.1f)).hasMessageContaining("topP: is 1.1");
    assertThatThrownBy(() -> o.minP(Float.NaN)).hasMessageContaining("minP: is NaN");
    assertThatThrownBy(() -> o.beams(0)).hasMessage("beams: is 0; expected at least 1");
    assertThatThrownBy(() -> o.stop(List.of(""))).hasMessageContaining("empty text");
    assertThatThrownBy(() -> decoder.search(Prompt.of(1), o.beams(2).best(3)))
        .hasMessageContaining("best: is 3");
    assertThatThrownBy(() -> decoder.search(Prompt.of(1), o.beams(2).sample(true)))
        .hasMessageContaining("does not draw");
    assertThatThrownBy(() -> decoder.generate(Prompt.of(1), o.stop(List.of("x"))))
        .hasMessageContaining("needs a tokenizer");
    assertThatThrownBy(() -> decoder.generate(Prompt.of(1), o.maxTokens(3).minTokens(4)))
        .hasMessageContaining("minTokens: is 4");
    assertThatThrownBy(Prompt::of).hasMessageContaining("ids: are none");
    assertThatThrownBy(() -> Prompt.of(1).positions(new int[2]))
        .hasMessageContaining("axis 0 has 2 positions for 1 ids");
  }

  @Test
  void overflowOfTheModelIsReported() {
    StepModel broken =
        new StepModel() {
          @Override
          public int vocabularySize() {
            return 3;
          }

          @Override
          public int contextLength() {
            return 50;
          }

          @Override
          public KvCache newCache(int rows, int capacity) {
            return model.newCache(rows, capacity);
          }

          @Override
          public Tensor step(KvCache cache, StepInput input, Cancellation cancellation) {
            return Tensor.of(new float[] {1, Float.NaN, 2}, 1, 3);
          }
        };
    assertThatThrownBy(() -> new Decoder(broken, null).generate(Prompt.of(1), ten))
        .isInstanceOf(EngineException.class)
        .hasMessageContaining("not numbers");
  }
}
