package dev.lmm.core.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lmm.Cancellation;
import dev.lmm.CancelledException;
import dev.lmm.CheckpointException;
import dev.lmm.InvalidRequestException;
import dev.lmm.ModelNotFoundException;
import dev.lmm.core.checkpoint.CheckpointFiles;
import dev.lmm.core.checkpoint.CheckpointWeights;
import dev.lmm.spi.DownloadOptions;
import dev.lmm.spi.LoadOptions;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Downloads from a hub on the loopback interface; nothing here leaves the machine. */
// No test is timed; this only ends one that hangs.
@Timeout(600)
class HubTest {
  private static final String ID = "owner/name";
  private static final String WEIGHTS = "model.safetensors";

  @TempDir Path folder;
  private final FakeHub hub = new FakeHub();
  private HubOptions options;

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

  private Path storage() {
    return options.cache().resolve("models--owner--name");
  }

  private Path blob(String name) {
    return storage().resolve("blobs").resolve(hub.etag(name));
  }

  private void assertComplete(Path snapshot) throws IOException {
    assertThat(snapshot).isEqualTo(storage().resolve("snapshots").resolve(FakeHub.COMMIT));
    for (String name : List.of("config.json", "tokenizer.json", "merges.txt", WEIGHTS)) {
      assertThat(snapshot.resolve(name)).hasBinaryContent(hub.files.get(name));
    }
    assertThat(new HubCache(options.cache()).verify(ID)).isEmpty();
    try (CheckpointWeights weights = CheckpointFiles.open(snapshot)) {
      assertThat(weights.names()).containsExactly("w");
    }
  }

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

  // Connections that break.

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8, 9})
  void resumesWhereAConnectionWasCut(int tenth) throws IOException {
    int length = hub.files.get(WEIGHTS).length;
    hub.sender = FakeHub.cut(length * tenth / 10 + 1);
    assertComplete(Hub.resolve(ID, options));
    // Every byte was sent once.
    assertThat(hub.requests(WEIGHTS + " range=bytes")).isEqualTo(9 / tenth);
  }

  @Test
  void resumesWhatAnotherProcessLeft() throws IOException {
    byte[] whole = hub.files.get(WEIGHTS);
    Path partial = blob(WEIGHTS).resolveSibling(hub.etag(WEIGHTS) + ".lmm.incomplete");
    Files.createDirectories(partial.getParent());
    Files.write(partial, Arrays.copyOf(whole, 30_000));
    List<DownloadProgress> seen = new ArrayList<>();
    assertComplete(Hub.resolve(ID, options.withListener(seen::add)));
    assertThat(hub.requests("range=bytes=30000-")).isEqualTo(1);
    assertThat(partial).doesNotExist();
    DownloadProgress last = seen.get(seen.size() - 1);
    assertThat(last.done()).isEqualTo(last.total());
    assertThat(last.bytesPerSecond()).isPositive();
  }

  @Test
  void startsAgainWhereAPartialFileIsDamaged() throws IOException {
    Path partial = blob(WEIGHTS).resolveSibling(hub.etag(WEIGHTS) + ".lmm.incomplete");
    Files.createDirectories(partial.getParent());
    for (int length : new int[] {30_000, hub.files.get(WEIGHTS).length, 500_000}) {
      Files.write(partial, new byte[length]);
      assertComplete(Hub.resolve(ID, options));
      new HubCache(options.cache()).remove(ID);
      Files.createDirectories(partial.getParent());
    }
  }

  @Test
  void startsAgainWhereTheServerKnowsNoRanges() throws IOException {
    hub.ranges = false;
    FakeHub.Sender cut = FakeHub.cut(40_000);
    hub.sender =
        (exchange, body, from) -> {
          if (hub.requests(WEIGHTS) == 1) {
            cut.send(exchange, body, from);
          } else {
            FakeHub.whole(exchange, body, from);
          }
        };
    assertComplete(Hub.resolve(ID, options));
  }

  @Test
  void givesUpOnAServerThatSendsNothing() {
    hub.sender = FakeHub.cut(0);
    assertThatThrownBy(() -> Hub.resolve(ID, options))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("config.json of owner/name cannot be fetched");
    assertThat(hub.requests("config.json")).isEqualTo(4);
    assertThat(storage().resolve("refs/main")).doesNotExist();
  }

  @Test
  void takesASlowDripForABrokenConnection() {
    hub.sender =
        (exchange, body, from) -> {
          FakeHub.start(exchange, body.length, from);
          OutputStream out = exchange.getResponseBody();
          for (int i = from; i < body.length; i++) {
            out.write(body[i]);
            out.flush();
            pause(100);
          }
        };
    hub.file("config.json", " ".repeat(5000) + "{}");
    assertThatThrownBy(
            () ->
                Hub.resolve(
                    ID, options.withPatience(Duration.ofSeconds(5), 0, Duration.ofMillis(1))))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("less than 1024 bytes came in 5000 ms");
  }

  @Test
  void givesUpOnAServerThatNeverAnswers() {
    hub.sender = (exchange, body, from) -> hang();
    assertThatThrownBy(
            () ->
                Hub.resolve(
                    ID, options.withPatience(Duration.ofSeconds(3), 1, Duration.ofMillis(1))))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("timed out");
  }

  /** Waits until so much of the weights lies in the file that a later try continues. */
  private void awaitPartial(long bytes) throws IOException {
    Path partial = blob(WEIGHTS).resolveSibling(hub.etag(WEIGHTS) + ".lmm.incomplete");
    while (!Files.exists(partial) || Files.size(partial) < bytes) {
      pause(20);
    }
  }

  /** Never answers: until the hub is closed. */
  private static void hang() {
    try {
      new CountDownLatch(1).await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void pause(int millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  void waitsAsLongAsTheHubAsks() throws IOException {
    hub.refuse("/api/", 429, "Retry-After", "1");
    hub.refuse("config.json", 503);
    hub.refuse(WEIGHTS, 500);
    hub.refuse(WEIGHTS, 502);
    hub.refuse(WEIGHTS, 504);
    long start = System.nanoTime();
    assertComplete(Hub.resolve(ID, options));
    assertThat(System.nanoTime() - start).isGreaterThan(950_000_000L);
    assertThat(hub.requests(WEIGHTS)).isEqualTo(4);
  }

  @Test
  void givesUpOnAHubThatIsBusyForever() {
    for (int i = 0; i < 4; i++) {
      hub.refuse("/api/", 429);
    }
    assertThatThrownBy(() -> Hub.resolve(ID, options))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("429 (too many requests)");
  }

  @Test
  void fallsBackOnTheCache() throws IOException {
    Hub.resolve(ID, options);
    hub.refuse("/api/", 503);
    assertComplete(Hub.resolve(ID, options));
    hub.close();
    assertComplete(Hub.resolve(ID, options));
    assertThatThrownBy(() -> Hub.resolve("owner/other", options))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("the list of files of owner/other cannot be fetched from")
        .hasMessageContaining("it cannot be reached")
        .hasMessageContaining("HF_ENDPOINT");
  }

  // Content that is not what was promised.

  @Test
  void refusesContentOfAnotherHash() {
    byte[] other = hub.files.get(WEIGHTS).clone();
    other[50_000] ^= 1;
    hub.sender =
        (exchange, body, from) ->
            FakeHub.whole(exchange, body == hub.files.get(WEIGHTS) ? other : body, from);
    assertThatThrownBy(() -> Hub.resolve(ID, options))
        .isInstanceOf(HubException.class)
        .hasMessageContaining(WEIGHTS + " has the hash " + FakeHub.sha256(other))
        .hasMessageContaining("the hub lists " + hub.etag(WEIGHTS));
    assertThat(blob(WEIGHTS)).doesNotExist();
    assertThat(hub.requests(WEIGHTS)).isEqualTo(2);
    assertThat(storage().resolve("snapshots/" + FakeHub.COMMIT + "/" + WEIGHTS)).doesNotExist();
  }

  @Test
  void refusesSmallFilesOfAnotherHash() {
    hub.sender = (exchange, body, from) -> FakeHub.whole(exchange, new byte[body.length], from);
    assertThatThrownBy(() -> Hub.resolve(ID, options))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("config.json has the hash");
  }

  @ParameterizedTest
  @ValueSource(ints = {-5, 5})
  void refusesContentOfAnotherSize(int more) {
    hub.sender =
        (exchange, body, from) ->
            FakeHub.whole(exchange, Arrays.copyOf(body, body.length + more), from);
    assertThatThrownBy(() -> Hub.resolve(ID, options))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("config.json is sent with " + (21 + more) + " bytes")
        .hasMessageContaining("lists 21");
  }

  @Test
  void refusesChunkedContentThatGoesOn() {
    hub.sender =
        (exchange, body, from) -> {
          exchange.sendResponseHeaders(200, 0);
          exchange.getResponseBody().write(new byte[body.length + 1]);
        };
    assertThatThrownBy(() -> Hub.resolve(ID, options))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("goes on after the 21 bytes");
  }

  @Test
  void acceptsChunkedContent() throws IOException {
    hub.sender =
        (exchange, body, from) -> {
          exchange.sendResponseHeaders(200, 0);
          exchange.getResponseBody().write(body);
        };
    assertComplete(Hub.resolve(ID, options));
  }

  @Test
  void refusesARangeNobodyAskedFor() {
    byte[] whole = hub.files.get(WEIGHTS);
    hub.sender =
        (exchange, body, from) -> {
          if (from == 0) {
            FakeHub.cut(40_000).send(exchange, body, 0);
          } else {
            exchange
                .getResponseHeaders()
                .add("Content-Range", "bytes 10-" + (whole.length - 1) + "/" + whole.length);
            exchange.sendResponseHeaders(206, whole.length - from);
            exchange.getResponseBody().write(whole, from, whole.length - from);
          }
        };
    assertThatThrownBy(() -> Hub.resolve(ID, options))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("comes with the range \"bytes 10-");
  }

  @Test
  void asksForHashesThatTheListLacks() throws IOException {
    hub.hashes = false;
    assertComplete(Hub.resolve(ID, options));
    assertThat(hub.requests("HEAD ")).isEqualTo(4);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "<html>|no valid JSON",
        "{}|sha is missing",
        "{\"sha\":\"main\",\"siblings\":[]}|sha is main; expected 40 hexadecimal digits",
        "{\"sha\":\"../../../etc\",\"siblings\":[]}|expected 40 hexadecimal digits",
        "{\"sha\":\"0123456789abcdef0123456789abcdef01234567\",\"siblings\":[]}|neither config.json",
        "{\"sha\":\"0123456789abcdef0123456789abcdef01234567\",\"siblings\":[{\"rfilename\":\"config.json\",\"size\":-1,\"blobId\":\"x\"}]}|git's hash",
        "{\"sha\":\"0123456789abcdef0123456789abcdef01234567\",\"siblings\":[{\"rfilename\":7}]}|expected a string"
      })
  void refusesListsThatAreNone(String body, String message) throws IOException {
    try (FakeHub broken = new FakeHub()) {
      broken.file("config.json", "x");
      // Answered by a redirect to a file, which is sent as it is.
      broken.file("list", body);
      broken.refuse("/api/", 302, "Location", "/a/b/resolve/main/list");
      assertThatThrownBy(() -> Hub.resolve(ID, options.withEndpoint(broken.address())))
          .isInstanceOfAny(HubException.class, CheckpointException.class)
          .hasMessageContaining(message);
    }
  }

  // Redirects and tokens.

  @Test
  void keepsTheTokenFromOtherHosts() throws IOException {
    try (FakeHub store = new FakeHub()) {
      store.files.putAll(hub.files);
      store.large.clear();
      hub.store = store.address().toString();
      assertComplete(Hub.resolve(ID, options.withToken("hf_secret")));
      assertThat(hub.log).allMatch(line -> line.endsWith("authorization=Bearer hf_secret"));
      assertThat(store.log).hasSize(1);
      assertThat(store.log).allMatch(line -> line.endsWith("authorization=null"));
    }
  }

  @Test
  void followsARepositoryThatMoved() throws IOException {
    hub.refuse("/api/", 307, "Location", "/api/models/new/name/revision/main?blobs=true");
    assertComplete(Hub.resolve(ID, options.withToken("hf_secret")));
    assertThat(hub.log).allMatch(line -> line.endsWith("authorization=Bearer hf_secret"));
  }

  @Test
  void refusesRedirectsThatLeadNowhere() {
    hub.refuse("/api/", 302, "Location", "file:///etc/passwd");
    assertThatThrownBy(() -> Hub.resolve(ID, options)).hasMessageContaining("as safe as the first");
    hub.refuse("/api/", 302, "Location", "::");
    assertThatThrownBy(() -> Hub.resolve(ID, options)).hasMessageContaining("is redirected to");
    hub.refuse("/api/", 302);
    assertThatThrownBy(() -> Hub.resolve(ID, options)).hasMessageContaining("is redirected to");
    for (int i = 0; i < 9; i++) {
      hub.refuse("/api/", 302, "Location", "/api/models/a/b/revision/" + i);
    }
    assertThatThrownBy(() -> Hub.resolve(ID, options)).hasMessageContaining("more than 6 times");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      nullValues = "-",
      value = {
        "401|RepoNotFound|-|does not exist, or is private|set HF_TOKEN",
        "401|-|hf_x|not given to the token|wrong or expired",
        "401|GatedRepo|-|is gated: accept its terms at|then set HF_TOKEN",
        "403|GatedRepo|hf_x|is gated: accept its terms at|read access",
        "403|-|hf_x|forbidden to the account of the token|ask for access",
        "404|RepoNotFound|-|does not exist, or is private|check its spelling",
        "404|-|hf_x|does not exist, or is hidden|check it at",
        "404|RevisionNotFound|-|has no revision main|/tree/main",
        "418|-|-|cannot be fetched: an unexpected answer|418"
      })
  void saysWhyTheHubRefuses(int status, String code, String token, String what, String advice) {
    hub.refuse("/api/", status, code == null ? "X-None" : "X-Error-Code", code == null ? "" : code);
    assertThatThrownBy(() -> Hub.resolve(ID, options.withToken(token)))
        .isInstanceOf(HubException.class)
        .hasMessageStartingWith("owner/name: ")
        .hasMessageContainingAll(what, advice, "answers " + status)
        .satisfies(e -> assertThat(e.getMessage()).doesNotContain("hf_x"));
    assertThat(hub.log).hasSize(1);
  }

  @Test
  void saysWhyAGatedFileIsRefused() {
    hub.refuse("/resolve/", 403, "X-Error-Code", "GatedRepo");
    assertThatThrownBy(() -> Hub.resolve(ID, options.withToken("hf_x")))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("is gated");
  }

  // Several at once, and caches that cannot be written.

  @Test
  void letsSeveralThreadsAskAtOnce() throws Exception {
    hub.sender =
        (exchange, body, from) -> {
          pause(50);
          FakeHub.whole(exchange, body, from);
        };
    ExecutorService threads = Executors.newFixedThreadPool(6);
    List<Future<Path>> results = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      results.add(threads.submit(() -> Hub.resolve(ID, options)));
    }
    for (Future<Path> result : results) {
      assertComplete(result.get());
    }
    threads.shutdown();
    // Each file was sent once.
    assertThat(hub.requests("/resolve/")).isEqualTo(4);
  }

  @Test
  void letsSeveralProcessesAskAtOnce() throws Exception {
    hub.sender =
        (exchange, body, from) -> {
          pause(100);
          FakeHub.whole(exchange, body, from);
        };
    List<Process> processes = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      processes.add(process("ok"));
    }
    for (Process process : processes) {
      assertThat(process.waitFor()).isZero();
    }
    assertComplete(Hub.resolve(ID, options.withOffline(true)));
    assertThat(hub.requests("/resolve/")).isEqualTo(4);
  }

  @Test
  void goesOnAfterAProcessWasKilled() throws Exception {
    CountDownLatch half = new CountDownLatch(1);
    hub.sender =
        (exchange, body, from) -> {
          if (body != hub.files.get(WEIGHTS) || half.getCount() == 0) {
            FakeHub.whole(exchange, body, from);
            return;
          }
          FakeHub.start(exchange, body.length, from);
          exchange.getResponseBody().write(body, 0, 60_000);
          exchange.getResponseBody().flush();
          half.countDown();
          hang();
        };
    Process process = process("killed");
    half.await();
    awaitPartial(60_000);
    process.destroyForcibly().waitFor();
    assertComplete(Hub.resolve(ID, options));
    assertThat(hub.requests("range=bytes=60000-")).isEqualTo(1);
  }

  private Process process(String name) throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-cp",
            System.getProperty("java.class.path"),
            HubProcess.class.getName(),
            ID);
    builder.environment().put("HF_ENDPOINT", hub.address().toString());
    builder.environment().put("HF_HUB_CACHE", options.cache().toString());
    builder.redirectErrorStream(true);
    builder.redirectOutput(folder.resolve(name + System.nanoTime() + ".txt").toFile());
    return builder.start();
  }

  @Test
  void stopsWhenCancelledAndKeepsWhatItHas() throws IOException {
    Cancellation cancellation = new Cancellation();
    hub.sender =
        (exchange, body, from) -> {
          if (body == hub.files.get(WEIGHTS) && from == 0) {
            FakeHub.start(exchange, body.length, from);
            exchange.getResponseBody().write(body, 0, 60_000);
            exchange.getResponseBody().flush();
            awaitPartial(60_000);
            cancellation.cancel();
            hang();
          } else {
            FakeHub.whole(exchange, body, from);
          }
        };
    assertThatThrownBy(() -> Hub.resolve(ID, options.withCancellation(cancellation)))
        .isInstanceOf(CancelledException.class);
    assertComplete(Hub.resolve(ID, options));
    assertThat(hub.requests("range=bytes=60000-")).isEqualTo(1);
  }

  @Test
  void stopsWhenInterrupted() throws Exception {
    hub.sender = (exchange, body, from) -> hang();
    Throwable[] thrown = new Throwable[1];
    boolean[] flag = new boolean[1];
    Thread thread =
        new Thread(
            () -> {
              try {
                Hub.resolve(ID, options);
              } catch (RuntimeException e) {
                thrown[0] = e;
                flag[0] = Thread.currentThread().isInterrupted();
              }
            });
    thread.start();
    while (hub.requests("/resolve/") == 0) {
      Thread.sleep(10);
    }
    thread.interrupt();
    thread.join();
    assertThat(thrown[0]).isInstanceOf(CancelledException.class);
    assertThat(flag[0]).isTrue();
  }

  @Test
  void putsFilesWhereLinksAreNotAllowed() throws IOException {
    options = options.withSymlinks(false);
    Path snapshot = Hub.resolve(ID, options);
    assertComplete(snapshot);
    assertThat(Files.isSymbolicLink(snapshot.resolve(WEIGHTS))).isFalse();
    assertThat(blob(WEIGHTS)).doesNotExist();
    hub.log.clear();
    assertComplete(Hub.resolve(ID, options));
    assertThat(hub.log).hasSize(1);
    // Damage is seen here too.
    Files.write(snapshot.resolve(WEIGHTS), new byte[100_000]);
    assertThat(new HubCache(options.cache()).verify(ID)).containsKey(snapshot.resolve(WEIGHTS));
  }

  @Test
  void saysWhenTheCacheCannotBeWritten() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "no folder");
    assertThatThrownBy(() -> Hub.resolve(ID, options.withCache(file)))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("cannot be put into the cache " + file)
        .hasMessageContaining("HF_HUB_CACHE");
  }

  @Test
  void saysWhenTheDiskIsTooSmall() {
    hub.file(WEIGHTS, new byte[10], true);
    hub.hashes = false;
    // A size no disk has.
    hub.refuse(
        "/resolve/" + FakeHub.COMMIT + "/config.json",
        200,
        "ETag",
        "\"abc\"",
        "X-Linked-Size",
        "900000000000000000",
        "X-Linked-Etag",
        "\"abc\"");
    assertThatThrownBy(() -> Hub.resolve(ID, options))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("needs 900,000,000,000,")
        .hasMessageContaining("make room, or set HF_HUB_CACHE");
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

  @Test
  void refusesAModelThatDiffersFromItsHashes() throws IOException {
    Hub.resolve(ID, options);
    HubCache cache = new HubCache(options.cache());
    cache.requireIntact(ID);
    byte[] bytes = Files.readAllBytes(blob(WEIGHTS));
    bytes[50_000] ^= 1;
    Files.write(blob(WEIGHTS), bytes);
    assertThatThrownBy(() -> cache.requireIntact(ID))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining(blob(WEIGHTS) + ": has the hash ")
        .hasMessageContaining("expected " + hub.etag(WEIGHTS))
        .hasMessageContaining("remove " + storage() + " and load again");
  }

  @Test
  void fetchesADamagedFileAgain() throws IOException {
    Path snapshot = Hub.resolve(ID, options);
    Files.write(blob(WEIGHTS), new byte[10]);
    assertThat(new HubCache(options.cache()).verify(ID))
        .hasEntrySatisfying(
            blob(WEIGHTS), why -> assertThat(why).contains("expected " + hub.etag(WEIGHTS)));
    assertThat(Hub.resolve(ID, options)).isEqualTo(snapshot);
    assertComplete(snapshot);
    Files.delete(blob(WEIGHTS));
    assertThat(new HubCache(options.cache()).verify(ID))
        .containsEntry(snapshot.resolve(WEIGHTS), "links to nothing");
    assertComplete(Hub.resolve(ID, options));
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
  void listsAndRemoves() {
    Hub.resolve(ID, options);
    hub.commit = "f".repeat(40);
    Hub.resolve("other/model@refs/pr/1", options.withWeights(false));
    HubCache cache = new HubCache(options.cache());
    List<HubCache.CachedModel> models = cache.list();
    assertThat(models).extracting(HubCache.CachedModel::id).containsExactly("other/model", ID);
    assertThat(models.get(1).revisions()).containsExactly("main", FakeHub.COMMIT);
    assertThat(models.get(1).bytes()).isBetween(100_000L, 110_000L);
    assertThat(models.get(0).revisions()).containsExactly("refs/pr/1", "f".repeat(40));
    assertThat(cache.remove(ID)).isGreaterThan(100_000L);
    assertThat(cache.remove(ID)).isZero();
    assertThat(cache.list()).hasSize(1);
    assertThatThrownBy(() -> cache.verify(ID)).isInstanceOf(ModelNotFoundException.class);
    assertThatThrownBy(() -> cache.remove("../..")).isInstanceOf(ModelNotFoundException.class);
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

  // The environment, and the real client's cache.

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

  /** reference/hub_goldens.py: what huggingface_hub wrote, entry by entry. */
  private static List<String[]> pythonCache() throws IOException {
    return Files.readAllLines(Path.of("src/test/resources/hub/python_cache.tsv")).stream()
        .map(line -> line.split("\t", -1))
        .toList();
  }

  @Test
  void readsACacheThatThePythonClientWrote() throws IOException {
    for (String[] entry : pythonCache()) {
      Path path = options.cache().resolve(entry[1]);
      Files.createDirectories(path.getParent());
      if (entry[0].equals("link")) {
        Files.createSymbolicLink(path, Path.of(entry[2]));
      } else {
        Files.write(path, Base64.getDecoder().decode(entry[2]));
      }
    }
    Path snapshot = Hub.resolve(ID, options.withOffline(true));
    assertThat(snapshot.getFileName().toString()).isEqualTo(FakeHub.COMMIT);
    assertThat(snapshot.resolve("config.json")).hasContent("{\"model_type\":\"clip\"}");
    try (CheckpointWeights weights = CheckpointFiles.open(snapshot)) {
      assertThat(weights.names()).containsExactly("w");
    }
    HubCache cache = new HubCache(options.cache());
    assertThat(cache.verify(ID)).isEmpty();
    assertThat(cache.list()).extracting(HubCache.CachedModel::id).containsExactly(ID);
    // And a hub that has the same has nothing to send.
    hub.file(WEIGHTS, Files.readAllBytes(snapshot.resolve(WEIGHTS)), true);
    assertThat(Hub.resolve(ID, options)).isEqualTo(snapshot);
    assertThat(hub.requests("/resolve/")).isZero();
  }

  @Test
  void writesTheCacheThatThePythonClientWrites() throws IOException {
    TreeSet<String> expected = new TreeSet<>();
    for (String[] entry : pythonCache()) {
      if (entry[1].endsWith(".safetensors") || entry[1].contains("/blobs/")) {
        byte[] content = Base64.getDecoder().decode(entry[0].equals("link") ? "" : entry[2]);
        if (content.length > 1000) {
          hub.file(WEIGHTS, content, true);
        }
      }
      // Lock files stay or go as the client's version pleases.
      if (!entry[1].startsWith(".locks/")) {
        expected.add(String.join(" ", entry));
      }
    }
    hub.files.keySet().retainAll(List.of("config.json", "tokenizer.json", "merges.txt", WEIGHTS));
    Hub.resolve(ID, options);
    TreeSet<String> written = new TreeSet<>();
    try (var paths = Files.walk(options.cache())) {
      for (Path path : paths.toList()) {
        String name = options.cache().relativize(path).toString();
        if (Files.isSymbolicLink(path)) {
          written.add("link " + name + " " + Files.readSymbolicLink(path));
        } else if (Files.isRegularFile(path) && !name.startsWith(".locks/")) {
          written.add(
              "file " + name + " " + Base64.getEncoder().encodeToString(Files.readAllBytes(path)));
        }
      }
    }
    // The list of files is the same but for its spacing, the tag but for its comment.
    assertThat(kept(written)).isEqualTo(kept(expected));
    String tree = "models--owner--name/trees/" + FakeHub.COMMIT + ".json";
    byte[] python = new byte[0];
    for (String[] entry : pythonCache()) {
      if (entry[1].equals(tree)) {
        python = Base64.getDecoder().decode(entry[2]);
      }
    }
    assertThat(
            new String(Files.readAllBytes(options.cache().resolve(tree)), StandardCharsets.UTF_8))
        .isEqualToIgnoringWhitespace(new String(python, StandardCharsets.UTF_8));
  }

  private static List<String> kept(Set<String> entries) {
    return entries.stream()
        .filter(entry -> !entry.contains("CACHEDIR.TAG") && !entry.contains("/trees/"))
        .toList();
  }
}
