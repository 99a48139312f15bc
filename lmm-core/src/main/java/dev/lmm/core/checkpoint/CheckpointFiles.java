package dev.lmm.core.checkpoint;

import dev.lmm.CheckpointException;
import dev.lmm.core.engine.StoredTensor;
import dev.lmm.core.json.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * Finds the files of a folder that hold the weights.
 *
 * <p>In this order: {@code model.safetensors}, {@code model.safetensors.index.json} and the shards
 * it names, the same of {@code diffusion_pytorch_model}, then {@code pytorch_model.bin} and {@code
 * diffusion_pytorch_model.bin}, single or with an index. A variant stands before the ending, as in
 * {@code model.fp16.safetensors} and {@code model.safetensors.index.fp16.json}. If there is no
 * plain file but one in {@code fp16}, {@code bf16} or {@code fp32} alone, that is taken.
 */
public final class CheckpointFiles {
  private static final List<String> SAFETENSORS = List.of("model", "diffusion_pytorch_model");
  private static final List<String> TORCH = List.of("pytorch_model", "diffusion_pytorch_model");
  private static final List<String> PRECISIONS = List.of("fp16", "bf16", "fp32");
  // What a folder may have instead: named in the message.
  private static final List<String> FOREIGN =
      List.of(".h5", ".msgpack", ".ckpt", ".gguf", ".onnx", ".safetensors", ".bin", ".pth");

  private CheckpointFiles() {}

  /**
   * Opens the weights of a folder.
   *
   * @param folder the checkpoint's folder
   * @return its tensors, to be closed
   * @throws CheckpointException if there are none, a shard is missing or leaves the folder, or a
   *     file is broken
   */
  public static CheckpointWeights open(Path folder) {
    return open(folder, "");
  }

  /**
   * Opens the weights of a folder in a variant.
   *
   * @param folder the checkpoint's folder
   * @param variant for instance {@code fp16}; empty for the plain files
   * @return its tensors, to be closed
   * @throws CheckpointException if there are none, a shard is missing or leaves the folder, or a
   *     file is broken
   */
  public static CheckpointWeights open(Path folder, String variant) {
    Set<String> names = names(folder);
    String chosen =
        choose(names, variant)
            .orElseThrow(
                () ->
                    new CheckpointException(
                        folder
                            + ": has no weights"
                            + (variant.isEmpty() ? "" : " of variant " + variant)
                            + "; expected "
                            + candidates(variant).get(0)
                            + ", its index or pytorch_model.bin, found "
                            + foreign(names)
                            + "; is the download complete?"));
    Path file = folder.resolve(chosen);
    if (!chosen.endsWith(".json")) {
      return chosen.endsWith(".safetensors")
          ? CheckpointWeights.ofSafetensors(file.toString(), List.of(file))
          : CheckpointWeights.ofTorch(file);
    }
    Json index = Json.parse(file);
    List<Path> files = new ArrayList<>();
    for (String name : shards(index)) {
      Path shard = folder.resolve(name);
      if (!Files.isRegularFile(shard)) {
        throw new CheckpointException(
            shard + ": no such file, but " + chosen + " names it; is the download complete?");
      }
      files.add(shard);
    }
    return openShards(file.toString(), files, owners(index));
  }

  /**
   * Whether a folder has weights in a variant.
   *
   * @param folder the checkpoint's folder
   * @param variant for instance {@code fp16}; empty for the plain files
   * @return true if {@link #open(Path, String)} would find a file
   * @throws CheckpointException if the folder cannot be listed
   */
  public static boolean has(Path folder, String variant) {
    return choose(names(folder), variant).isPresent();
  }

  /**
   * Whether a folder has all weights of a variant: an index alone is not enough.
   *
   * @param folder the checkpoint's folder
   * @param variant for instance {@code fp16}; empty for the plain files
   * @return true if {@link #open(Path, String)} would find every file
   * @throws CheckpointException if the folder cannot be listed, or an index is broken
   */
  public static boolean isComplete(Path folder, String variant) {
    Set<String> names = names(folder);
    Optional<String> chosen = choose(names, variant);
    return chosen.isPresent()
        && (!chosen.get().endsWith(".json")
            || names.containsAll(shards(Json.parse(folder.resolve(chosen.get())))));
  }

  private static CheckpointWeights openShards(
      String description, List<Path> files, Map<String, String> owners) {
    List<StoredTensor> tensors = new ArrayList<>();
    List<TorchCheckpoint.Contents> torch = new ArrayList<>();
    try {
      for (Path file : files) {
        if (file.toString().endsWith(".safetensors")) {
          tensors.addAll(Safetensors.read(file));
        } else {
          TorchCheckpoint.Contents contents = TorchCheckpoint.read(file);
          torch.add(contents);
          tensors.addAll(contents.tensors());
        }
      }
      return CheckpointWeights.of(
          description, tensors, owners, CheckpointWeights.temporaries(torch));
    } catch (RuntimeException e) {
      for (Path temporary : CheckpointWeights.temporaries(torch)) {
        try {
          Files.deleteIfExists(temporary);
        } catch (IOException inner) {
          e.addSuppressed(inner);
        }
      }
      throw e;
    }
  }

  /**
   * Which file of a folder to load the weights from.
   *
   * @param names the names of the folder's files
   * @param variant for instance {@code fp16}; empty for the plain files
   * @return a file with tensors or, ending in {@code .json}, an index; empty if there is none
   */
  public static Optional<String> choose(Collection<String> names, String variant) {
    Optional<String> exact = candidates(variant).stream().filter(names::contains).findFirst();
    if (exact.isPresent() || !variant.isEmpty()) {
      return exact;
    }
    List<String> others =
        PRECISIONS.stream()
            .flatMap(precision -> candidates(precision).stream().filter(names::contains).limit(1))
            .toList();
    return others.size() == 1 ? Optional.of(others.get(0)) : Optional.empty();
  }

  private static List<String> candidates(String variant) {
    String part = variant.isEmpty() ? "" : "." + variant;
    Set<String> names = new LinkedHashSet<>();
    for (List<String> stems : List.of(SAFETENSORS, TORCH)) {
      String ending = stems == SAFETENSORS ? ".safetensors" : ".bin";
      for (String stem : stems) {
        names.add(stem + part + ending);
        names.add(stem + ending + ".index" + part + ".json");
        names.add(stem + part + ending + ".index.json");
      }
    }
    return List.copyOf(names);
  }

  /**
   * The shards an index names.
   *
   * @param index with its {@code weight_map}
   * @return plain file names, sorted
   * @throws CheckpointException if a name is no plain file name, or no shard of a known format
   */
  public static List<String> shards(Json index) {
    TreeSet<String> names = new TreeSet<>(owners(index).values());
    for (String name : names) {
      // A plain file name only: whatever else it holds could lead out of the folder.
      if (!name.matches("[A-Za-z0-9][A-Za-z0-9._-]{0,250}\\.(safetensors|bin)")) {
        throw new CheckpointException(
            index.source()
                + ": weight_map names the file \""
                + name
                + "\"; expected a plain name that ends in .safetensors or .bin");
      }
    }
    if (names.isEmpty()) {
      throw new CheckpointException(
          index.source() + ": weight_map is empty; expected the file of each tensor");
    }
    return List.copyOf(names);
  }

  private static Map<String, String> owners(Json index) {
    Json map = index.at("weight_map");
    Map<String, String> owners = new LinkedHashMap<>();
    for (String tensor : map.keys()) {
      owners.put(tensor, map.stringAt(tensor));
    }
    return owners;
  }

  private static Set<String> names(Path folder) {
    Set<String> names = new TreeSet<>();
    try (Stream<Path> files = Files.list(folder)) {
      files.filter(Files::isRegularFile).forEach(file -> names.add(file.getFileName().toString()));
    } catch (IOException e) {
      throw new CheckpointException(folder + ": cannot be listed: " + e, e);
    }
    return names;
  }

  private static String foreign(Set<String> names) {
    List<String> found =
        names.stream().filter(name -> FOREIGN.stream().anyMatch(name::endsWith)).toList();
    return found.isEmpty() ? "none" : found.toString();
  }
}
