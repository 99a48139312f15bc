package dev.lmm.fuzz;

import dev.lmm.core.hub.Bundle;
import dev.lmm.core.hub.BundleWriter;
import dev.lmm.spi.DownloadOptions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A bundle: its directory, its manifest, and what is unpacked, which must stay in the cache. */
final class BundleTarget implements Target {
  private static final String CACHE = "lmm.cache";
  private final Path work = Seeds.work("bundle");
  private final Path file = work.resolve("model.lmm");
  private final Path cache = work.resolve("cache");

  @Override
  public void read(byte[] input) {
    Seeds.write(file, input, 0, input.length);
    String before = System.getProperty(CACHE);
    System.setProperty(CACHE, cache.toString());
    try {
      Bundle.find(file.toString(), DownloadOptions.DEFAULT);
    } finally {
      if (before == null) {
        System.clearProperty(CACHE);
      } else {
        System.setProperty(CACHE, before);
      }
    }
    Set<String> left = names(work);
    left.remove("model.lmm");
    left.remove("cache");
    if (!left.isEmpty() || (Files.exists(cache) && !names(cache).equals(Set.of("bundles")))) {
      throw new IllegalStateException("files have left the cache: " + left);
    }
  }

  private static Set<String> names(Path folder) {
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .map(path -> path.getFileName().toString())
          .collect(Collectors.toCollection(TreeSet::new));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public List<byte[]> seeds() {
    try {
      Path made = Files.createTempDirectory("lmm-fuzz-seeds");
      Path model = Files.createDirectory(made.resolve("model"));
      for (String name : List.of("config.json", "tokenizer.json", "model.safetensors")) {
        Files.writeString(model.resolve(name), name.repeat(3));
      }
      Path one = made.resolve("one.lmm");
      Path two = made.resolve("two.lmm");
      BundleWriter.Source first = new BundleWriter.Source("a", model, "");
      BundleWriter.write(List.of(first), List.of(), one, DownloadOptions.DEFAULT);
      BundleWriter.write(
          List.of(first, new BundleWriter.Source("b", model, "")),
          List.of(),
          two,
          DownloadOptions.DEFAULT);
      List<byte[]> seeds = List.of(Files.readAllBytes(one), Files.readAllBytes(two));
      Seeds.delete(made);
      return seeds;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public List<String> words() {
    return List.of(
        "lmm-bundle.json",
        "\"version\":2",
        "\"bytes\":0",
        "\"bytes\":9223372036854775807",
        "\"models\":[]",
        "\"natives\":[",
        "\"name\":\"models/0/../x\"",
        "models/0/",
        "../",
        "/",
        "\\\\",
        "\"sha256\"",
        "PK\1\2",
        "PK\3\4",
        "PK\5\6",
        "\0\0\0\0\0\0\0\0");
  }
}
