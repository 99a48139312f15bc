package dev.lmm.fuzz;

import java.io.IOException;
import java.net.Authenticator;
import java.net.CookieHandler;
import java.net.ProxySelector;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.Flow;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import org.jspecify.annotations.Nullable;

/**
 * An HTTP client without a network: every request, whatever its host, gets the next answer of a
 * list, on the thread that asks. A body that is shorter than its announced length ends as a
 * connection does that was cut. The token of the hub must go to the hub alone. Used by one thread.
 */
final class ScriptedHttp extends HttpClient {
  private static final byte[] NO_MORE = "404 x\n\n".getBytes(StandardCharsets.ISO_8859_1);
  private static final int PART = 4096;

  private final URI hub;
  private final Deque<byte[]> answers = new ArrayDeque<>();

  /** A client for a hub at an address that nobody need listen to. */
  ScriptedHttp(URI hub) {
    this.hub = hub;
  }

  /** Takes other answers: status and headers up to an empty line, then the body. */
  void script(List<byte[]> script) {
    answers.clear();
    answers.addAll(script);
  }

  @Override
  public <T> HttpResponse<T> send(HttpRequest request, HttpResponse.BodyHandler<T> handler)
      throws IOException {
    URI address = request.uri();
    if (request.headers().firstValue("Authorization").isPresent() && !isHub(address)) {
      throw new IllegalStateException("the token goes to " + address);
    }
    byte[] answer = answers.isEmpty() ? NO_MORE : answers.remove();
    int end = 0;
    while (end < answer.length && !(answer[end] == '\n' && at(answer, end + 1) == '\n')) {
      end++;
    }
    String[] lines = new String(answer, 0, end, StandardCharsets.ISO_8859_1).split("\r?\n", -1);
    byte[] body = Arrays.copyOfRange(answer, Math.min(end + 2, answer.length), answer.length);
    int status = status(lines[0]);
    HttpHeaders headers = headers(lines, body.length);
    long announced;
    try {
      announced = headers.firstValueAsLong("Content-Length").orElse(body.length);
    } catch (NumberFormatException e) {
      throw new IOException("Invalid content length", e);
    }
    boolean bare = request.method().equals("HEAD");
    HttpResponse.BodySubscriber<T> subscriber = handler.apply(new Info(status, headers));
    Body source =
        new Body(
            subscriber,
            bare || announced >= body.length ? body : Arrays.copyOf(body, (int) announced),
            bare,
            announced);
    subscriber.onSubscribe(source);
    T given = subscriber.getBody().toCompletableFuture().join();
    return new Response<>(status, request, headers, given);
  }

  private boolean isHub(URI address) {
    return hub.getScheme().equalsIgnoreCase(address.getScheme())
        && hub.getHost().equalsIgnoreCase(address.getHost())
        && hub.getPort() == address.getPort();
  }

  private static int at(byte[] bytes, int index) {
    return index < bytes.length ? bytes[index] : -1;
  }

  /** The status of a first line as the JDK takes it: three digits. */
  private static int status(String line) throws IOException {
    if (!line.matches("[1-9][0-9]{2}( .*)?")) {
      throw new IOException("Invalid status line: " + line);
    }
    return Integer.parseInt(line.substring(0, 3));
  }

  private static HttpHeaders headers(String[] lines, int length) throws IOException {
    Map<String, List<String>> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    for (int i = 1; i < lines.length; i++) {
      int colon = lines[i].indexOf(':');
      String name = lines[i].substring(0, Math.max(0, colon));
      String value = lines[i].substring(colon + 1).strip();
      if (!name.matches("[!#$%&'*+.^_`|~0-9A-Za-z-]+")
          || !value.chars().allMatch(c -> c == '\t' || (c >= ' ' && c != 127))) {
        throw new IOException("Invalid header: " + lines[i]);
      }
      headers.computeIfAbsent(name.toLowerCase(Locale.ROOT), key -> new ArrayList<>()).add(value);
    }
    // As a server does; an answer that lies says so itself.
    headers.computeIfAbsent("content-length", key -> List.of(String.valueOf(length)));
    return HttpHeaders.of(headers, (name, value) -> true);
  }

  /** Gives a body in parts, as it is asked for. */
  private static final class Body implements Flow.Subscription {
    private final Flow.Subscriber<List<ByteBuffer>> to;
    private final byte[] bytes;
    private final boolean bare;
    private final long announced;
    private int at;
    private boolean giving;
    private boolean over;
    private long wanted;

    Body(Flow.Subscriber<List<ByteBuffer>> to, byte[] bytes, boolean bare, long announced) {
      this.to = to;
      this.bytes = bytes;
      this.bare = bare;
      this.announced = announced;
    }

    @Override
    public void request(long n) {
      wanted += n;
      if (giving) {
        return;
      }
      giving = true;
      while (!over && wanted > 0) {
        if (bare || at == bytes.length) {
          over = true;
          if (bare || announced <= bytes.length) {
            to.onComplete();
          } else {
            to.onError(new IOException("fixed content-length: " + announced + ", got " + at));
          }
        } else {
          int count = Math.min(PART, bytes.length - at);
          wanted--;
          at += count;
          to.onNext(List.of(ByteBuffer.wrap(bytes, at - count, count).asReadOnlyBuffer()));
        }
      }
      giving = false;
    }

    @Override
    public void cancel() {
      over = true;
    }
  }

  private record Info(int statusCode, HttpHeaders headers) implements HttpResponse.ResponseInfo {
    @Override
    public Version version() {
      return Version.HTTP_1_1;
    }
  }

  private record Response<T>(int statusCode, HttpRequest request, HttpHeaders headers, T body)
      implements HttpResponse<T> {
    @Override
    public Optional<HttpResponse<T>> previousResponse() {
      return Optional.empty();
    }

    @Override
    public Optional<javax.net.ssl.SSLSession> sslSession() {
      return Optional.empty();
    }

    @Override
    public URI uri() {
      return request.uri();
    }

    @Override
    public Version version() {
      return Version.HTTP_1_1;
    }
  }

  // What nobody asks for.

  @Override
  public <T> CompletableFuture<HttpResponse<T>> sendAsync(
      HttpRequest request, HttpResponse.BodyHandler<T> handler) {
    throw new UnsupportedOperationException("sendAsync");
  }

  @Override
  public <T> CompletableFuture<HttpResponse<T>> sendAsync(
      HttpRequest request,
      HttpResponse.BodyHandler<T> handler,
      HttpResponse.@Nullable PushPromiseHandler<T> pushes) {
    throw new UnsupportedOperationException("sendAsync");
  }

  @Override
  public Optional<CookieHandler> cookieHandler() {
    return Optional.empty();
  }

  @Override
  public Optional<Duration> connectTimeout() {
    return Optional.empty();
  }

  @Override
  public Redirect followRedirects() {
    return Redirect.NEVER;
  }

  @Override
  public Optional<ProxySelector> proxy() {
    return Optional.empty();
  }

  @Override
  public SSLContext sslContext() {
    throw new UnsupportedOperationException("sslContext");
  }

  @Override
  public SSLParameters sslParameters() {
    throw new UnsupportedOperationException("sslParameters");
  }

  @Override
  public Optional<Authenticator> authenticator() {
    return Optional.empty();
  }

  @Override
  public Version version() {
    return Version.HTTP_1_1;
  }

  @Override
  public Optional<Executor> executor() {
    return Optional.empty();
  }
}
