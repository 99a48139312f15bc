package dev.lmm.core.hub;

import dev.lmm.Cancellation;
import dev.lmm.Check;
import dev.lmm.InvalidRequestException;
import dev.lmm.ProgressListener;
import dev.lmm.spi.DownloadOptions;
import dev.lmm.spi.LoadOptions;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Where the hub and its cache are, and how to download. Immutable.
 *
 * @param cache the folder that holds the models
 * @param endpoint the hub, {@code http} or {@code https}, without a trailing slash
 * @param token proves who asks, or null; never part of a message
 * @param offline whether the network is forbidden
 * @param weights whether the weights are needed, or config and tokenizer alone
 * @param variant of the weights, for instance {@code fp16}; empty for the plain files
 * @param symlinks whether snapshots may link to blobs; otherwise they hold the files themselves
 * @param timeout without an answer, or with less than 1 KB of data, after which a connection counts
 *     as broken
 * @param retries tries in a row that bring less than 1 KB before a download fails, at least 0
 * @param retryDelay before the first such try; doubled each time
 * @param listener hears of progress, or null
 * @param cancellation stops a download, or null
 */
public record HubOptions(
    Path cache,
    URI endpoint,
    @Nullable String token,
    boolean offline,
    boolean weights,
    String variant,
    boolean symlinks,
    Duration timeout,
    int retries,
    Duration retryDelay,
    DownloadProgress.@Nullable Listener listener,
    @Nullable Cancellation cancellation) {
  private static final Set<String> TRUE = Set.of("1", "ON", "YES", "TRUE");
  private static final Pattern VARIABLE =
      Pattern.compile("\\$(?:\\{([A-Za-z_]\\w*)\\}|([A-Za-z_]\\w*))");

  /**
   * Checks the endpoint and the numbers.
   *
   * @param cache the folder that holds the models
   * @param endpoint the hub, {@code http} or {@code https}, without a trailing slash
   * @param token proves who asks, or null; never part of a message
   * @param offline whether the network is forbidden
   * @param weights whether the weights are needed, or config and tokenizer alone
   * @param variant of the weights, for instance {@code fp16}; empty for the plain files
   * @param symlinks whether snapshots may link to blobs; otherwise they hold the files themselves
   * @param timeout without an answer, or with less than 1 KB of data, after which a connection
   *     counts as broken
   * @param retries tries in a row that bring less than 1 KB before a download fails, at least 0
   * @param retryDelay before the first such try; doubled each time
   * @param listener hears of progress, or null
   * @param cancellation stops a download, or null
   */
  public HubOptions {
    String scheme = endpoint.getScheme();
    Check.that(
        ("http".equalsIgnoreCase(scheme) || "https".equalsIgnoreCase(scheme))
            && endpoint.getHost() != null,
        "endpoint (HF_ENDPOINT): is " + endpoint + "; expected an http or https address");
    Check.that(retries >= 0, "retries: is " + retries + "; expected at least 0");
    Check.that(
        !timeout.isNegative() && !timeout.isZero(),
        "timeout: is " + timeout + "; expected a positive duration");
    Check.that(
        variant.matches("[A-Za-z0-9_-]*"),
        "variant: is " + variant + "; expected letters and digits, as in fp16");
  }

  /**
   * The options that the environment asks for, the same as for the Python client.
   *
   * <p>{@code HF_HUB_CACHE}, else {@code hub} in {@code HF_HOME}, else in {@code
   * $XDG_CACHE_HOME/huggingface}, else in {@code ~/.cache/huggingface}; {@code HF_ENDPOINT}; {@code
   * HF_TOKEN}, else the file {@code HF_TOKEN_PATH}, else {@code token} in {@code HF_HOME}; {@code
   * HF_HUB_OFFLINE}; {@code HF_HUB_DISABLE_SYMLINKS}; {@code HF_HUB_DOWNLOAD_TIMEOUT} in seconds.
   *
   * @return the options
   * @throws InvalidRequestException if a variable makes no sense
   */
  public static HubOptions fromEnvironment() {
    return from(System.getenv(), Path.of(System.getProperty("user.home", ".")));
  }

  static HubOptions from(Map<String, String> environment, Path home) {
    Path base =
        path(
            environment,
            home,
            "HF_HOME",
            path(environment, home, "XDG_CACHE_HOME", home.resolve(".cache"))
                .resolve("huggingface"));
    Path cache =
        path(
            environment,
            home,
            "HF_HUB_CACHE",
            path(environment, home, "HUGGINGFACE_HUB_CACHE", base.resolve("hub")));
    String endpoint = environment.getOrDefault("HF_ENDPOINT", "").strip();
    if (endpoint.isEmpty()) {
      endpoint = "https://huggingface.co";
    }
    URI address;
    try {
      address = URI.create(endpoint.replaceAll("/+$", ""));
    } catch (IllegalArgumentException e) {
      throw new InvalidRequestException(
          "HF_ENDPOINT: is " + endpoint + "; expected an http or https address", e);
    }
    String seconds = environment.getOrDefault("HF_HUB_DOWNLOAD_TIMEOUT", "").strip();
    Check.that(
        seconds.matches("|[1-9][0-9]{0,5}"),
        "HF_HUB_DOWNLOAD_TIMEOUT: is " + seconds + "; expected seconds");
    return new HubOptions(
        cache,
        address,
        token(environment, path(environment, home, "HF_TOKEN_PATH", base.resolve("token"))),
        isTrue(environment, "HF_HUB_OFFLINE") || isTrue(environment, "TRANSFORMERS_OFFLINE"),
        true,
        "",
        !isTrue(environment, "HF_HUB_DISABLE_SYMLINKS"),
        Duration.ofSeconds(seconds.isEmpty() ? 10 : Long.parseLong(seconds)),
        5,
        Duration.ofMillis(500),
        null,
        null);
  }

  private static boolean isTrue(Map<String, String> environment, String name) {
    return TRUE.contains(environment.getOrDefault(name, "").strip().toUpperCase(Locale.ROOT));
  }

  private static Path path(Map<String, String> environment, Path home, String name, Path absent) {
    String text = environment.getOrDefault(name, "");
    if (text.isBlank()) {
      return absent;
    }
    if (text.equals("~") || text.startsWith("~/")) {
      text = home + text.substring(1);
    }
    Matcher matcher = VARIABLE.matcher(text);
    return Path.of(
        matcher.replaceAll(
            found -> {
              String variable = found.group(1) == null ? found.group(2) : found.group(1);
              return Matcher.quoteReplacement(environment.getOrDefault(variable, found.group()));
            }));
  }

  private static @Nullable String token(Map<String, String> environment, Path file) {
    for (String name : new String[] {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"}) {
      String token = clean(environment.getOrDefault(name, ""));
      if (token != null) {
        return token;
      }
    }
    if (isTrue(environment, "HF_HUB_DISABLE_IMPLICIT_TOKEN")) {
      return null;
    }
    try {
      return Files.isRegularFile(file) && Files.size(file) < 10_000
          ? clean(Files.readString(file))
          : null;
    } catch (IOException e) {
      // A token that cannot be read is none: most models need none.
      return null;
    }
  }

  private static @Nullable String clean(String text) {
    String token = text.strip();
    if (token.isEmpty()) {
      return null;
    }
    // It becomes a header.
    Check.that(
        token.chars().allMatch(c -> c > 32 && c < 127),
        "HF_TOKEN: holds blanks or control characters; expected a token such as hf_...");
    return token;
  }

  /**
   * Another cache.
   *
   * @param value the folder that holds the models
   * @return new options
   */
  public HubOptions withCache(Path value) {
    return with(draft -> draft.cache = value);
  }

  /**
   * Another hub.
   *
   * @param value its address
   * @return new options
   */
  public HubOptions withEndpoint(URI value) {
    return with(draft -> draft.endpoint = value);
  }

  /**
   * Another token.
   *
   * @param value the token, or null for none
   * @return new options
   */
  public HubOptions withToken(@Nullable String value) {
    return with(draft -> draft.token = value == null ? null : clean(value));
  }

  /**
   * With or without network.
   *
   * @param value whether it is forbidden
   * @return new options
   */
  public HubOptions withOffline(boolean value) {
    return with(draft -> draft.offline = value);
  }

  /**
   * With or without weights.
   *
   * @param value whether they are needed
   * @return new options
   */
  public HubOptions withWeights(boolean value) {
    return with(draft -> draft.weights = value);
  }

  /**
   * Another variant of the weights.
   *
   * @param value for instance {@code fp16}; empty for the plain files
   * @return new options
   */
  public HubOptions withVariant(String value) {
    return with(draft -> draft.variant = value);
  }

  /**
   * With or without links.
   *
   * @param value whether snapshots may link to blobs
   * @return new options
   */
  public HubOptions withSymlinks(boolean value) {
    return with(draft -> draft.symlinks = value);
  }

  /**
   * Other patience.
   *
   * @param silence after which a connection counts as broken
   * @param tries in a row that bring less than 1 KB before a download fails
   * @param delay before the first such try
   * @return new options
   */
  public HubOptions withPatience(Duration silence, int tries, Duration delay) {
    return with(
        draft -> {
          draft.timeout = silence;
          draft.retries = tries;
          draft.retryDelay = delay;
        });
  }

  /**
   * Watches the download.
   *
   * @param value hears of progress, or null
   * @return new options
   */
  public HubOptions withListener(DownloadProgress.@Nullable Listener value) {
    return with(draft -> draft.listener = value);
  }

  /**
   * Can be stopped.
   *
   * @param value stops a download, or null
   * @return new options
   */
  public HubOptions withCancellation(@Nullable Cancellation value) {
    return with(draft -> draft.cancellation = value);
  }

  /**
   * These options, with what a load asks for.
   *
   * @param load its options; what they leave open stays as it is here
   * @return new options
   */
  public HubOptions with(LoadOptions load) {
    DownloadOptions download = load.download();
    HubOptions merged =
        withOffline(offline || load.offline())
            .withWeights(load.randomWeights().isEmpty())
            .withVariant(download.variant().isEmpty() ? variant : download.variant());
    if (download.cache() != null) {
      merged = merged.withCache(download.cache());
    }
    ProgressListener heard = download.listener();
    if (heard != null) {
      merged = merged.withListener(now -> heard.progress(now.done(), now.total()));
    }
    if (download.cancellation() != null) {
      merged = merged.withCancellation(download.cancellation());
    }
    return merged;
  }

  /** Without the token. */
  @Override
  public String toString() {
    return "HubOptions[cache="
        + cache
        + ", endpoint="
        + endpoint
        + ", token="
        + (token == null ? "none" : "***")
        + ", offline="
        + offline
        + ']';
  }

  /** The components under way to other ones. */
  private static final class Draft {
    Path cache;
    URI endpoint;
    @Nullable String token;
    boolean offline;
    boolean weights;
    String variant;
    boolean symlinks;
    Duration timeout;
    int retries;
    Duration retryDelay;
    DownloadProgress.@Nullable Listener listener;
    @Nullable Cancellation cancellation;

    Draft(HubOptions from) {
      this.cache = from.cache;
      this.endpoint = from.endpoint;
      this.token = from.token;
      this.offline = from.offline;
      this.weights = from.weights;
      this.variant = from.variant;
      this.symlinks = from.symlinks;
      this.timeout = from.timeout;
      this.retries = from.retries;
      this.retryDelay = from.retryDelay;
      this.listener = from.listener;
      this.cancellation = from.cancellation;
    }
  }

  private HubOptions with(Consumer<Draft> change) {
    Draft draft = new Draft(this);
    change.accept(draft);
    return new HubOptions(
        draft.cache,
        draft.endpoint,
        draft.token,
        draft.offline,
        draft.weights,
        draft.variant,
        draft.symlinks,
        draft.timeout,
        draft.retries,
        draft.retryDelay,
        draft.listener,
        draft.cancellation);
  }
}
