package dev.lmm.core.hub;

import dev.lmm.CancelledException;
import dev.lmm.Check;
import dev.lmm.core.json.Json;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.ConnectException;
import java.net.ProxySelector;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Flow;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/** Speaks HTTP with a hub. Used by one thread. */
final class HubClient {
  private static final int MAX_REDIRECTS = 6;
  private static final int MAX_LIST = 32 << 20;
  private static final Duration LONGEST_WAIT = Duration.ofSeconds(60);
  private static final Set<Integer> REDIRECTS = Set.of(301, 302, 303, 307, 308);
  private static final Set<Integer> TRANSIENT = Set.of(408, 429, 500, 502, 503, 504);

  private final HubOptions options;
  private final HttpClient client;

  /**
   * A client.
   *
   * @param given the caller's own, or null to make one
   */
  HubClient(HubOptions options, @Nullable HttpClient given) {
    this.options = options;
    Check.that(
        given == null || given.followRedirects() == HttpClient.Redirect.NEVER,
        "http: follows redirects by itself; expected a client that does not (Redirect.NEVER), so"
            + " that the token goes to no other host");
    this.client = given == null ? client(options) : given;
  }

  private static HttpClient client(HubOptions options) {
    HttpClient.Builder builder =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            // By hand: the token must not follow to another host.
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(options.timeout());
    if (ProxySelector.getDefault() != null) {
      builder.proxy(ProxySelector.getDefault());
    }
    return builder.build();
  }

  /** A failure that may pass. */
  static final class TransientException extends IOException {
    private static final long serialVersionUID = 1L;
    private final @Nullable Duration after;

    TransientException(String message, @Nullable Duration after) {
      super(message);
      this.after = after;
    }
  }

  /**
   * An answer.
   *
   * @param status 200 or 206
   * @param headers of the last host
   * @param first headers of the first answer that named the file's hash or commit, if any did
   * @param body to be closed
   */
  record Answer(int status, HttpHeaders headers, HttpHeaders first, ResponseBody body)
      implements AutoCloseable {
    @Override
    public void close() {
      body.close();
    }
  }

  /** The description of a repository at a revision, with the files and their hashes. */
  Json describe(HubId id, int retries) {
    URI address =
        address(
            "/api/models/"
                + id.repository()
                + "/revision/"
                + encode(id.revision(), false)
                + "?blobs=true");
    byte[] bytes =
        retrying(
            "the list of files of " + id,
            retries,
            () -> {
              try (Answer answer = get(id, address, "GET", null)) {
                ByteArrayOutputStream out = new ByteArrayOutputStream();
                ByteBuffer next = answer.body().next();
                while (next != null) {
                  if (out.size() + next.remaining() > MAX_LIST) {
                    throw new HubException(
                        address
                            + ": sends more than "
                            + MAX_LIST
                            + " bytes; expected a list of files");
                  }
                  byte[] part = new byte[next.remaining()];
                  next.get(part);
                  out.writeBytes(part);
                  next = answer.body().next();
                }
                checkLength(answer, out.size());
                return out.toByteArray();
              }
            });
    return Json.parse(bytes, address.toString());
  }

  private static void checkLength(Answer answer, long received) throws IOException {
    long announced = answer.headers().firstValueAsLong("Content-Length").orElse(received);
    if (announced != received) {
      throw new TransientException("got " + received + " of " + announced + " bytes", null);
    }
  }

  /** Asks about a file without fetching it. */
  Answer head(HubId id, String commit, String name) {
    return retrying(
        name + " of " + id,
        options.retries(),
        () -> {
          Answer answer = get(id, file(id, commit, name), "HEAD", null);
          answer.close();
          return answer;
        });
  }

  /** Fetches a file from a byte on; retries are up to the caller. */
  Answer fetch(HubId id, String commit, String name, long from) throws IOException {
    return get(id, file(id, commit, name), "GET", from > 0 ? "bytes=" + from + "-" : null);
  }

  /**
   * Fetches some bytes of a file.
   *
   * @param length the most that is wanted; fewer come if the file ends before
   */
  byte[] range(HubId id, String commit, String name, long from, int length) {
    return retrying(
        name + " of " + id,
        options.retries(),
        () -> {
          String range = "bytes=" + from + "-" + (from + length - 1);
          try (Answer answer = get(id, file(id, commit, name), "GET", range)) {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            // A server that knows no ranges sends everything.
            long skip = answer.status() == 206 ? 0 : from;
            ByteBuffer next = answer.body().next();
            while (next != null && out.size() < length) {
              int skipped = (int) Math.min(skip, next.remaining());
              skip -= skipped;
              next.position(next.position() + skipped);
              byte[] part = new byte[Math.min(next.remaining(), length - out.size())];
              next.get(part);
              out.writeBytes(part);
              next = out.size() < length ? answer.body().next() : null;
            }
            return out.toByteArray();
          }
        });
  }

  private URI file(HubId id, String commit, String name) {
    return address("/" + id.repository() + "/resolve/" + commit + "/" + encode(name, true));
  }

  private URI address(String path) {
    return URI.create(options.endpoint() + path);
  }

  private static String encode(String text, boolean keepSlashes) {
    StringBuilder out = new StringBuilder();
    for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
      char c = (char) (b & 0xff);
      boolean plain =
          (c >= 'a' && c <= 'z')
              || (c >= 'A' && c <= 'Z')
              || (c >= '0' && c <= '9')
              || "-_.~".indexOf(c) >= 0
              || (c == '/' && keepSlashes);
      if (plain) {
        out.append(c);
      } else {
        out.append(String.format(Locale.ROOT, "%%%02X", (int) c));
      }
    }
    return out.toString();
  }

  private Answer get(HubId id, URI start, String method, @Nullable String range)
      throws IOException {
    URI address = start;
    HttpHeaders first = null;
    for (int hop = 0; hop <= MAX_REDIRECTS; hop++) {
      HttpRequest.Builder request =
          HttpRequest.newBuilder(address)
              .method(method, HttpRequest.BodyPublishers.noBody())
              .timeout(options.timeout())
              .header("User-Agent", "lmm/0.1 (java)")
              // Sizes and ranges are those of the file itself.
              .header("Accept-Encoding", "identity");
      if (options.token() != null && sameOrigin(address, options.endpoint())) {
        request.header("Authorization", "Bearer " + options.token());
      }
      if (range != null) {
        request.header("Range", range);
      }
      HttpResponse<Flow.Publisher<List<ByteBuffer>>> response = send(request.build());
      ResponseBody body = new ResponseBody(options.timeout().toNanos(), options.cancellation());
      response.body().subscribe(body);
      boolean answered = false;
      try {
        HttpHeaders headers = response.headers();
        if (first == null
            && (headers.firstValue("X-Linked-Etag").isPresent()
                || headers.firstValue("X-Repo-Commit").isPresent())) {
          first = headers;
        }
        int status = response.statusCode();
        // The store behind a redirect need not answer HEAD; what was asked for is here.
        boolean told =
            method.equals("HEAD")
                && REDIRECTS.contains(status)
                && headers.firstValue("X-Linked-Etag").isPresent();
        if (status == 200 || status == 206 || told) {
          answered = true;
          return new Answer(status, headers, first == null ? headers : first, body);
        }
        if (!REDIRECTS.contains(status)) {
          throw refusal(id, address, status, headers);
        }
        address = redirected(address, headers.firstValue("Location"));
      } finally {
        if (!answered) {
          body.close();
        }
      }
    }
    throw new HubException(start + ": is redirected more than " + MAX_REDIRECTS + " times");
  }

  private HttpResponse<Flow.Publisher<List<ByteBuffer>>> send(HttpRequest request)
      throws IOException {
    try {
      return client.send(request, HttpResponse.BodyHandlers.ofPublisher());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancelledException("The download was interrupted", e);
    }
  }

  private static URI redirected(URI from, Optional<String> location) {
    URI to;
    try {
      to = from.resolve(new URI(location.orElse("")));
    } catch (URISyntaxException e) {
      throw new HubException(from + ": is redirected to something that is no address", e);
    }
    boolean safe =
        "https".equalsIgnoreCase(to.getScheme())
            || ("http".equalsIgnoreCase(to.getScheme())
                && "http".equalsIgnoreCase(from.getScheme()));
    if (location.isEmpty() || to.getHost() == null || !safe) {
      throw new HubException(
          from + ": is redirected to " + to + "; expected an address as safe as the first");
    }
    return to;
  }

  private static boolean sameOrigin(URI a, URI b) {
    return a.getScheme().equalsIgnoreCase(b.getScheme())
        && a.getHost().equalsIgnoreCase(b.getHost())
        && port(a) == port(b);
  }

  private static int port(URI address) {
    if (address.getPort() >= 0) {
      return address.getPort();
    }
    return "https".equalsIgnoreCase(address.getScheme()) ? 443 : 80;
  }

  private HubException refusal(HubId id, URI address, int status, HttpHeaders headers)
      throws TransientException {
    String code = headers.firstValue("X-Error-Code").orElse("");
    String page = options.endpoint() + "/" + id.repository();
    boolean known = options.token() != null;
    if (TRANSIENT.contains(status)) {
      throw new TransientException(
          "the hub answers " + status + " (" + reason(status) + ")", after(headers));
    }
    String what;
    if (code.equals("GatedRepo")) {
      what =
          "is gated: accept its terms at "
              + page
              + (known
                  ? " with the account of the token, and give the token read access to it"
                  : ", then set HF_TOKEN to a token of that account");
    } else if (code.equals("RevisionNotFound")) {
      what = "has no revision " + id.revision() + "; see " + page + "/tree/main for what there is";
    } else if (code.equals("EntryNotFound")) {
      what = "has no file " + address.getPath();
    } else if (status == 401 && known) {
      what =
          "is not given to the token of HF_TOKEN or of the token file: it is wrong or expired, or"
              + " the repository does not exist; make a new one or load without it";
    } else if (status == 401 || (status == 404 && !known)) {
      what =
          "does not exist, or is private: check its spelling at "
              + page
              + ", and set HF_TOKEN if it is private";
    } else if (status == 404) {
      what = "does not exist, or is hidden from the account of the token: check it at " + page;
    } else if (status == 403) {
      what =
          "is forbidden to "
              + (known ? "the account of the token" : "callers without a token")
              + ": ask for access at "
              + page
              + (known ? "" : ", then set HF_TOKEN");
    } else {
      what = "cannot be fetched: " + reason(status);
    }
    return new HubException(
        id + ": " + what + " (" + address.getHost() + " answers " + status + ")");
  }

  private static String reason(int status) {
    return switch (status) {
      case 408 -> "request timeout";
      case 416 -> "range not satisfiable";
      case 429 -> "too many requests";
      case 500 -> "internal error";
      case 502 -> "bad gateway";
      case 503 -> "unavailable";
      case 504 -> "gateway timeout";
      default -> "an unexpected answer";
    };
  }

  private static @Nullable Duration after(HttpHeaders headers) {
    String seconds = headers.firstValue("Retry-After").orElse("").strip();
    return seconds.matches("[0-9]{1,6}") ? Duration.ofSeconds(Long.parseLong(seconds)) : null;
  }

  /** Something that may fail for a while. */
  @FunctionalInterface
  interface Try<T> {
    T run() throws IOException;
  }

  private <T> T retrying(String what, int retries, Try<T> attempt) {
    for (int failures = 0; ; ) {
      try {
        return attempt.run();
      } catch (IOException e) {
        if (++failures > retries) {
          throw failed(what, e);
        }
        pause(failures, e);
      }
    }
  }

  HubException failed(String what, IOException e) {
    return new HubException(
        what
            + " cannot be fetched from "
            + options.endpoint()
            + ": "
            + (e instanceof ConnectException
                ? "it cannot be reached"
                : e.getMessage() == null ? e.toString() : e.getMessage())
            + "; check the network and HF_ENDPOINT, or load offline what is in the cache",
        e);
  }

  /** Waits before the next try: longer each time, or as long as the hub asks for. */
  void pause(int failures, IOException cause) {
    long millis = options.retryDelay().toMillis() << Math.min(failures - 1, 5);
    if (cause instanceof TransientException asked && asked.after != null) {
      millis = Math.max(millis, asked.after.toMillis());
    } else {
      // Not all at once, where many wait for the same hub.
      millis += ThreadLocalRandom.current().nextLong(millis / 4 + 1);
    }
    long end = System.nanoTime() + Math.min(millis, LONGEST_WAIT.toMillis()) * 1_000_000;
    try {
      for (long left = end - System.nanoTime(); left > 0; left = end - System.nanoTime()) {
        if (options.cancellation() != null) {
          options.cancellation().check();
        }
        Thread.sleep(Math.min(left / 1_000_000 + 1, 100));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancelledException("The download was interrupted", e);
    }
  }
}
