package dev.lmm.core.hub;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lmm.core.checkpoint.CheckpointFiles;
import dev.lmm.core.checkpoint.CheckpointWeights;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A repository on a hub on the loopback interface, and a cache; nothing leaves the machine. */
// No test is timed; this only ends one that hangs.
@Timeout(600)
abstract class HubTesting {
  static final String ID = "owner/name";
  static final String WEIGHTS = "model.safetensors";

  @TempDir Path folder;
  final FakeHub hub = new FakeHub();
  HubOptions options;

  @BeforeEach
  void makeRepository() {
    hub.file("config.json", "{\"model_type\":\"clip\"}")
        .file("tokenizer.json", "{}")
        .file("merges.txt", "#version: 0.2\na b\n")
        .file(WEIGHTS, FakeHub.weights(100_000, 1), true)
        .file("pytorch_model.bin", FakeHub.random(2000, 2), true)
        .file("flax_model.msgpack", FakeHub.random(2000, 3), true)
        .file("tf_model.h5", FakeHub.random(2000, 4), true)
        .file("onnx/model.onnx", FakeHub.random(2000, 5), true)
        .file("README.md", "# Read me");
    options =
        HubOptions.from(Map.of("HF_ENDPOINT", hub.address().toString()), folder)
            .withCache(folder.resolve("hub"))
            .withPatience(Duration.ofSeconds(30), 3, Duration.ofMillis(5));
  }

  @AfterEach
  void stop() {
    hub.close();
  }

  Path storage() {
    return options.cache().resolve("models--owner--name");
  }

  Path blob(String name) {
    return storage().resolve("blobs").resolve(hub.etag(name));
  }

  /** Where the weights lie while they are being fetched. */
  Path partial() {
    return blob(WEIGHTS).resolveSibling(hub.etag(WEIGHTS) + ".lmm.incomplete");
  }

  void assertComplete(Path snapshot) throws IOException {
    assertThat(snapshot).isEqualTo(storage().resolve("snapshots").resolve(FakeHub.COMMIT));
    for (String name : List.of("config.json", "tokenizer.json", "merges.txt", WEIGHTS)) {
      assertThat(snapshot.resolve(name)).hasBinaryContent(hub.files.get(name));
    }
    assertThat(new HubCache(options.cache()).verify(ID)).isEmpty();
    try (CheckpointWeights weights = CheckpointFiles.open(snapshot)) {
      assertThat(weights.names()).containsExactly("w");
    }
  }

  /** The command that runs a class of these tests. */
  static List<String> java(Class<?> main, String argument) {
    return List.of(
        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "-cp",
        System.getProperty("java.class.path"),
        main.getName(),
        argument);
  }

  /** Waits until so much of the weights lies in the file that a later try continues. */
  void awaitPartial(long bytes) throws IOException {
    Path partial = partial();
    while (!Files.exists(partial) || Files.size(partial) < bytes) {
      pause(20);
    }
  }

  /** Never answers: until the hub is closed. */
  static void hang() {
    try {
      new CountDownLatch(1).await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  static void pause(int millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
