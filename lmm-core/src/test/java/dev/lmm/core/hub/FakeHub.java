package dev.lmm.core.hub;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;

/** A hub on the loopback interface that answers as the real one does, and can misbehave. */
final class FakeHub implements AutoCloseable {
  static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";

  /** Sends a file's body. */
  interface Sender {
    void send(HttpExchange exchange, byte[] body, int from) throws IOException;
  }

  final Map<String, byte[]> files = Collections.synchronizedMap(new TreeMap<>());
  final Set<String> large = new ConcurrentSkipListSet<>();
  final List<String> log = Collections.synchronizedList(new ArrayList<>());

  /** What to answer before anything else: a status and headers, one each time. */
  final Queue<Refusal> refusals = new ConcurrentLinkedQueue<>();

  volatile Sender sender = FakeHub::whole;
  volatile boolean hashes = true;
  volatile boolean ranges = true;
  // Bytes given of ranges that had an end.
  final AtomicLong sent = new AtomicLong();
  volatile String commit = COMMIT;
  // Where large files are redirected to, or empty.
  volatile String store = "";
  private final HttpServer server;
  private final ExecutorService threads = Executors.newCachedThreadPool();

  /** An answer that is no file. */
  record Refusal(String path, int status, Map<String, String> headers) {}

  FakeHub() {
    try {
      server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    server.setExecutor(threads);
    server.createContext("/", this::handle);
    server.start();
  }

  URI address() {
    return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
  }

  FakeHub file(String name, byte[] content, boolean isLarge) {
    files.put(name, content);
    if (isLarge) {
      large.add(name);
    }
    return this;
  }

  FakeHub file(String name, String content) {
    return file(name, content.getBytes(StandardCharsets.UTF_8), false);
  }

  void refuse(String path, int status, String... headers) {
    Map<String, String> map = new TreeMap<>();
    for (int i = 0; i < headers.length; i += 2) {
      map.put(headers[i], headers[i + 1]);
    }
    refusals.add(new Refusal(path, status, map));
  }

  String etag(String name) {
    return large.contains(name) ? sha256(files.get(name)) : git(files.get(name));
  }

  static String sha256(byte[] bytes) {
    BlobHash hash = BlobHash.of("0".repeat(64), bytes.length);
    hash.update(ByteBuffer.wrap(bytes));
    return hash.finish();
  }

  static String git(byte[] bytes) {
    BlobHash hash = BlobHash.of("0".repeat(40), bytes.length);
    hash.update(ByteBuffer.wrap(bytes));
    return hash.finish();
  }

  long requests(String part) {
    return log.stream().filter(line -> line.contains(part)).count();
  }

  private void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      String path = exchange.getRequestURI().getPath();
      Headers headers = exchange.getRequestHeaders();
      log.add(
          exchange.getRequestMethod()
              + " "
              + exchange.getRequestURI()
              + " range="
              + headers.getFirst("Range")
              + " authorization="
              + headers.getFirst("Authorization"));
      Refusal refusal = refusals.peek();
      if (refusal != null && path.contains(refusal.path())) {
        refusals.poll();
        refusal.headers().forEach(exchange.getResponseHeaders()::add);
        exchange.sendResponseHeaders(refusal.status(), -1);
      } else if (path.startsWith("/api/models/")) {
        byte[] body = description(path).getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(200, body.length);
        exchange.getResponseBody().write(body);
      } else {
        int at = path.indexOf("/resolve/");
        String name = path.substring(path.indexOf('/', at + "/resolve/".length()) + 1);
        resolve(exchange, name);
      }
    }
  }

  private void resolve(HttpExchange exchange, String name) throws IOException {
    byte[] body = files.get(name);
    Headers out = exchange.getResponseHeaders();
    if (body == null) {
      out.add("X-Error-Code", "EntryNotFound");
      exchange.sendResponseHeaders(404, -1);
      return;
    }
    out.add("X-Repo-Commit", commit);
    if (large.contains(name)) {
      out.add("X-Linked-Etag", '"' + etag(name) + '"');
      out.add("X-Linked-Size", Integer.toString(body.length));
      if (!store.isEmpty()) {
        out.add("Location", store + "/store/resolve/x/" + name);
        exchange.sendResponseHeaders(302, -1);
        return;
      }
    }
    out.add("ETag", '"' + etag(name) + '"');
    if (exchange.getRequestMethod().equals("HEAD")) {
      out.add("Content-Length", Integer.toString(body.length));
      exchange.sendResponseHeaders(200, -1);
      return;
    }
    String range = exchange.getRequestHeaders().getFirst("Range");
    if (range == null || !ranges) {
      sender.send(exchange, body, 0);
      return;
    }
    String[] ends = range.substring("bytes=".length()).split("-", -1);
    int from = Integer.parseInt(ends[0]);
    if (ends[1].isEmpty()) {
      sender.send(exchange, body, from);
      return;
    }
    int end = Math.min(body.length, Integer.parseInt(ends[1]) + 1);
    out.add("Content-Range", "bytes " + from + "-" + (end - 1) + "/" + body.length);
    exchange.sendResponseHeaders(206, end - from);
    exchange.getResponseBody().write(body, from, end - from);
    sent.addAndGet(end - from);
  }

  static void start(HttpExchange exchange, int length, int from) throws IOException {
    if (from > 0) {
      exchange
          .getResponseHeaders()
          .add("Content-Range", "bytes " + from + "-" + (length - 1) + "/" + length);
    }
    exchange.sendResponseHeaders(from > 0 ? 206 : 200, length == from ? -1 : length - from);
  }

  static void whole(HttpExchange exchange, byte[] body, int from) throws IOException {
    start(exchange, body.length, from);
    exchange.getResponseBody().write(body, from, body.length - from);
  }

  /** Cuts each connection after so many bytes. */
  static Sender cut(int after) {
    return (exchange, body, from) -> {
      start(exchange, body.length, from);
      OutputStream out = exchange.getResponseBody();
      int count = Math.min(after, body.length - from);
      out.write(body, from, count);
      out.flush();
      if (count < body.length - from) {
        // Closing with bytes missing drops the connection.
        throw new IOException("cut on purpose");
      }
    };
  }

  private String description(String path) {
    StringBuilder siblings = new StringBuilder();
    for (Map.Entry<String, byte[]> file : files.entrySet()) {
      byte[] body = file.getValue();
      siblings.append(siblings.isEmpty() ? "" : ",");
      siblings.append("{\"rfilename\":\"").append(file.getKey().replace("\\", "\\\\")).append('"');
      if (hashes) {
        siblings.append(
            String.format(Locale.ROOT, ",\"size\":%d,\"blobId\":\"%s\"", body.length, git(body)));
        if (large.contains(file.getKey())) {
          siblings.append(
              String.format(
                  Locale.ROOT,
                  ",\"lfs\":{\"sha256\":\"%s\",\"size\":%d,\"pointerSize\":134}",
                  sha256(body),
                  body.length));
        }
      }
      siblings.append('}');
    }
    return "{\"id\":\""
        + path.length()
        + "\",\"sha\":\""
        + commit
        + "\",\"siblings\":["
        + siblings
        + "]}";
  }

  static byte[] random(int length, int seed) {
    byte[] bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  /** A safetensors file with one tensor of so many bytes. */
  static byte[] weights(int length, int seed) {
    String header =
        "{\"w\":{\"dtype\":\"U8\",\"shape\":[" + length + "],\"data_offsets\":[0," + length + "]}}";
    byte[] text = header.getBytes(StandardCharsets.UTF_8);
    ByteBuffer out = ByteBuffer.allocate(8 + text.length + length).order(ByteOrder.LITTLE_ENDIAN);
    return out.putLong(text.length).put(text).put(random(length, seed)).array();
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}
