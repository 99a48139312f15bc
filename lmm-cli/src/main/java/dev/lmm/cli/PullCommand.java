package dev.lmm.cli;

import dev.lmm.Check;
import dev.lmm.core.hub.BundledModels;
import dev.lmm.core.hub.Hub;
import dev.lmm.core.hub.HubCache;
import dev.lmm.core.hub.HubId;
import dev.lmm.core.hub.HubOptions;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;

/** {@code lmm pull}. */
@Command(name = "pull", description = "Fetches a hub's model into the cache; goes on after a cut.")
final class PullCommand extends HubCommand {
  @Parameters(index = "0", paramLabel = "MODEL", description = "A hub id: owner/name[@revision].")
  String model = "";

  @Option(names = "--revision", description = "A branch, a tag or a commit; main by default.")
  @Nullable String revision;

  @Option(names = "--variant", description = "Of the weights, for instance fp16.")
  String variant = "";

  @Option(names = "--offline", description = "Only tells whether the cache has all of it.")
  boolean offline;

  @Option(names = "--verify", description = "Reads every file again and compares its hash.")
  boolean verify;

  @CommandLine.Spec CommandLine.Model.@Nullable CommandSpec spec;

  @Override
  public Integer call() {
    if (BundledModels.names().contains(model)) {
      throw wrong(model + " is bundled: there is nothing to fetch");
    }
    if (!HubId.looksLike(model)) {
      throw wrong("\"" + model + "\" is no hub id, expected owner/name or owner/name@revision");
    }
    if (revision != null && model.contains("@")) {
      throw wrong("--revision and " + model + " both name a revision");
    }
    String id = revision == null ? model : model + "@" + revision;
    HubOptions options = options().withVariant(variant);
    options = options.withOffline(options.offline() || offline);
    Progress progress = new Progress(output().err());
    if (Progress.wanted(this)) {
      options =
          options.withListener(
              now ->
                  progress.show(
                      Sizes.of(Math.round(now.bytesPerSecond())) + "/s  " + now.file(),
                      now.done(),
                      now.total()));
    }
    Path folder;
    try {
      folder = Hub.resolve(id, options);
    } finally {
      progress.end();
    }
    if (verify) {
      new HubCache(options.cache()).requireIntact(id);
    }
    Map<String, Object> document = new LinkedHashMap<>();
    document.put("model", id);
    document.put("commit", Check.notNull(folder.getFileName(), "commit").toString());
    document.put("folder", folder.toString());
    return print(document, () -> output().line(folder.toString()));
  }

  private ParameterException wrong(String message) {
    return new ParameterException(Check.notNull(spec, "spec").commandLine(), message);
  }
}
