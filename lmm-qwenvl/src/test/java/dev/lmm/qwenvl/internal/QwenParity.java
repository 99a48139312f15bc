package dev.lmm.qwenvl.internal;

import static dev.lmm.qwenvl.internal.QwenGolden.assertClose;
import static org.assertj.core.api.Assertions.assertThat;

import dev.lmm.Cancellation;
import dev.lmm.core.decode.Decoder;
import dev.lmm.core.decode.Generation;
import dev.lmm.core.decode.KvCache;
import dev.lmm.core.decode.Prompt;
import dev.lmm.core.decode.StepInput;
import dev.lmm.core.decode.StepModel;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.json.Json;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The numbers of transformers, on one engine. */
public abstract class QwenParity {
  private final String engine;

  protected QwenParity(String engine) {
    this.engine = engine;
  }

  /** Pictures and videos of all sizes: what the language model gets of them. */
  @ParameterizedTest
  @ValueSource(strings = {"qwen4", "qwen5", "qwen2"})
  void featuresEqualTheReference(String name) {
    try (QwenGolden golden = new QwenGolden(name, engine)) {
      for (String media :
          List.of("wide", "tall", "square", "small", "strip", "clip", "slow", "one")) {
        Tensor features = features(golden, golden.seen(media));
        assertClose(media, features.toFloats(), golden.floats("features." + media), 1e-4);
      }
    }
  }

  private static Tensor features(QwenGolden golden, Seen seen) {
    Prompt prompt = golden.model.prompt(List.of(new Message("user", "a", List.of(seen))), null);
    return prompt.embedded().get(0).values().get();
  }

  /** Logits of the first token, and 64 tokens with the model's own log-probabilities. */
  @ParameterizedTest
  @ValueSource(strings = {"qwen4", "qwen5", "qwen2"})
  void answersEqualTheReference(String name) {
    try (QwenGolden golden = new QwenGolden(name, engine)) {
      List<Json> cases = golden.cases();
      for (int i = 0; i < cases.size(); i++) {
        Json one = cases.get(i);
        Prompt prompt = golden.model.prompt(golden.messages(one), null);
        assertThat(prompt.ids()).as("ids of %d", i).isEqualTo(one.at("ids").ints());
        FirstLogits first = new FirstLogits(golden.model.language());
        Generation answer =
            new Decoder(first, null, golden.model.ends())
                .generate(prompt, golden.model.defaults().maxTokens(64).minTokens(64));
        assertClose("positions of " + i, first.positions(), positions(one), 0);
        assertClose("logits of " + i, first.logits, golden.floats("logits." + i), 1e-4);
        assertThat(answer.ids()).as("tokens of %d", i).isEqualTo(one.at("answer").ints());
        double[] expected = one.at("logprobs").doubles();
        for (int k = 0; k < expected.length; k++) {
          double own = answer.tokens().get(k).logProbability();
          assertThat(Math.abs(own - expected[k])).as("token %d of %d", k, i).isLessThan(3e-4);
        }
      }
    }
  }

  /** Chunks of a prompt, picture and all, give what the whole gives. */
  @Test
  void chunksEqualTheWhole() {
    try (QwenGolden golden = new QwenGolden("qwen5", engine)) {
      Json one = golden.cases().get(8);
      Prompt prompt = golden.model.prompt(golden.messages(one), null);
      Generation answer =
          new Decoder(golden.model.language(), null, golden.model.ends())
              .generate(
                  prompt, golden.model.defaults().maxTokens(64).minTokens(64).prefillChunk(17));
      assertThat(answer.ids()).isEqualTo(one.at("answer").ints());
    }
  }

  private static float[] positions(Json one) {
    List<Float> all = new ArrayList<>();
    for (Json axis : one.at("positions").elements()) {
      Arrays.stream(axis.ints()).forEach(p -> all.add((float) p));
    }
    float[] values = new float[all.size()];
    IntStream.range(0, values.length).forEach(i -> values[i] = all.get(i));
    return values;
  }

  /** What the model thinks of the token after a prompt. */
  static float[] firstLogits(QwenModel model, Prompt prompt) {
    FirstLogits first = new FirstLogits(model.language());
    new Decoder(first, null, model.ends()).generate(prompt, model.defaults().maxTokens(1));
    return first.logits;
  }

  /** Keeps what the prompt's steps were given and gave. */
  private static final class FirstLogits implements StepModel {
    private final StepModel model;
    private final List<int[][]> steps = new ArrayList<>();
    float[] logits = {};

    FirstLogits(StepModel model) {
      this.model = model;
    }

    float[] positions() {
      return flat(IntStream.range(0, 3).boxed().flatMap(axis -> steps.stream().map(s -> s[axis])));
    }

    private static float[] flat(Stream<int[]> parts) {
      int[] all = parts.flatMapToInt(Arrays::stream).toArray();
      float[] values = new float[all.length];
      IntStream.range(0, all.length).forEach(i -> values[i] = all[i]);
      return values;
    }

    @Override
    public int vocabularySize() {
      return model.vocabularySize();
    }

    @Override
    public int contextLength() {
      return model.contextLength();
    }

    @Override
    public KvCache newCache(int rows, int capacity) {
      return model.newCache(rows, capacity);
    }

    @Override
    public @Nullable Tensor step(
        KvCache cache, StepInput input, @Nullable Cancellation cancellation) {
      Tensor made = model.step(cache, input, cancellation);
      if (logits.length == 0) {
        steps.add(input.positions());
        if (made != null) {
          logits = made.toFloats();
        }
      }
      return made;
    }
  }
}
