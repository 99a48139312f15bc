package dev.lmm.cli;

import dev.lmm.BundleRequest;
import dev.lmm.Bundled;
import dev.lmm.Check;
import dev.lmm.Models;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code lmm bundle}. */
@Command(
    name = "bundle",
    description =
        "Packs models, the natives of this platform and a manifest of hashes into one file, for a"
            + " machine without network. The file is loaded by its path; FILE#MODEL if it holds"
            + " several.")
final class BundleCommand extends OutputCommand {
  @Parameters(
      arity = "1..*",
      paramLabel = "MODEL",
      description = "Hub ids, folders, or bundled models such as tiny-clip.")
  List<String> models = List.of();

  @Option(
      names = "--out",
      required = true,
      paramLabel = "FILE",
      description = "The file to write, usually NAME.lmm.")
  @Nullable Path out;

  @Option(names = "--variant", description = "Of the weights, for instance fp16.")
  String variant = "";

  @Option(
      names = "--no-natives",
      description = "Leaves out the native libraries: an application has them in its jars.")
  boolean noNatives;

  @Option(names = "--offline", description = "Never uses the network.")
  boolean offline;

  @Option(
      names = "--cache",
      paramLabel = "DIR",
      description = "The hub's cache; HF_HUB_CACHE and its like by default.")
  @Nullable Path cache;

  @Override
  public Integer call() {
    BundleRequest request =
        Models.bundle(models.toArray(String[]::new)).variant(variant).natives(!noNatives);
    if (offline) {
      request = request.offline();
    }
    if (cache != null) {
      request = request.cache(cache);
    }
    Path file = Check.notNull(out, "out");
    Progress progress = new Progress(output().err());
    if (Progress.wanted(this)) {
      request = request.onProgress((done, total) -> progress.show(file.toString(), done, total));
    }
    Bundled bundled;
    try {
      bundled = request.write(file);
    } finally {
      progress.end();
    }
    Map<String, Object> document = new LinkedHashMap<>();
    document.put("file", bundled.file().toString());
    document.put("bytes", bundled.bytes());
    document.put("models", bundled.models());
    document.put("natives", bundled.natives());
    return print(
        document,
        () -> {
          output().line(bundled.file() + ": " + Sizes.of(bundled.bytes()));
          bundled.models().forEach(model -> output().line("  model " + model));
          bundled.natives().forEach(library -> output().line("  natives of " + library));
        });
  }
}
