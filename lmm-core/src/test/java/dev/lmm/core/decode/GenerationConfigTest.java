package dev.lmm.core.decode;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lmm.CheckpointException;
import dev.lmm.core.decode.GenerationOptions.EarlyStopping;
import dev.lmm.core.json.Json;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GenerationConfigTest {
  private static GenerationConfig of(String json) {
    return GenerationConfig.of(Json.parse(json.getBytes(StandardCharsets.UTF_8), "g.json"));
  }

  @Test
  void readsWhatQwenPublishes() {
    GenerationConfig config =
        of(
            "{\"bos_token_id\":151643,\"pad_token_id\":151643,\"do_sample\":true,\"eos_token_id\":"
                + "[151645,151643],\"repetition_penalty\":1.05,\"temperature\":0.000001}");
    assertThat(config.endIds()).containsExactly(151645, 151643);
    assertThat(config.options().sample()).isTrue();
    assertThat(config.options().temperature()).isEqualTo(1e-6f);
    assertThat(config.options().repetitionPenalty()).isEqualTo(1.05f);
    assertThat(config.options().topK()).isEqualTo(50);
    assertThat(config.ignored()).isEmpty();
  }

  @Test
  void readsBeamsAndNamesWhatItLeavesOut() {
    GenerationConfig config =
        of(
            "{\"eos_token_id\":1,\"decoder_start_token_id\":0,\"num_beams\":4,\"early_stopping\":true,"
                + "\"length_penalty\":2.0,\"typical_p\":0.9,\"suppress_tokens\":[],\"bad_words_ids\":[[3]],"
                + "\"temperature\":0.5,\"max_new_tokens\":128,\"guidance_scale\":null}");
    assertThat(config.options().beams()).isEqualTo(4);
    assertThat(config.options().earlyStopping()).isEqualTo(EarlyStopping.TRUE);
    assertThat(config.options().lengthPenalty()).isEqualTo(2);
    assertThat(config.options().maxTokens()).isEqualTo(128);
    assertThat(config.options().temperature()).as("only for drawing").isEqualTo(1);
    assertThat(config.startId()).isZero();
    assertThat(config.ignored()).containsExactly("bad_words_ids", "typical_p");
  }

  @Test
  void absentIsTheReferencesDefault(@TempDir Path folder) {
    GenerationConfig config = GenerationConfig.read(folder);
    assertThat(config.options().sample()).isFalse();
    assertThat(config.options().beams()).isEqualTo(1);
    assertThat(config.endIds()).isEmpty();
    assertThat(config.startId()).isEqualTo(-1);
  }

  @Test
  void wrongValuesAreNamed() {
    assertThatThrownBy(() -> of("{\"do_sample\":true,\"top_p\":3}"))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("g.json: topP: is 3.0");
    assertThatThrownBy(() -> of("{\"early_stopping\":\"soon\"}"))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("never");
  }
}
