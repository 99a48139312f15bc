package dev.lmm.core.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lmm.CheckpointException;
import dev.lmm.ModelNotFoundException;
import dev.lmm.core.graph.WeightSource;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Configs and headers of a model, and not a byte of its weights. */
@Timeout(600)
class HubOutlineTest {
  private static final String ID = "owner/name";
  private static final int LARGE = 5_000_000;

  @TempDir Path folder;
  private final FakeHub hub = new FakeHub();
  private HubOptions options;

  @BeforeEach
  void makeRepository() {
    hub.file("config.json", "{\"model_type\":\"clip\"}")
        .file("preprocessor_config.json", "{}")
        .file("tokenizer.json", FakeHub.random(3_000_000, 7), true)
        .file("model.safetensors", FakeHub.weights(LARGE, 1), true);
    options =
        HubOptions.from(Map.of("HF_ENDPOINT", hub.address().toString()), folder)
            .withCache(folder.resolve("hub"))
            .withPatience(Duration.ofSeconds(30), 1, Duration.ofMillis(5));
  }

  @AfterEach
  void stop() {
    hub.close();
  }

  private static WeightSource headers(HubOutline outline, Path of) {
    Map<Path, WeightSource> headers = outline.headers();
    assertThat(headers).isNotNull();
    return headers.get(of);
  }

  @Test
  void fetchesConfigsAndTheBeginningOfTheWeights() throws IOException {
    HubOutline outline = Hub.outline(ID, options);
    assertThat(outline.folder().resolve("config.json")).hasContent("{\"model_type\":\"clip\"}");
    assertThat(headers(outline, outline.folder()).shape("w")).containsExactly(LARGE);
    assertThat(hub.sent.get()).isBetween(1L, 200_000L);
    assertThat(HubCache.names(outline.folder()))
        .containsExactlyInAnyOrder("config.json", "preprocessor_config.json");
    assertThat(hub.requests("tokenizer.json")).isZero();
    // What is there now is no whole model, and nothing takes it for one.
    assertThatThrownBy(() -> Hub.resolve(ID, options.withOffline(true)))
        .isInstanceOf(ModelNotFoundException.class);
    assertThat(Hub.resolve(ID, options).resolve("model.safetensors"))
        .hasBinaryContent(hub.files.get("model.safetensors"));
  }

  @Test
  void aServerWithoutRangesIsLeftAfterTheHeader() {
    hub.ranges = false;
    HubOutline outline = Hub.outline(ID, options);
    assertThat(headers(outline, outline.folder()).shape("w")).containsExactly(LARGE);
  }

  @Test
  void aLongHeaderIsFetchedWhole() {
    String blanks = " ".repeat(300_000);
    byte[] header =
        ("{\"w\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}" + blanks)
            .getBytes(StandardCharsets.UTF_8);
    ByteBuffer file = ByteBuffer.allocate(8 + header.length + 4).order(ByteOrder.LITTLE_ENDIAN);
    file.putLong(header.length).put(header);
    hub.file("model.safetensors", file.array(), true);
    HubOutline outline = Hub.outline(ID, options);
    assertThat(headers(outline, outline.folder()).shape("w")).containsExactly(4);
  }

  @Test
  void aBrokenHeaderIsNamed() {
    hub.file("model.safetensors", FakeHub.random(1000, 3), true);
    assertThatThrownBy(() -> Hub.outline(ID, options))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("model.safetensors: header length");
  }

  @Test
  void filesWithoutAHeaderLeaveTheShapesToTheConfig() {
    hub.files.remove("model.safetensors");
    hub.file("pytorch_model.bin", FakeHub.random(LARGE, 2), true);
    HubOutline outline = Hub.outline(ID, options);
    assertThat(headers(outline, outline.folder()).isOpenEnded()).isTrue();
    assertThat(hub.requests("pytorch_model.bin")).isZero();
  }

  @Test
  void everyPartOfAPipelineAndEveryShardHasItsHeaders() throws IOException {
    hub.files.clear();
    hub.file(
            "model_index.json",
            "{\"_class_name\":\"P\",\"unet\":[\"d\",\"U\"],\"vae\":[\"d\",\"V\"]}")
        .file("unet/config.json", "{}")
        .file("unet/diffusion_pytorch_model.safetensors", FakeHub.weights(LARGE, 1), true)
        .file("vae/config.json", "{}")
        .file(
            "vae/diffusion_pytorch_model.safetensors.index.json",
            "{\"weight_map\":{\"w\":\"a.safetensors\"}}")
        .file("vae/a.safetensors", FakeHub.weights(7, 1), true);
    HubOutline outline = Hub.outline(ID, options);
    assertThat(headers(outline, outline.folder().resolve("unet")).shape("w"))
        .containsExactly(LARGE);
    assertThat(headers(outline, outline.folder().resolve("vae")).shape("w")).containsExactly(7);
    assertThat(Files.exists(outline.folder().resolve("vae/a.safetensors"))).isFalse();
  }

  @Test
  void aModelInTheCacheIsAskedForNothing() {
    Hub.resolve(ID, options);
    hub.log.clear();
    HubOutline outline = Hub.outline(ID, options);
    assertThat(outline.headers()).isNull();
    assertThat(outline.folder().resolve("model.safetensors")).exists();
    assertThat(hub.log).isEmpty();
  }

  @Test
  void offlineTheCacheMustHaveIt() {
    assertThatThrownBy(() -> Hub.outline(ID, options.withOffline(true)))
        .isInstanceOf(ModelNotFoundException.class)
        .hasMessageContaining("is not in the cache");
  }
}
