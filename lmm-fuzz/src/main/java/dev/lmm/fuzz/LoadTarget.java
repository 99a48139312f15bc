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

  private static final List<String> VARIED = List.of("config.json", "preprocessor_config.json");

  private final Path work = Seeds.work("load");
  private final Map<Character, Copy> copies = new HashMap<>();

  /**
   * A checkpoint to change: its folder, the published content of the files that vary, and the model
   * as published. As long as that is open, every load shares its native tokenizer, which no input
   * changes.
   */
  private record Copy(Path folder, Map<String, byte[]> published, Model model) {}

  @Override
  public void read(byte[] input) {
    char which = input.length == 0 ? 0 : (char) Character.toUpperCase(input[0] & 0x7f);
    if (!CHECKPOINTS.containsKey(which)) {
      return;
    }
    Copy copy = copies.computeIfAbsent(which, this::copy);
    String name = VARIED.get(input[0] == which ? 0 : 1);
    Seeds.write(copy.folder.resolve(name), input, 1, input.length);
    try (Model model = load(copy.folder)) {
      model.summary();
    } finally {
      byte[] published = copy.published.get(name);
      Seeds.write(copy.folder.resolve(name), published, 0, published.length);
    }
  }

  private Copy copy(char which) {
    Path folder = work.resolve(String.valueOf(which));
    Map<String, byte[]> published = new HashMap<>();
    try (Stream<Path> files = Files.list(Seeds.root().resolve(CHECKPOINTS.get(which)))) {
      Files.createDirectories(folder);
      for (Path file : files.toList()) {
        String name = file.getFileName().toString();
        if (Files.isRegularFile(file) && !name.startsWith("golden.")) {
          Files.copy(file, folder.resolve(name));
          if (VARIED.contains(name)) {
            published.put(name, Files.readAllBytes(file));
          }
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return new Copy(folder, published, load(folder));
  }

  private static Model load(Path folder) {
    return Models.model(folder.toString()).engine("reference").offline().load();
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
