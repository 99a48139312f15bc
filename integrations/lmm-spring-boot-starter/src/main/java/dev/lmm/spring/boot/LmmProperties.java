package dev.lmm.spring.boot;

import dev.lmm.Precision;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * What {@code lmm.*} in the application's properties says.
 *
 * @param load When models are loaded: with the application, or when they are first used.
 * @param offline Whether to forbid downloads, whatever a model's name.
 * @param cache Folder of the hub's cache; the Python client's own if not set.
 * @param threads Threads an engine computes with; all processors if not set. The first model
 *     decides.
 * @param shutdownTimeout How long runs may go on when the application stops, before they are
 *     cancelled.
 * @param encoder Embeds pictures and texts.
 * @param chat Talks about pictures and videos.
 * @param generator Makes pictures of texts.
 * @param captioner Describes pictures.
 * @param matcher Says whether pictures and texts belong together.
 * @param grounder Finds things in pictures.
 */
@ConfigurationProperties("lmm")
public record LmmProperties(
    @DefaultValue("eager") Load load,
    @DefaultValue("false") boolean offline,
    @Nullable Path cache,
    @Nullable Integer threads,
    @DefaultValue("20s") Duration shutdownTimeout,
    @Nullable Role encoder,
    @Nullable Role chat,
    @Nullable Role generator,
    @Nullable Role captioner,
    @Nullable Role matcher,
    @Nullable Role grounder) {
  /** When a model is loaded. */
  public enum Load {
    /** With the application, which does not start if it cannot be loaded. */
    EAGER,
    /** When it is first used. */
    LAZY
  }

  /**
   * One role's model.
   *
   * @param model Hub id, folder, or name of a bundled model.
   * @param engine Name of the engine; the best one there is if not set.
   * @param device Where it computes, for instance cpu.
   * @param precision What it computes in; the engine's own choice if not set.
   * @param variant Which of a checkpoint's sets of weights to take, for instance fp16.
   */
  public record Role(
      String model,
      @Nullable String engine,
      @Nullable String device,
      @Nullable Precision precision,
      @Nullable String variant) {}

  /** The roles that have a model, by name. */
  Map<String, Role> roles() {
    Map<String, Role> roles = new LinkedHashMap<>();
    add(roles, "encoder", encoder);
    add(roles, "chat", chat);
    add(roles, "generator", generator);
    add(roles, "captioner", captioner);
    add(roles, "matcher", matcher);
    add(roles, "grounder", grounder);
    return roles;
  }

  private static void add(Map<String, Role> roles, String name, @Nullable Role role) {
    if (role != null) {
      roles.put(name, role);
    }
  }
}
