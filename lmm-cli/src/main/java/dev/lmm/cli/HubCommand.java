package dev.lmm.cli;

import dev.lmm.core.hub.HubOptions;
import java.net.URI;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What the commands have that look after the hub's cache. */
abstract class HubCommand extends OutputCommand {
  @Option(
      names = "--cache",
      paramLabel = "DIR",
      description = "The cache; HF_HUB_CACHE and its like by default.")
  @Nullable Path cache;

  @Option(
      names = "--endpoint",
      paramLabel = "URL",
      description = "The hub's address; HF_ENDPOINT by default.")
  @Nullable URI endpoint;

  final HubOptions options() {
    HubOptions options = HubOptions.fromEnvironment();
    if (cache != null) {
      options = options.withCache(cache);
    }
    return endpoint == null ? options : options.withEndpoint(endpoint);
  }
}
