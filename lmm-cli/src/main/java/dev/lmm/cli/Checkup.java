package dev.lmm.cli;

import dev.lmm.core.engine.EngineStatus;
import dev.lmm.core.engine.NativeFiles;
import dev.lmm.core.engine.Platform;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * What would keep models from running on a machine, found before one is loaded.
 *
 * @param platform the machine
 * @param java the feature version of Java, for instance 17
 * @param maxHeap the most that Java's heap may take, in bytes
 * @param caches folders that are written to, by the variable that moves them
 * @param engines what each engine found of itself, by name
 * @param tokenizers the tokenizers' native library
 */
record Checkup(
    Platform platform,
    int java,
    long maxHeap,
    Map<String, Path> caches,
    Map<String, EngineStatus> engines,
    NativeFiles tokenizers) {
  private static final int OLDEST_JAVA = 17;
  private static final long SMALLEST_HEAP = 200L << 20;
  private static final long LITTLE_DISK = 1L << 30;

  /**
   * Something that is wrong.
   *
   * @param what was found
   * @param cure what to do; empty if that is said already
   */
  record Problem(String what, String cure) {
    /** In words of the library's, which name the cure. */
    static Problem told(String message) {
      return new Problem(message.strip().replaceAll("\\s*[\\r\\n]+\\s*", " "), "");
    }

    @Override
    public String toString() {
      return cure.isEmpty() ? what : what + ": " + cure;
    }
  }

  /** What is wrong, the gravest first. */
  List<Problem> problems() {
    List<Problem> problems = new ArrayList<>();
    if (java < OLDEST_JAVA) {
      problems.add(
          new Problem(
              "Java " + java + " is too old", "install a JDK of " + OLDEST_JAVA + " or later"));
    }
    if (!platform.supported()) {
      problems.add(
          new Problem("there are no native libraries for " + platform.label(), platform.cure()));
    } else if (tokenizers.files().isEmpty()) {
      problems.add(
          new Problem(
              "the jar of the tokenizers has no library for " + platform.label(),
              "put ai.djl.huggingface:tokenizers on the class path as it is published"));
    }
    if (engines.entrySet().stream()
        .noneMatch(e -> e.getValue().available() && !e.getKey().equals("reference"))) {
      StringBuilder why = new StringBuilder();
      engines.forEach(
          (name, status) -> {
            if (!status.available()) {
              why.append("; ").append(name).append(": ").append(status.detail());
            }
          });
      problems.add(
          new Problem(
              "no engine can run but the slow interpreter" + why,
              "add dev.lmm:lmm-onnx, or what the engine names"));
    }
    caches.forEach(
        (variable, folder) -> {
          Path there = folder.toAbsolutePath();
          while (there.getParent() != null && !Files.exists(there)) {
            there = there.getParent();
          }
          if (!Files.isDirectory(there) || !Files.isWritable(there)) {
            problems.add(
                new Problem(
                    "the cache "
                        + folder
                        + " cannot be written: "
                        + there
                        + " is not a folder that may be",
                    "set " + variable + " to a folder that can"));
          } else if (there.toFile().getUsableSpace() < LITTLE_DISK) {
            problems.add(
                new Problem(
                    "the cache "
                        + folder
                        + " has "
                        + Sizes.of(there.toFile().getUsableSpace())
                        + " free",
                    "make room, or set " + variable + " to another disk"));
          }
        });
    if (maxHeap < SMALLEST_HEAP) {
      problems.add(
          new Problem(
              "Java's heap may take " + Sizes.of(maxHeap) + " at most",
              "start Java with -Xmx512m"));
    }
    return problems;
  }
}
