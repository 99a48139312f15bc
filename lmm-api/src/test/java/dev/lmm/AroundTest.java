package dev.lmm;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A request can be carried out by something around what carries it out, and keeps its options. */
class AroundTest {
  private final List<String> seen = new ArrayList<>();

  @Test
  void embedRequestsKeepTheirOptionsBeforeAndAfter() {
    Embeddings result = new Embeddings(1, 1, new float[] {1});
    EmbedRequest request =
        new EmbedRequest(
                r -> {
                  seen.add("run " + r.batchSize() + " " + r.isRaw());
                  return result;
                })
            .batchSize(3)
            .around(
                runner ->
                    r -> {
                      seen.add("before");
                      Embeddings made = runner.apply(r);
                      seen.add("after");
                      return made;
                    })
            .raw();
    assertThat(request.run()).isSameAs(result);
    assertThat(seen).containsExactly("before", "run 3 true", "after");
  }

  @Test
  void theOthersToo() {
    CaptionRequest caption =
        new CaptionRequest(
                (r, pieces) -> List.of(new Caption(r.prompt(), List.of(), List.of(), 0, true)))
            .prompt("a")
            .around(runner -> (r, pieces) -> runner.run(r.prompt(r.prompt() + "b"), pieces));
    assertThat(caption.run().text()).isEqualTo("ab");

    GenerateRequest generate =
        new GenerateRequest(
                "p",
                r -> {
                  seen.add(r.prompt() + " " + r.steps() + " " + r.seed());
                  return List.of();
                })
            .steps(4)
            .around(runner -> r -> runner.apply(r.seed(9)));
    assertThat(generate.run()).isEmpty();

    Image picture = Image.ofRgb(1, 1, new byte[3]);
    LocateRequest locate =
        new LocateRequest(
                picture,
                "q",
                r -> {
                  seen.add(r.query() + " " + r.maxTokens());
                  return new Located(List.of(), List.of());
                })
            .maxTokens(5)
            .around(runner -> r -> runner.apply(r.maxTokens(6)));
    assertThat(locate.run().regions()).isEmpty();

    MatchRequest match =
        new MatchRequest(
                r -> {
                  seen.add("match " + r.batchSize());
                  return List.of();
                })
            .around(runner -> r -> runner.apply(r.batchSize(2)));
    assertThat(match.run()).isEmpty();
    assertThat(seen).containsExactly("p 4 9", "q 6", "match 2");
  }
}
