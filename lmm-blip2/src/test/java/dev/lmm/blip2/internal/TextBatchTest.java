package dev.lmm.blip2.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lmm.InvalidRequestException;
import dev.lmm.core.engine.Tensor;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Who attends to whom. */
class TextBatchTest {
  private final TextBatch batch = new TextBatch(List.of(new int[] {7, 8, 9}, new int[] {5}));

  private static String row(Tensor mask, int index, int length) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < length; i++) {
      text.append(mask.data().get(index * length + i));
    }
    return text.toString();
  }

  @Test
  void shorterTextsAreFilledUpAndHidden() {
    assertThat(batch.ids().shape()).containsExactly(2, 3);
    assertThat(row(batch.mask(), 0, 3)).isEqualTo("111");
    assertThat(row(batch.mask(), 1, 3)).isEqualTo("100");
  }

  @Test
  void togetherEverybodySeesQueriesAndText() {
    Tensor mask = batch.mask(2, true);
    assertThat(mask.shape()).containsExactly(2, 1, 5, 5);
    for (int from = 0; from < 5; from++) {
      assertThat(row(mask, from, 5)).isEqualTo("11111");
      assertThat(row(mask, 5 + from, 5)).isEqualTo("11100");
    }
  }

  @Test
  void apartEachKindSeesItself() {
    Tensor mask = batch.mask(2, false);
    for (int from = 0; from < 5; from++) {
      assertThat(row(mask, from, 5)).isEqualTo(from < 2 ? "11000" : "00111");
      assertThat(row(mask, 5 + from, 5)).isEqualTo(from < 2 ? "11000" : "00100");
    }
  }

  @Test
  void moreThanAMaskHoldsIsRefused() {
    TextBatch large = new TextBatch(Collections.nCopies(10_000, new int[512]));
    assertThatThrownBy(() -> large.mask(32, true))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("batchSize: 10000 texts of up to 512 tokens are too many at once");
  }
}
