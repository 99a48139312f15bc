package dev.lmm.core.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lmm.Cancellation;
import dev.lmm.CancelledException;
import dev.lmm.CheckpointException;
import dev.lmm.ModelNotFoundException;
import dev.lmm.spi.DownloadOptions;
import dev.lmm.spi.LoadOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is fetched, and what is not. */
class HubDownloadTest extends HubTesting {
  @Test
  void fetchesWhatALoadNeedsAndNothingElse() throws IOException {
    Path snapshot = Hub.resolve(ID, options);
    assertComplete(snapshot);
    assertThat(HubCache.names(snapshot))
        .containsExactlyInAnyOrder("config.json", "tokenizer.json", "merges.txt", WEIGHTS);
    assertThat(storage().resolve("refs/main")).hasContent(FakeHub.COMMIT);
    assertThat(Files.readSymbolicLink(snapshot.resolve(WEIGHTS)).toString())
        .isEqualTo("../../blobs/" + hub.etag(WEIGHTS));
    assertThat(Files.isRegularFile(blob(WEIGHTS))).isTrue();
    assertThat(HubCache.names(storage().resolve("blobs"))).hasSize(4);
    assertThat(hub.requests("/resolve/")).isEqualTo(4);
    // Again: one question, no file.
    hub.log.clear();
    assertComplete(Hub.resolve(ID, options));
    assertThat(hub.log).hasSize(1);
    // A commit cannot change: no question either. Offline neither.
    hub.log.clear();
    assertComplete(Hub.resolve(ID + "@" + FakeHub.COMMIT, options));
    assertComplete(Hub.resolve(ID, options.withOffline(true)));
    assertThat(hub.log).isEmpty();
  }

  @Test
  void fetchesConfigAloneIfAsked() {
    Path snapshot = Hub.resolve(ID, options.withWeights(false));
    assertThat(HubCache.names(snapshot))
        .containsExactlyInAnyOrder("config.json", "tokenizer.json", "merges.txt");
    assertThat(Hub.resolve(ID, options.withWeights(false).withOffline(true))).isEqualTo(snapshot);
    assertThatThrownBy(() -> Hub.resolve(ID, options.withOffline(true)))
        .isInstanceOf(ModelNotFoundException.class)
        .hasMessageContaining("lacks " + WEIGHTS)
        .hasMessageContaining("HF_HUB_OFFLINE");
  }

  @Test
  void saysWhatToDoWhenOffline() {
    assertThatThrownBy(() -> Hub.resolve(ID, options.withOffline(true)))
        .isInstanceOf(ModelNotFoundException.class)
        .hasMessageContaining("owner/name: is not in the cache " + options.cache())
        .hasMessageContaining("load it once with network");
    assertThat(hub.log).isEmpty();
    assertThat(options.cache()).doesNotExist();
  }

  @Test
  void fetchesShards() throws IOException {
    hub.files.remove(WEIGHTS);
    hub.file(
            "model.safetensors.index.json",
            "{\"weight_map\":{\"a\":\"model-1.safetensors\",\"w\":\"model-2.safetensors\"}}")
        .file("model-1.safetensors", FakeHub.weights(5000, 7), true)
        .file("model-2.safetensors", FakeHub.weights(6000, 8), true)
        .file("model-3.safetensors", FakeHub.weights(6000, 9), true);
    Path snapshot = Hub.resolve(ID, options);
    assertThat(HubCache.names(snapshot))
        .contains("model-1.safetensors", "model-2.safetensors")
        .doesNotContain("model-3.safetensors");
    Files.delete(snapshot.resolve("model-2.safetensors"));
    assertThatThrownBy(() -> Hub.resolve(ID, options.withOffline(true)))
        .hasMessageContaining("lacks model-2.safetensors");
    // The blob is still there.
    hub.log.clear();
    assertThat(Hub.resolve(ID, options).resolve("model-2.safetensors")).exists();
    assertThat(hub.requests("/resolve/")).isZero();
    hub.file("model.safetensors.index.json", "{\"weight_map\":{\"a\":\"model-9.safetensors\"}}");
    hub.commit = "f".repeat(40);
    assertThatThrownBy(() -> Hub.resolve(ID, options))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("names model-9.safetensors, which the repository does not have");
  }

  @ParameterizedTest
  @ValueSource(strings = {"../x.safetensors", "/x.safetensors", "a/b.safetensors", "..", "x.py"})
  void refusesIndexNamesThatLeaveTheFolder(String name) {
    hub.files.remove(WEIGHTS);
    hub.file("model.safetensors.index.json", "{\"weight_map\":{\"a\":\"" + name + "\"}}");
    assertThatThrownBy(() -> Hub.resolve(ID, options))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("\"" + name + "\"; expected a plain name");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"../config.json", "a/../../b", "/etc/passwd", "..\\x", "C:\\x", "a/..", ".."})
  void refusesNamesThatLeaveTheFolder(String name) {
    hub.file(name, "x");
    assertThatThrownBy(() -> Hub.resolve(ID, options))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("leaves the model's folder");
    assertThat(storage()).doesNotExist();
  }

  @Test
  void fetchesThePartsOfAPipeline() {
    hub.files.clear();
    hub.file(
            "model_index.json",
            "{\"_class_name\":\"P\",\"unet\":[\"diffusers\",\"U\"],\"vae\":[\"diffusers\",\"V\"],"
                + "\"safety_checker\":[\"s\",\"S\"],\"tokenizer\":[\"t\",\"T\"]}")
        .file("unet/config.json", "{}")
        .file("unet/diffusion_pytorch_model.safetensors", FakeHub.weights(10, 1), true)
        .file("unet/diffusion_pytorch_model.fp16.safetensors", FakeHub.weights(10, 2), true)
        .file("unet/diffusion_pytorch_model.bin", FakeHub.random(10, 3), true)
        .file("vae/config.json", "{ }")
        .file("vae/diffusion_pytorch_model.safetensors", FakeHub.weights(10, 4), true)
        .file("safety_checker/model.safetensors", FakeHub.weights(10, 5), true)
        .file("other/model.safetensors", FakeHub.weights(10, 6), true)
        .file("tokenizer/vocab.json", "{}")
        .file("v1-5-pruned.ckpt", FakeHub.random(10, 7), true);
    assertThat(HubCache.names(Hub.resolve(ID, options)))
        .containsExactlyInAnyOrder(
            "model_index.json",
            "tokenizer/vocab.json",
            "unet/config.json",
            "unet/diffusion_pytorch_model.safetensors",
            "vae/config.json",
            "vae/diffusion_pytorch_model.safetensors");
    assertThat(HubCache.names(Hub.resolve(ID, options.withVariant("fp16"))))
        .contains("unet/diffusion_pytorch_model.fp16.safetensors");
  }

  @Test
  void keepsTheOldSnapshotWhenABranchMoves() throws IOException {
    Path old = Hub.resolve(ID, options);
    hub.commit = "f".repeat(40);
    hub.file("config.json", "{\"new\":1}");
    hub.log.clear();
    Path fresh = Hub.resolve(ID, options);
    assertThat(fresh).isNotEqualTo(old);
    assertThat(fresh.resolve("config.json")).hasContent("{\"new\":1}");
    // The weights did not change: not sent again.
    assertThat(hub.requests("/resolve/")).isEqualTo(1);
    assertThat(Hub.resolve(ID + "@" + FakeHub.COMMIT, options.withOffline(true))).isEqualTo(old);
    assertThat(Hub.resolve(ID, options.withOffline(true))).isEqualTo(fresh);
  }

  @Test
  void takesWhatALoadAsksFor() throws IOException {
    List<String> heard = new ArrayList<>();
    Cancellation cancellation = new Cancellation();
    LoadOptions load =
        LoadOptions.DEFAULT
            .withRandomWeights(OptionalLong.of(1))
            .withDownload(
                DownloadOptions.DEFAULT
                    .withCache(folder.resolve("elsewhere"))
                    .withVariant("fp16")
                    .withListener((done, total) -> heard.add(done + "/" + total))
                    .withCancellation(cancellation));
    HubOptions merged = options.with(load);
    assertThat(merged.cache()).isEqualTo(folder.resolve("elsewhere"));
    assertThat(merged.variant()).isEqualTo("fp16");
    assertThat(merged.weights()).isFalse();
    assertThat(merged.offline()).isFalse();
    assertThat(options.with(load.withOffline(true)).offline()).isTrue();
    assertThat(options.with(LoadOptions.DEFAULT)).isEqualTo(options);
    Path snapshot = Hub.resolve(ID, merged.withVariant("").withWeights(true));
    assertThat(snapshot).startsWith(folder.resolve("elsewhere"));
    int total = 0;
    for (String name : List.of("config.json", "tokenizer.json", "merges.txt", WEIGHTS)) {
      total += hub.files.get(name).length;
    }
    assertThat(heard).isNotEmpty().last().isEqualTo(total + "/" + total);
    cancellation.cancel();
    assertThatThrownBy(() -> Hub.resolve(ID, merged)).isInstanceOf(CancelledException.class);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "a/b/c",
        "../b",
        "a/..",
        "a/b@",
        "a/b@../x",
        "a/b@x//y",
        "a--b/c",
        "a b/c",
        "a/b@x/",
        "/b",
        "a/",
        "a/b.",
        "a/b@-x",
        "a\\b"
      })
  void refusesIdsThatAreNone(String id) {
    assertThatThrownBy(() -> Hub.resolve(id, options))
        .isInstanceOf(ModelNotFoundException.class)
        .hasMessageContaining("is no hub id");
    assertThat(HubId.looksLike(id)).isFalse();
  }
}
