package dev.lmm.core.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lmm.InvalidRequestException;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the environment says. */
class HubOptionsTest {
  @TempDir Path folder;

  @Test
  void readsTheEnvironment() throws IOException {
    Path home = folder;
    HubOptions plain = HubOptions.from(Map.of(), home);
    assertThat(plain.cache()).isEqualTo(home.resolve(".cache/huggingface/hub"));
    assertThat(plain.endpoint()).isEqualTo(URI.create("https://huggingface.co"));
    assertThat(plain.token()).isNull();
    assertThat(plain.offline()).isFalse();
    assertThat(plain.symlinks()).isTrue();
    assertThat(plain.timeout()).isEqualTo(Duration.ofSeconds(10));
    assertThat(HubOptions.from(Map.of("XDG_CACHE_HOME", "/x"), home).cache())
        .isEqualTo(Path.of("/x/huggingface/hub"));
    assertThat(HubOptions.from(Map.of("HF_HOME", "~/hf"), home).cache())
        .isEqualTo(home.resolve("hf/hub"));
    assertThat(HubOptions.from(Map.of("HF_HOME", "$A/${B}", "A", "/a", "B", "b"), home).cache())
        .isEqualTo(Path.of("/a/b/hub"));
    assertThat(HubOptions.from(Map.of("HUGGINGFACE_HUB_CACHE", "/y"), home).cache())
        .isEqualTo(Path.of("/y"));
    assertThat(
            HubOptions.from(
                    Map.of("HF_HOME", "/h", "HF_HUB_CACHE", "/z", "HUGGINGFACE_HUB_CACHE", "/y"),
                    home)
                .cache())
        .isEqualTo(Path.of("/z"));
    assertThat(
            HubOptions.from(Map.of("HF_ENDPOINT", "https://mirror.example/hf/"), home).endpoint())
        .isEqualTo(URI.create("https://mirror.example/hf"));
    for (String yes : List.of("1", "true", "YES", "on")) {
      assertThat(HubOptions.from(Map.of("HF_HUB_OFFLINE", yes), home).offline()).isTrue();
    }
    assertThat(HubOptions.from(Map.of("HF_HUB_OFFLINE", "0"), home).offline()).isFalse();
    assertThat(HubOptions.from(Map.of("HF_TOKEN", " hf_a\n"), home).token()).isEqualTo("hf_a");
    Files.createDirectories(home.resolve(".cache/huggingface"));
    Files.writeString(home.resolve(".cache/huggingface/token"), "hf_file\n");
    assertThat(HubOptions.from(Map.of(), home).token()).isEqualTo("hf_file");
    assertThat(HubOptions.from(Map.of("HF_TOKEN", "hf_a"), home).token()).isEqualTo("hf_a");
    assertThat(HubOptions.from(Map.of("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1"), home).token())
        .isNull();
    assertThat(HubOptions.from(Map.of("HF_HUB_DOWNLOAD_TIMEOUT", "30"), home).timeout())
        .isEqualTo(Duration.ofSeconds(30));
    assertThat(HubOptions.from(Map.of("HF_TOKEN", "hf_a"), home).toString()).doesNotContain("hf_a");
    assertThatThrownBy(() -> HubOptions.from(Map.of("HF_ENDPOINT", "ftp://x"), home))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("HF_ENDPOINT");
    assertThatThrownBy(() -> HubOptions.from(Map.of("HF_TOKEN", "a b"), home))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageNotContaining("a b");
  }
}
