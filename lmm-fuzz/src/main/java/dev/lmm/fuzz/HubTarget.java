package dev.lmm.fuzz;

import dev.lmm.core.hub.Hub;
import dev.lmm.core.hub.HubOptions;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ProxySelector;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The answers of a hub, one after the other, parted by a byte 0: to a load, or, behind an {@code
 * O}, to an estimate; there a byte 1 stands for 0. An answer begins with its status and headers up
 * to an empty line, and gets the length of its body in a header. Whatever they say, nothing is
 * written outside of the cache, and the token goes to no other host.
 *
 * <p>They are given without a network. Where one begins with {@code HTTP}, one input in 16 (by its
 * bytes) goes through a socket, and that answer as it is: this is slow, and tries the JDK more than
 * the library.
 */
final class HubTarget implements Target {
  private static final Logger LOG = LoggerFactory.getLogger(HubTarget.class);
  private static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";
  private static final Duration PATIENCE = Duration.ofMillis(300);

  private final Path folder = Seeds.work("hub");
  private final ServerSocket server;
  private final Deque<byte[]> answers = new ArrayDeque<>();
  private final URI address;
  private final ScriptedHttp memory;
  private final HttpClient sockets;
  private final HubOptions options;

  HubTarget() {
    try {
      server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Thread thread = new Thread(this::serve, "lmm-fuzz-hub");
    thread.setDaemon(true);
    thread.start();
    address = URI.create("http://127.0.0.1:" + server.getLocalPort());
    memory = new ScriptedHttp(address);
    sockets =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(PATIENCE)
            // Whatever host a redirect names, the answer comes from here.
            .proxy(
                ProxySelector.of(
                    new InetSocketAddress(InetAddress.getLoopbackAddress(), server.getLocalPort())))
            .build();
    options =
        HubOptions.fromEnvironment()
            .withCache(folder.resolve("cache"))
            .withToken("hf_secret")
            .withOffline(false)
            .withEndpoint(address)
            .withPatience(PATIENCE, 0, Duration.ofMillis(1));
  }

  private void serve() {
    while (true) {
      try (Socket socket = server.accept()) {
        socket.setSoTimeout(2000);
        skipRequest(socket);
        byte[] answer;
        synchronized (answers) {
          answer = answers.poll();
        }
        OutputStream out = socket.getOutputStream();
        out.write(
            answer == null
                ? "HTTP/1.1 404 x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                    .getBytes(StandardCharsets.ISO_8859_1)
                : answer);
        out.flush();
      } catch (IOException gone) {
        LOG.trace("The client has gone", gone);
      }
    }
  }

  private static void skipRequest(Socket socket) throws IOException {
    int newlines = 0;
    while (newlines < 2) {
      int c = socket.getInputStream().read();
      if (c < 0) {
        return;
      }
      if (c == '\n') {
        newlines++;
      } else if (c != '\r') {
        newlines = 0;
      }
    }
  }

  @Override
  public void read(byte[] input) {
    boolean outline = input.length > 0 && input[0] == 'O';
    List<byte[]> parts = new ArrayList<>();
    int from = outline ? 1 : 0;
    for (int i = from; i <= input.length; i++) {
      if (i == input.length || input[i] == 0) {
        byte[] part = Arrays.copyOfRange(input, from, i);
        for (int j = 0; outline && j < part.length; j++) {
          part[j] = part[j] == 1 ? 0 : part[j];
        }
        parts.add(part);
        from = i + 1;
      }
    }
    HttpClient http = memory;
    if (Arrays.hashCode(input) % 16 == 0 && parts.stream().anyMatch(HubTarget::isRaw)) {
      http = sockets;
      synchronized (answers) {
        answers.clear();
        parts.forEach(part -> answers.add(answer(part)));
      }
    } else {
      memory.script(parts.stream().map(HubTarget::withoutVersion).toList());
    }
    Path cache = options.cache();
    try {
      Path snapshot =
          outline
              ? Hub.outline("owner/name", options, http).folder()
              : Hub.resolve("owner/name", options, http);
      if (!snapshot.normalize().startsWith(cache) || !(outline || Files.isDirectory(snapshot))) {
        throw new IllegalStateException("the snapshot is " + snapshot);
      }
    } finally {
      checkInside(cache);
    }
  }

  private void checkInside(Path cache) {
    try (Stream<Path> beside = Files.list(folder)) {
      List<Path> strange = beside.filter(path -> !path.equals(cache)).toList();
      if (!strange.isEmpty()) {
        throw new IllegalStateException("written outside of the cache: " + strange);
      }
      if (Files.isDirectory(cache)) {
        List<Path> files;
        try (Stream<Path> walk = Files.walk(cache)) {
          files = walk.toList();
        }
        // Whatever lies in a folder comes after it.
        for (int i = files.size() - 1; i >= 0; i--) {
          Path file = files.get(i);
          if (Files.isSymbolicLink(file)
              && !file.getParent()
                  .resolve(Files.readSymbolicLink(file))
                  .normalize()
                  .startsWith(cache)) {
            throw new IllegalStateException(file + " leads out of the cache");
          }
          Files.delete(file);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static byte[] withoutVersion(byte[] part) {
    int blank = 0;
    while (isRaw(part) && blank < part.length && part[blank] != ' ') {
      blank++;
    }
    return isRaw(part)
        ? Arrays.copyOfRange(part, Math.min(blank + 1, part.length), part.length)
        : part;
  }

  private static boolean isRaw(byte[] part) {
    return part.length > 3 && part[0] == 'H' && part[1] == 'T' && part[2] == 'T' && part[3] == 'P';
  }

  private static byte[] answer(byte[] part) {
    if (isRaw(part)) {
      return part;
    }
    String text = new String(part, StandardCharsets.ISO_8859_1);
    int end = text.indexOf("\n\n");
    String head = end < 0 ? text : text.substring(0, end);
    String body = end < 0 ? "" : text.substring(end + 2);
    return ("HTTP/1.1 "
            + head.replace("\r", "").replace("\n", "\r\n")
            + "\r\nConnection: close\r\nContent-Length: "
            + body.length()
            + "\r\n\r\n"
            + body)
        .getBytes(StandardCharsets.ISO_8859_1);
  }

  @Override
  public List<byte[]> seeds() {
    List<byte[]> seeds = new ArrayList<>();
    String weights = "\10\1\1\1{}      ";
    String list =
        "200 OK\n\n{\"id\":\"owner/name\",\"sha\":\"" + COMMIT + "\",\"siblings\":[%s]}\0";
    String config = "{\"rfilename\":\"config.json\"%s}";
    String model = ",{\"rfilename\":\"model.safetensors\"%s}";
    String git = ",\"size\":2,\"blobId\":\"9e26dfeeb6e641a33dae4961196235bdb965b21b\"";
    String lfs =
        ",\"size\":2,\"blobId\":\"9e26dfeeb6e641a33dae4961196235bdb965b21b\",\"lfs\":{\"sha256\":"
            + "\"44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\",\"size\":2}";
    // Hashes in the list; both files are the text {}.
    seeds.add(
        latin(
            list.formatted(config.formatted(git) + model.formatted(lfs))
                + "200 OK\n\n{}\000200 OK\n\n{}"));
    // No hashes: each file is asked about first.
    String ok = "200 OK\n\n";
    seeds.add(
        latin(
            list.formatted(config.formatted("") + model.formatted(""))
                + asked("tag-1", 2)
                + asked("tag-2", weights.length())
                + ok
                + "{}\0"
                + ok
                + weights));
    // Redirects to a store.
    seeds.add(
        latin(
            list.formatted(config.formatted(git) + model.formatted(lfs))
                + "302 Found\nLocation: /store/1\nX-Linked-Size: 2\n\n\0"
                + ok
                + "{}\000307 Found\nLocation: store/2\n\n\0"
                + ok
                + "{}"));
    // Shards, and a pipeline.
    String index = "{\"weight_map\":{\"w\":\"a.safetensors\"}}";
    seeds.add(
        latin(
            list.formatted(
                    config.formatted(git)
                        + ",{\"rfilename\":\"model.safetensors.index.json\"},"
                        + "{\"rfilename\":\"a.safetensors\"}")
                + asked("tag-1", index.length())
                + ok
                + index
                + "\0"
                + asked("tag-2", 2)
                + ok
                + "{}\0"
                + ok
                + "{}"));
    String parts = "{\"unet\":[\"diffusers\",\"UNet\"]}";
    seeds.add(
        latin(
            list.formatted(
                    "{\"rfilename\":\"model_index.json\"},{\"rfilename\":\"unet/config.json\"},"
                        + "{\"rfilename\":\"unet/diffusion_pytorch_model.safetensors\"}")
                + asked("tag-1", parts.length())
                + ok
                + parts
                + "\0"
                + asked("tag-2", 2)
                + asked("tag-3", 2)
                + ok
                + "{}\0"
                + ok
                + "{}"));
    // An estimate: the header of a file of 200 bytes, asked for once and, as long ones are, twice.
    String header = "{\"w\":{\"dtype\":\"U8\",\"shape\":[%d],\"data_offsets\":[0,%<d]}}";
    String known = lfs.replace("\"size\":2", "\"size\":200");
    String sized = header.formatted(200 - 8 - header.formatted(100).length());
    String found =
        "O"
            + list.formatted(config.formatted(git) + model.formatted(known))
            + "200 OK\n\n{}\000206 x\n\n";
    seeds.add(latin(found + (char) sized.length() + "\1\1\1\1\1\1\1" + sized));
    seeds.add(
        latin(
            found
                + (char) sized.length()
                + "\1\1\1\1\1\1\1\000206 x\n\n"
                + (char) sized.length()
                + "\1\1\1\1\1\1\1"
                + sized));
    for (String refusal :
        List.of(
            "401 x",
            "403 x\nX-Error-Code: GatedRepo",
            "404 x\nX-Error-Code: RevisionNotFound",
            "429 x\nRetry-After: 0",
            "503 x")) {
      seeds.add(latin(refusal + "\n\n"));
    }
    seeds.add(
        latin("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"id\"\r\n0\r\n\r\n"));
    return seeds;
  }

  /** The answer to a question about a file. */
  private static String asked(String tag, int size) {
    return "200 OK\nETag: \""
        + tag
        + "\"\nX-Linked-Size: "
        + size
        + "\nX-Repo-Commit: "
        + COMMIT
        + "\n\n\0";
  }

  private static byte[] latin(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  @Override
  public List<String> words() {
    return List.of(
        "\0",
        "\n\n",
        "\r\n",
        "{",
        "}",
        "[",
        "]",
        "\"",
        ",",
        ":",
        "../",
        "..",
        "/etc/passwd",
        "\\\\",
        "C:",
        "\\u0000",
        "null",
        "-1",
        "0",
        "9223372036854775807",
        "1e309",
        "200 OK",
        "206 Partial",
        "302 Found\nLocation: ",
        "http://127.0.0.1:1/",
        "file:///etc/passwd",
        "https://",
        "404 x",
        "503 x",
        "Retry-After: 1",
        "ETag: \"x\"",
        "X-Linked-Etag: ",
        "X-Linked-Size: ",
        "X-Repo-Commit: ",
        "Content-Length: ",
        "Content-Range: bytes 0-1/2",
        "HTTP/1.1 200 OK\r\n",
        "Transfer-Encoding: chunked",
        "rfilename",
        "siblings",
        "sha",
        "blobId",
        "lfs",
        "sha256",
        "size",
        "config.json",
        "model_index.json",
        "model.safetensors.index.json",
        "weight_map");
  }
}
