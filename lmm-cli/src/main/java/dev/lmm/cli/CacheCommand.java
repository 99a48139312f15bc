package dev.lmm.cli;

import dev.lmm.Check;
import dev.lmm.CheckpointException;
import dev.lmm.ModelNotFoundException;
import dev.lmm.core.hub.HubCache;
import dev.lmm.core.hub.HubCache.CachedModel;
import dev.lmm.core.quantization.QuantizedCache;
import dev.lmm.core.quantization.QuantizedCache.Entry;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;

/** {@code lmm cache}. */
@Command(
    name = "cache",
    description = "Lists, removes and verifies what was fetched from the hub.",
    subcommands = {
      CacheCommand.ListCommand.class,
      CacheCommand.RemoveCommand.class,
      CacheCommand.VerifyCommand.class
    })
final class CacheCommand implements Runnable {
  @CommandLine.Spec CommandLine.Model.@Nullable CommandSpec spec;

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Shows this help.")
  boolean help;

  @Override
  public void run() {
    throw new ParameterException(
        Check.notNull(spec, "spec").commandLine(), "Expected list, remove or verify");
  }

  /** {@code lmm cache list}. */
  @Command(name = "list", description = "The models, their sizes and revisions.")
  static final class ListCommand extends HubCommand {
    @Override
    public Integer call() {
      Path root = options().cache();
      List<CachedModel> models = new HubCache(root).list();
      List<Map<String, Object>> entries = new ArrayList<>();
      for (CachedModel model : models) {
        Map<String, Object> entry = new LinkedHashMap<>();
        entry.put("model", model.id());
        entry.put("bytes", model.bytes());
        entry.put("revisions", model.revisions());
        entry.put("folder", model.folder().toString());
        entries.add(entry);
      }
      long quantized = new QuantizedCache().list().stream().mapToLong(Entry::bytes).sum();
      Map<String, Object> document = new LinkedHashMap<>();
      document.put("cache", root.toString());
      document.put("models", entries);
      document.put("quantizedBytes", quantized);
      return print(
          document,
          () -> {
            for (CachedModel model : models) {
              output()
                  .line(
                      Sizes.of(model.bytes())
                          + "\t"
                          + model.id()
                          + "\t"
                          + String.join(" ", model.revisions()));
            }
            if (quantized > 0) {
              output().line(Sizes.of(quantized) + "\tquantized weights of these and of folders");
            }
          });
    }
  }

  /** {@code lmm cache remove}. */
  @Command(
      name = "remove",
      description =
          "Deletes a model with all its revisions and its quantized weights; of a folder, only the"
              + " quantized weights.")
  static final class RemoveCommand extends HubCommand {
    @Parameters(
        index = "0",
        paramLabel = "MODEL",
        description = "A hub id: owner/name, or a folder.")
    String model = "";

    @Override
    public Integer call() {
      HubCache root = new HubCache(options().cache());
      Optional<CachedModel> cached =
          root.list().stream().filter(each -> each.id().equals(model)).findFirst();
      long bytes;
      if (cached.isPresent()) {
        bytes = new QuantizedCache().remove(cached.get().folder()) + root.remove(model);
      } else if (isFolder()) {
        bytes = new QuantizedCache().remove(Path.of(model));
      } else {
        throw new ModelNotFoundException(
            model + ": is not in the cache " + options().cache() + "; see lmm cache list");
      }
      Map<String, Object> document = new LinkedHashMap<>();
      document.put("model", model);
      document.put("bytes", bytes);
      return print(document, () -> output().line(Sizes.of(bytes) + " freed"));
    }

    private boolean isFolder() {
      try {
        return Files.isDirectory(Path.of(model));
      } catch (InvalidPathException e) {
        return false;
      }
    }
  }

  /** {@code lmm cache verify}. */
  @Command(name = "verify", description = "Compares every file with the hash the hub gave.")
  static final class VerifyCommand extends HubCommand {
    @Parameters(
        index = "0",
        arity = "0..1",
        paramLabel = "MODEL",
        description = "A hub id: owner/name; all models by default.")
    @Nullable String model;

    @Override
    public Integer call() {
      HubCache root = new HubCache(options().cache());
      List<String> ids =
          model == null ? root.list().stream().map(CachedModel::id).toList() : List.of(model);
      Map<String, String> wrong = new LinkedHashMap<>();
      for (String id : ids) {
        root.verify(id).forEach((file, reason) -> wrong.put(file.toString(), reason));
      }
      if (!wrong.isEmpty() && !json) {
        wrong.forEach((file, reason) -> output().line(file + ": " + reason));
        throw new CheckpointException(
            wrong.size() + " files differ from their hashes; remove their models and pull again");
      }
      Map<String, Object> document = new LinkedHashMap<>();
      document.put("models", ids);
      document.put("wrong", wrong);
      print(document, () -> output().line(ids.size() + " models, every file as its hash says"));
      return wrong.isEmpty() ? 0 : 1;
    }
  }
}
