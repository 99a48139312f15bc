package dev.lmm.fuzz;

import dev.lmm.Model;
import dev.lmm.Models;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * A whole load of a small checkpoint with one file of another content. The first letter says which:
 * config.json of CLIP, SigLIP, SigLIP 2 NaFlex, BLIP-2, Qwen2.5-VL ({@code C}, {@code G}, {@code
 * N}, {@code B}, {@code Q}); preprocessor_config.json of the same ({@code c}, {@code g}, {@code n},
 * {@code b}, {@code q}).
 */
final class LoadTarget implements Target {
  private static final Map<Character, String> CHECKPOINTS =
      Map.of(
          'C', "lmm-clip/src/test/resources/golden/clip-openai",
          'G', "lmm-clip/src/test/resources/golden/siglip-v1",
          'N', "lmm-clip/src/test/resources/golden/siglip2-naflex",
          'B', "lmm-blip2/src/test/resources/golden/blip2-opt",
          'Q', "lmm-qwenvl/src/test/resources/golden/qwen5");

  private final Path work = Seeds.work("load");
  private final Map<Character, Path> copies = new HashMap<>();

  @Override
  public void read(byte[] input) {
    char which = input.length == 0 ? 0 : (char) Character.toUpperCase(input[0] & 0x7f);
    if (!CHECKPOINTS.containsKey(which)) {
      return;
    }
    Path folder = copies.computeIfAbsent(which, this::copy);
    String name = input[0] == which ? "config.json" : "preprocessor_config.json";
    byte[] whole = Seeds.bytes(CHECKPOINTS.get(which) + "/" + name);
    Seeds.write(folder.resolve(name), input, 1, input.length);
    try (Model model = Models.model(folder.toString()).engine("reference").offline().load()) {
      model.summary();
    } finally {
      Seeds.write(folder.resolve(name), whole, 0, whole.length);
    }
  }

  private Path copy(char which) {
    Path folder = work.resolve(String.valueOf(which));
    try (Stream<Path> files = Files.list(Seeds.root().resolve(CHECKPOINTS.get(which)))) {
      Files.createDirectories(folder);
      for (Path file : files.toList()) {
        if (Files.isRegularFile(file)) {
          Files.copy(file, folder.resolve(file.getFileName().toString()));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return folder;
  }

  @Override
  public List<byte[]> seeds() {
    List<byte[]> seeds = new ArrayList<>();
    for (Map.Entry<Character, String> each : CHECKPOINTS.entrySet()) {
      char tag = each.getKey();
      String folder = each.getValue();
      seeds.add(Seeds.tagged(tag, text(folder + "/config.json")));
      seeds.add(
          Seeds.tagged(Character.toLowerCase(tag), text(folder + "/preprocessor_config.json")));
    }
    return seeds;
  }

  private static String text(String path) {
    return new String(Seeds.bytes(path), StandardCharsets.UTF_8);
  }

  @Override
  public List<String> words() {
    List<String> words = new ArrayList<>(new ConfigTarget().words());
    words.addAll(
        List.of(
            "shortest_edge",
            "longest_edge",
            "crop_size",
            "do_resize",
            "image_mean",
            "resample",
            "min_pixels",
            "max_pixels",
            "merge_size",
            "rescale_factor"));
    return words;
  }
}
