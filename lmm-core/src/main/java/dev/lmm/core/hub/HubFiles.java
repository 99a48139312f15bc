package dev.lmm.core.hub;

import dev.lmm.CheckpointException;
import dev.lmm.core.checkpoint.CheckpointFiles;
import dev.lmm.core.json.Json;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/** Which of a repository's files a load needs. */
final class HubFiles {
  static final String PIPELINE = "model_index.json";

  // Of a model, or of one part of a pipeline.
  private static final Set<String> SMALL =
      Set.of(
          "config.json",
          "generation_config.json",
          "preprocessor_config.json",
          "video_preprocessor_config.json",
          "processor_config.json",
          "scheduler_config.json",
          "tokenizer.json",
          "tokenizer_config.json",
          "special_tokens_map.json",
          "added_tokens.json",
          "vocab.json",
          "vocab.txt",
          "merges.txt",
          "spiece.model",
          "tokenizer.model",
          "sentencepiece.bpe.model",
          "chat_template.json",
          "chat_template.jinja",
          "quantize_config.json",
          "quant_config.json");
  // The checker of Stable Diffusion 1 is larger than the text encoder, and nothing here runs it.
  private static final Set<String> UNUSED_PARTS = Set.of("safety_checker");

  private HubFiles() {}

  /**
   * Whether a name from a server may become a path below a folder.
   *
   * @param name parts separated by slashes
   * @return false if it could lead elsewhere, on any system
   */
  static boolean isSafe(String name) {
    if (name.isEmpty() || name.length() > 500) {
      return false;
    }
    for (String part : name.split("/", -1)) {
      if (part.isEmpty()
          || part.equals(".")
          || part.equals("..")
          || part.length() > 200
          || part.chars().anyMatch(c -> c < 32 || c == 127 || "\\:*?\"<>|".indexOf(c) >= 0)) {
        return false;
      }
    }
    return true;
  }

  /** Config and tokenizer files of a folder ({@code ""} for the root, else ending in a slash). */
  static List<String> small(Collection<String> names, String folder) {
    List<String> needed = new ArrayList<>();
    for (String name : new TreeSet<>(names)) {
      if (name.startsWith(folder) && SMALL.contains(name.substring(folder.length()))) {
        needed.add(name);
      }
    }
    return needed;
  }

  /** Those of the small files that say how large a model is. */
  static List<String> configs(Collection<String> names, String folder) {
    return small(names, folder).stream().filter(name -> name.endsWith("config.json")).toList();
  }

  /** The folders of a pipeline's parts that are there, each ending in a slash. */
  static List<String> parts(Collection<String> names, Json pipeline) {
    Set<String> folders = new TreeSet<>();
    for (String name : names) {
      int slash = name.indexOf('/');
      if (slash > 0) {
        folders.add(name.substring(0, slash));
      }
    }
    List<String> parts = new ArrayList<>();
    for (String key : pipeline.keys()) {
      if (folders.contains(key) && pipeline.at(key).isArray() && !UNUSED_PARTS.contains(key)) {
        parts.add(key + "/");
      }
    }
    return parts;
  }

  /** The file with the weights of a folder, or the index of its shards, if there is one. */
  static List<String> weights(Collection<String> names, String folder, String variant) {
    Set<String> inside = new LinkedHashSet<>();
    for (String name : names) {
      if (name.startsWith(folder) && name.indexOf('/', folder.length()) < 0) {
        inside.add(name.substring(folder.length()));
      }
    }
    return CheckpointFiles.choose(inside, variant)
        // A pipeline has parts without the variant asked for.
        .or(() -> folder.isEmpty() ? Optional.empty() : CheckpointFiles.choose(inside, ""))
        .map(name -> List.of(folder + name))
        .orElse(List.of());
  }

  /**
   * The files of a folder that make its model: what a load reads, and licences, which have to go
   * wherever weights go.
   *
   * @param folder of a model
   * @param variant of the weights, or empty
   * @return names relative to the folder, sorted
   * @throws dev.lmm.CheckpointException if the folder has no config or no weights, or an index
   *     names a file it lacks
   */
  static SortedSet<String> needed(Path folder, String variant) {
    SortedSet<String> names = HubCache.names(folder);
    TreeSet<String> needed = new TreeSet<>();
    List<String> folders = List.of("");
    if (names.contains(PIPELINE) && !names.contains("config.json")) {
      needed.add(PIPELINE);
      Json pipeline = Json.parse(folder.resolve(PIPELINE));
      List<String> parts = new ArrayList<>(parts(names, pipeline));
      // A hub's is not fetched, but one that is here looks at every picture.
      UNUSED_PARTS.stream()
          .filter(part -> pipeline.hasValue(part) && names.contains(part + "/config.json"))
          .forEach(part -> parts.add(part + "/"));
      folders = parts;
    } else if (!names.contains("config.json")) {
      throw new CheckpointException(
          folder.resolve("config.json")
              + ": no such file; is "
              + folder
              + " the folder of a checkpoint?");
    }
    boolean any = false;
    for (String part : folders) {
      needed.addAll(small(names, part));
      for (String file : weights(names, part, variant)) {
        any = true;
        needed.add(file);
        if (file.endsWith(".json")) {
          for (String shard : CheckpointFiles.shards(Json.parse(folder.resolve(file)))) {
            needed.add(part + shard);
          }
        }
      }
    }
    if (!any) {
      throw new CheckpointException(
          folder
              + ": has no weights"
              + (variant.isEmpty() ? "" : " of variant " + variant)
              + "; is the download complete?");
    }
    for (String name : needed) {
      if (!names.contains(name)) {
        throw new CheckpointException(
            folder.resolve(name) + ": no such file, but an index names it");
      }
    }
    for (String name : names) {
      if (name.matches("(?i)(licen[cs]e|notice)[^/]*")) {
        needed.add(name);
      }
    }
    return needed;
  }

  /** What else is of interest in a repository without weights that can be read. */
  static String overview(Collection<String> names) {
    TreeMap<String, Integer> endings = new TreeMap<>();
    for (String name : names) {
      int dot = name.lastIndexOf('.');
      endings.merge(dot < 0 ? name : name.substring(dot), 1, Integer::sum);
    }
    return endings.toString();
  }
}
