package dev.lmm.diffusion.internal.lora;

import dev.lmm.CheckpointException;
import dev.lmm.Lora;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The adapters of requests. Keeps the sum of the last one's. Not thread-safe. */
public final class Loras {
  /** A file as it was when it was read. */
  private record Version(Path file, FileTime modified, long size) {
    static Version of(Path file) {
      try {
        Path real = file.toRealPath();
        return new Version(real, Files.getLastModifiedTime(real), Files.size(real));
      } catch (IOException e) {
        throw new CheckpointException(file + ": no such file", e);
      }
    }
  }

  private record Use(Version version, double scale) {}

  private final LoraLayers layers;
  private List<Use> uses = List.of();
  private Map<String, LoraBranches> branches = Map.of();

  /**
   * Begins with none read.
   *
   * @param layers of the pipeline
   */
  public Loras(LoraLayers layers) {
    this.layers = layers;
  }

  /**
   * What adapters add up to.
   *
   * @param loras the adapters; one with scale 0 is read, and does nothing
   * @return by part; parts that none of them changes are missing
   * @throws CheckpointException if a file is missing or broken, or is not for this model
   */
  public Map<String, LoraBranches> of(List<Lora> loras) {
    List<Use> wanted =
        loras.stream().map(each -> new Use(Version.of(each.file()), each.scale())).toList();
    if (!wanted.equals(uses)) {
      branches = addUp(loras);
      uses = wanted;
    }
    return branches;
  }

  private Map<String, LoraBranches> addUp(List<Lora> loras) {
    Map<String, Map<LoraLayer, List<LoraBranches.Scaled>>> parts = new LinkedHashMap<>();
    for (Lora lora : loras) {
      LoraFile.read(lora.file(), layers)
          .forEach(
              (layer, change) -> {
                if (lora.scale() != 0) {
                  parts
                      .computeIfAbsent(layer.part(), part -> new LinkedHashMap<>())
                      .computeIfAbsent(layer, l -> new ArrayList<>())
                      .add(new LoraBranches.Scaled(change, lora.scale()));
                }
              });
    }
    Map<String, LoraBranches> sums = new HashMap<>();
    parts.forEach((part, changes) -> sums.put(part, LoraBranches.of(changes)));
    return sums;
  }
}
