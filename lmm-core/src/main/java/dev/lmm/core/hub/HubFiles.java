package dev.lmm.core.hub;

import dev.lmm.core.checkpoint.CheckpointFiles;
import dev.lmm.core.json.Json;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
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
