package dev.lmm.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import dev.lmm.core.hub.BundledModels;
import dev.lmm.core.json.Json;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code pull} and {@code cache} with a hub on the loopback interface. */
class HubCommandsTest {
  private static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";
  // The length of the header is 57, the character 9.
  private static final String WEIGHTS =
      "9\0\0\0\0\0\0\0{\"w\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}   abcd";

  @TempDir Path folder;
  private final Map<String, byte[]> files = new TreeMap<>();
  private HttpServer server;
  private String hub = "";
  private String cache = "";

  @BeforeEach
  void start() throws IOException {
    files.put("config.json", "{\"model_type\":\"clip\"}".getBytes(StandardCharsets.UTF_8));
    files.put("tokenizer.json", "{}".getBytes(StandardCharsets.UTF_8));
    files.put("model.safetensors", WEIGHTS.getBytes(StandardCharsets.ISO_8859_1));
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        exchange -> {
          try (exchange) {
            String path = exchange.getRequestURI().getPath();
            byte[] body =
                path.startsWith("/api/models/owner/name/revision/")
                    ? description()
                    : files.get(path.substring(path.lastIndexOf('/') + 1));
            if (body == null) {
              exchange.sendResponseHeaders(404, -1);
              return;
            }
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
          }
        });
    server.start();
    hub = "http://127.0.0.1:" + server.getAddress().getPort();
    cache = folder.resolve("cache").toString();
  }

  @AfterEach
  void stop() {
    server.stop(0);
  }

  private byte[] description() {
    StringBuilder siblings = new StringBuilder();
    files.forEach(
        (name, body) ->
            siblings
                .append(siblings.isEmpty() ? "" : ",")
                .append("{\"rfilename\":\"" + name + "\",\"size\":" + body.length)
                .append(",\"blobId\":\"" + git(body) + "\"}"));
    return ("{\"sha\":\"" + COMMIT + "\",\"siblings\":[" + siblings + "]}")
        .getBytes(StandardCharsets.UTF_8);
  }

  private static String git(byte[] body) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-1");
      digest.update(("blob " + body.length + "\0").getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest.digest(body));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }

  private record Ran(int status, String out, String err) {
    Json json() {
      assertThat(err).isEmpty();
      assertThat(out.strip().lines()).as("one document").hasSize(1);
      return Json.parse(out.getBytes(StandardCharsets.UTF_8), "stdout");
    }

    void failed(int expected, String message) {
      assertThat(status).as(err).isEqualTo(expected);
      assertThat(err.lines()).as("one line").hasSize(1);
      assertThat(err).startsWith("lmm: ").contains(message);
    }
  }

  private static Ran run(String... arguments) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    int status;
    try (PrintStream o = new PrintStream(out, true, StandardCharsets.UTF_8);
        PrintStream e = new PrintStream(err, true, StandardCharsets.UTF_8)) {
      status = Main.run(o, e, arguments);
    }
    return new Ran(
        status, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
  }

  private Ran pull(String... more) {
    List<String> arguments = new ArrayList<>(List.of("pull", "--endpoint", hub, "--cache", cache));
    arguments.addAll(List.of(more));
    return run(arguments.toArray(String[]::new));
  }

  @Test
  void pullsListsVerifiesAndRemoves() throws IOException {
    Json pulled = pull("owner/name", "--json").json();
    assertThat(pulled.stringAt("model")).isEqualTo("owner/name");
    assertThat(pulled.stringAt("commit")).isEqualTo(COMMIT);
    Path snapshot = Path.of(pulled.stringAt("folder"));
    for (String name : files.keySet()) {
      assertThat(snapshot.resolve(name)).hasBinaryContent(files.get(name));
    }

    Json listed = run("cache", "list", "--cache", cache, "--json").json();
    assertThat(listed.stringAt("cache")).isEqualTo(cache);
    Json model = listed.at("models").elements().get(0);
    assertThat(model.stringAt("model")).isEqualTo("owner/name");
    assertThat(model.at("revisions").elements()).hasSize(2);
    assertThat(run("cache", "list", "--cache", cache).out()).contains("owner/name\tmain " + COMMIT);

    assertThat(run("cache", "verify", "owner/name", "--cache", cache).status()).isZero();
    Path damaged = snapshot.resolve("model.safetensors").toRealPath();
    byte[] bytes = Files.readAllBytes(damaged);
    bytes[bytes.length - 1] ^= 1;
    Files.write(damaged, bytes);
    run("cache", "verify", "--cache", cache).failed(1, "1 files differ from their hashes");
    Ran wrong = run("cache", "verify", "--cache", cache, "--json");
    assertThat(wrong.status()).isEqualTo(1);
    assertThat(wrong.json().at("wrong").keys()).containsExactly(damaged.toString());
    pull("owner/name", "--verify").failed(1, damaged + ": has the hash ");

    assertThat(run("cache", "remove", "owner/name", "--cache", cache, "--json").json())
        .satisfies(freed -> assertThat(freed.longAt("bytes")).isGreaterThan(100));
    assertThat(snapshot).doesNotExist();
    run("cache", "remove", "owner/name", "--cache", cache).failed(1, "is not in the cache");
    run("cache", "verify", "owner/name", "--cache", cache).failed(1, "is not in the cache");
  }

  @Test
  void removesTheQuantizedWeightsOfAFolder() throws IOException {
    Path model = folder.resolve("copy");
    Path bundled = BundledModels.find("tiny-clip");
    Files.createDirectories(model);
    try (Stream<Path> files = Files.list(bundled)) {
      for (Path file : (Iterable<Path>) files::iterator) {
        Files.copy(file, model.resolve(file.getFileName()));
      }
    }
    String name = model.toString();
    run("embed", name, "--text", "a", "--precision", "int8");
    assertThat(run("cache", "list", "--cache", cache, "--json").json().longAt("quantizedBytes"))
        .isPositive();
    assertThat(run("cache", "remove", name, "--json").json().longAt("bytes")).isPositive();
    assertThat(run("cache", "remove", name, "--json").json().longAt("bytes")).isZero();
    assertThat(model.resolve("model.safetensors")).exists();
  }

  @Test
  void pullsARevisionAndTellsWhatIsThere() {
    pull("owner/name", "--revision", "v1", "--offline").failed(1, "is not in the cache " + cache);
    Ran pulled = pull("owner/name", "--revision", "v1");
    assertThat(pulled.err()).isEmpty();
    assertThat(pulled.out().strip()).endsWith(COMMIT);
    assertThat(pull("owner/name@v1", "--offline").out()).isEqualTo(pulled.out());
    pull("owner/name@v1", "--revision", "v2").failed(2, "both name a revision");
    pull("tiny-clip").failed(2, "is bundled");
    pull("no id").failed(2, "is no hub id");
    pull("owner/name", "--variant", "fp16").failed(1, "has no weights of variant fp16");
    run("cache").failed(2, "Expected list, remove or verify");
    run("embed", "owner/other", "--text", "a", "--offline", "--cache", cache)
        .failed(1, "is not in the cache " + cache);
  }
}
