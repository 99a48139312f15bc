package dev.lmm.core.checkpoint;

import dev.lmm.CheckpointException;
import dev.lmm.core.json.Json;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

/** Finds the files of a folder that hold the weights. */
public final class CheckpointFiles {
  private CheckpointFiles() {}

  /**
   * Opens the weights of a folder: {@code model.safetensors}, or the shards that {@code
   * model.safetensors.index.json} names.
   *
   * @param folder the checkpoint's folder
   * @return its tensors, to be closed
   * @throws CheckpointException if there are none, a shard is missing or leaves the folder, or a
   *     file is broken
   */
  public static CheckpointWeights open(Path folder) {
    Path single = folder.resolve("model.safetensors");
    if (Files.isRegularFile(single)) {
      return CheckpointWeights.ofSafetensors(single.toString(), List.of(single));
    }
    Path index = folder.resolve("model.safetensors.index.json");
    if (Files.isRegularFile(index)) {
      return CheckpointWeights.ofSafetensors(index.toString(), shards(folder, Json.parse(index)));
    }
    throw new CheckpointException(
        folder
            + ": has neither model.safetensors nor model.safetensors.index.json; is the download"
            + " complete?");
  }

  private static List<Path> shards(Path folder, Json index) {
    Json map = index.at("weight_map");
    TreeSet<String> names = new TreeSet<>();
    for (String tensor : map.keys()) {
      names.add(map.stringAt(tensor));
    }
    List<Path> files = new ArrayList<>();
    for (String name : names) {
      // A plain file name only: whatever else it holds could lead out of the folder.
      if (!name.matches("[A-Za-z0-9][A-Za-z0-9._-]*")) {
        throw new CheckpointException(
            index.source() + ": weight_map names the file \"" + name + "\"; expected a plain name");
      }
      Path file = folder.resolve(name);
      if (!Files.isRegularFile(file)) {
        throw new CheckpointException(
            file
                + ": no such file, but "
                + index.source()
                + " names it; is the download complete?");
      }
      files.add(file);
    }
    return files;
  }
}
