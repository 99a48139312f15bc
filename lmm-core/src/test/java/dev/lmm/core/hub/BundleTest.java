package dev.lmm.core.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lmm.Bundled;
import dev.lmm.Cancellation;
import dev.lmm.CancelledException;
import dev.lmm.CheckpointException;
import dev.lmm.EngineException;
import dev.lmm.InvalidRequestException;
import dev.lmm.ModelNotFoundException;
import dev.lmm.core.engine.NativeFiles;
import dev.lmm.core.engine.Platform;
import dev.lmm.core.text.TokenizerNatives;
import dev.lmm.spi.DownloadOptions;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Bundles as they are written, and as they are read again. */
class BundleTest {
  private static final DownloadOptions PLAIN = DownloadOptions.DEFAULT;

  @TempDir Path folder;
  private String before = "";

  @BeforeEach
  void useACacheOfItsOwn() {
    before = System.getProperty("lmm.cache", "");
    System.setProperty("lmm.cache", folder.resolve("cache").toString());
  }

  @AfterEach
  void useTheFormerCache() {
    if (before.isEmpty()) {
      System.clearProperty("lmm.cache");
    } else {
      System.setProperty("lmm.cache", before);
    }
  }

  private Path model(String name, String... files) throws IOException {
    Path model = Files.createDirectories(folder.resolve(name));
    for (String file : files) {
      Path path = model.resolve(file);
      Files.createDirectories(path.getParent());
      Files.writeString(path, "the content of " + file);
    }
    return model;
  }

  private static BundleWriter.Source source(String id, Path model) {
    return new BundleWriter.Source(id, model, "");
  }

  private Path bundle(String name, BundleWriter.Source... models) {
    Path out = folder.resolve(name);
    BundleWriter.write(List.of(models), List.of(), out, PLAIN);
    return out;
  }

  private static Bundle.Unpacked load(Object id) {
    Bundle.Unpacked found = Bundle.find(id.toString(), PLAIN);
    assertThat(found).isNotNull();
    return found;
  }

  private static Map<String, String> contents(Path root) throws IOException {
    Map<String, String> contents = new TreeMap<>();
    try (Stream<Path> paths = Files.walk(root)) {
      for (Path path : paths.filter(Files::isRegularFile).toList()) {
        contents.put(root.relativize(path).toString().replace('\\', '/'), Files.readString(path));
      }
    }
    return contents;
  }

  @Test
  void holdsWhatALoadReadsAndLicencesAndNothingElse() throws IOException {
    Path model =
        model(
            "a",
            "config.json",
            "tokenizer.json",
            "model.safetensors",
            "pytorch_model.bin",
            "LICENSE",
            "README.md",
            "onnx/model.onnx");
    Path file = bundle("a.lmm", source("owner/a@c0ffee", model));
    try (ZipFile zip = new ZipFile(file.toFile())) {
      List<? extends ZipEntry> entries = Collections.list(zip.entries());
      assertThat(entries.stream().map(ZipEntry::getName))
          .containsExactly(
              "lmm-bundle.json",
              "models/0/LICENSE",
              "models/0/config.json",
              "models/0/model.safetensors",
              "models/0/tokenizer.json");
      assertThat(entries).allMatch(entry -> entry.getMethod() == ZipEntry.STORED);
    }
    assertThat(contents(load(file).folder()))
        .isEqualTo(
            Map.of(
                "LICENSE", "the content of LICENSE",
                "config.json", "the content of config.json",
                "model.safetensors", "the content of model.safetensors",
                "tokenizer.json", "the content of tokenizer.json"));
  }

  @Test
  void holdsShardsAndThePartsOfAPipeline() throws IOException {
    Path shards = model("shards", "config.json", "model-1.safetensors", "model-2.safetensors");
    Files.writeString(
        shards.resolve("model.safetensors.index.json"),
        "{\"weight_map\":{\"a\":\"model-1.safetensors\",\"b\":\"model-2.safetensors\"}}");
    assertThat(contents(load(bundle("s.lmm", source("s", shards))).folder()).keySet())
        .containsExactly(
            "config.json",
            "model-1.safetensors",
            "model-2.safetensors",
            "model.safetensors.index.json");
    Files.delete(shards.resolve("model-2.safetensors"));
    assertThatThrownBy(() -> bundle("t.lmm", source("s", shards)))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("model-2.safetensors: no such file, but an index names it");
    assertThat(folder.resolve("t.lmm")).doesNotExist();

    Path pipeline =
        model(
            "pipeline",
            "unet/config.json",
            "unet/diffusion_pytorch_model.safetensors",
            "scheduler/scheduler_config.json",
            "safety_checker/config.json",
            "safety_checker/model.safetensors",
            "unused/config.json");
    Files.writeString(
        pipeline.resolve("model_index.json"),
        "{\"unet\":[\"d\",\"U\"],\"scheduler\":[\"d\",\"S\"],\"safety_checker\":[\"d\",\"C\"]}");
    assertThat(contents(load(bundle("p.lmm", source("p", pipeline))).folder()).keySet())
        .containsExactly(
            "model_index.json",
            "safety_checker/config.json",
            "safety_checker/model.safetensors",
            "scheduler/scheduler_config.json",
            "unet/config.json",
            "unet/diffusion_pytorch_model.safetensors");
  }

  @Test
  void equalModelsMakeEqualBytesWhereverAndWheneverTheyArePacked() throws IOException {
    Path one = model("one/a", "config.json", "model.safetensors");
    Path other = model("other place/a", "model.safetensors", "config.json");
    Files.setLastModifiedTime(
        other.resolve("config.json"), FileTime.from(Instant.parse("2001-02-03T04:05:06Z")));
    Path first = bundle("1.lmm", source("a", one));
    Path second = bundle("2.lmm", source("a", other));
    assertThat(first).hasSameBinaryContentAs(second);
    Files.writeString(other.resolve("config.json"), "another");
    assertThat(Files.mismatch(first, bundle("3.lmm", source("a", other)))).isNotEqualTo(-1);
  }

  @Test
  void severalModelsAreToldApartByName() throws IOException {
    Path file =
        bundle(
            "two #1.lmm",
            source("owner/a@c0ffee", model("a", "config.json", "model.safetensors")),
            new BundleWriter.Source(
                "b", model("b", "config.json", "model.fp16.safetensors"), "fp16"));
    assertThat(contents(load(file + "#owner/a").folder()).keySet()).contains("model.safetensors");
    assertThat(load(file + "#owner/a@c0ffee").variant()).isEmpty();
    assertThat(load(file + "#b").variant()).isEqualTo("fp16");
    assertThatThrownBy(() -> Bundle.find(file.toString(), PLAIN))
        .isInstanceOf(ModelNotFoundException.class)
        .hasMessageContaining("holds [owner/a@c0ffee, b]; name one of them: ")
        .hasMessageContaining("#owner/a@c0ffee");
    assertThatThrownBy(() -> Bundle.find(file + "#c", PLAIN))
        .isInstanceOf(ModelNotFoundException.class)
        .hasMessageContaining("holds [owner/a@c0ffee, b], not c");
    Path same = model("a", "config.json");
    assertThatThrownBy(() -> bundle("x.lmm", source("a", same), source("a", same)))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("a comes twice");
  }

  @Test
  void isUnpackedOnceAndMendedWhenItWasChanged() throws IOException {
    Path file = bundle("a.lmm", source("a", model("a", "config.json", "model.safetensors")));
    Path unpacked = load(file).folder();
    Path weights = unpacked.resolve("model.safetensors");
    Object key = Files.readAttributes(weights, "unix:ino").get("ino");
    assertThat(load(file).folder()).isEqualTo(unpacked);
    assertThat(Files.readAttributes(weights, "unix:ino").get("ino")).isEqualTo(key);

    // Of another time: hashed again, and found to be the same.
    Files.setLastModifiedTime(weights, FileTime.from(Instant.now()));
    load(file);
    assertThat(Files.readAttributes(weights, "unix:ino").get("ino")).isEqualTo(key);

    Files.writeString(weights, "the content of model.safetensorz");
    load(file);
    assertThat(weights).hasContent("the content of model.safetensors");
    Files.delete(unpacked.resolve("config.json"));
    load(file);
    assertThat(unpacked.resolve("config.json")).exists();

    // Of the same time and length: only hashing every file tells.
    FileTime time = Files.getLastModifiedTime(weights);
    Files.writeString(weights, "the content of model.safetensorz");
    Files.setLastModifiedTime(weights, time);
    load(file);
    assertThat(weights).hasContent("the content of model.safetensorz");
    Bundle.find(file.toString(), PLAIN.withVerified(true));
    assertThat(weights).hasContent("the content of model.safetensors");
    try (Stream<Path> left = Files.list(unpacked.getParent())) {
      assertThat(left.map(path -> path.getFileName().toString()))
          .containsExactlyInAnyOrder(".locks", unpacked.getFileName().toString());
    }
  }

  @Test
  void damageIsFoundByNameAndHash() throws IOException {
    Path file = bundle("a.lmm", source("a", model("a", "config.json", "model.safetensors")));
    byte[] bytes = Files.readAllBytes(file);
    int at = new String(bytes, StandardCharsets.ISO_8859_1).indexOf("content of model");
    bytes[at] ^= 1;
    Files.write(file, bytes);
    assertThatThrownBy(() -> load(file))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("a.lmm: models/0/model.safetensors has the SHA-256 ")
        .hasMessageContaining("lmm-bundle.json says sha256: ")
        .hasMessageContaining("copy or make it again");
    try (Stream<Path> left = Files.list(folder.resolve("cache/bundles"))) {
      assertThat(left.map(path -> path.getFileName().toString())).containsExactly(".locks");
    }
    Files.write(file, Arrays.copyOf(bytes, bytes.length - 30));
    assertThatThrownBy(() -> load(file))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("is the download complete?");
  }

  @Test
  void otherFilesAreNoBundles() throws IOException {
    assertThat(Bundle.find(folder.resolve("nothing.lmm").toString(), PLAIN)).isNull();
    assertThat(Bundle.find("owner/name#main", PLAIN)).isNull();
    Path text = Files.writeString(folder.resolve("model.safetensors"), "no zip at all");
    assertThatThrownBy(() -> Bundle.open(text))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("is a file, but no bundle; expected a folder with config.json");
    Path empty = Files.createFile(folder.resolve("empty.lmm"));
    assertThatThrownBy(() -> Bundle.open(empty)).hasMessageContaining("is a file, but no bundle");
  }

  @Test
  void cancellingLeavesNothing() throws IOException {
    Path model = model("a", "config.json", "model.safetensors");
    Cancellation cancellation = new Cancellation();
    cancellation.cancel();
    DownloadOptions options = PLAIN.withCancellation(cancellation);
    Path out = folder.resolve("a.lmm");
    assertThatThrownBy(
            () -> BundleWriter.write(List.of(source("a", model)), List.of(), out, options))
        .isInstanceOf(CancelledException.class);
    try (Stream<Path> left = Files.list(folder)) {
      assertThat(left).containsExactly(model);
    }
    Path file = bundle("b.lmm", source("a", model));
    assertThatThrownBy(() -> Bundle.find(file.toString(), options))
        .isInstanceOf(CancelledException.class);
    try (Stream<Path> left = Files.list(folder.resolve("cache/bundles"))) {
      assertThat(left.map(path -> path.getFileName().toString())).containsExactly(".locks");
    }
  }

  @Test
  void tellsHowFarItHasCome() throws IOException {
    Path model = model("a", "config.json", "model.safetensors");
    List<Long> done = new ArrayList<>();
    List<Long> totals = new ArrayList<>();
    Bundled bundled =
        BundleWriter.write(
            List.of(source("a", model)),
            List.of(),
            folder.resolve("a.lmm"),
            PLAIN.withListener(
                (now, total) -> {
                  done.add(now);
                  totals.add(total);
                }));
    long bytes = "the content of config.jsonthe content of model.safetensors".length();
    assertThat(done).isSorted().last().isEqualTo(2 * bytes);
    assertThat(totals).containsOnly(2 * bytes);
    assertThat(bundled.bytes()).isEqualTo(Files.size(folder.resolve("a.lmm")));
    assertThat(bundled.models()).containsExactly("a");
  }

  @Test
  void nativesOfAnotherPlatformOrVersionAreRefused() throws IOException {
    Path model = model("a", "config.json", "model.safetensors");
    NativeFiles here = TokenizerNatives.find();
    assertThat(here.files()).isNotEmpty();
    Path without = bundle("0.lmm", source("a", model));
    assertThatThrownBy(() -> Bundle.open(without).useNatives())
        .isInstanceOf(EngineException.class)
        .hasMessageContaining("has no native libraries");
    Path elsewhere = folder.resolve("1.lmm");
    BundleWriter.write(
        List.of(source("a", model)),
        List.of(new NativeFiles("tokenizers", here.version(), "plan9-mips", here.files())),
        elsewhere,
        PLAIN);
    assertThatThrownBy(() -> Bundle.open(elsewhere).useNatives())
        .isInstanceOf(EngineException.class)
        .hasMessageContaining("natives of tokenizers are for the platform plan9-mips; this is ")
        .hasMessageContaining(Platform.current().label());
    Path older = folder.resolve("2.lmm");
    BundleWriter.write(
        List.of(source("a", model)),
        List.of(new NativeFiles("tokenizers", "0.1", here.platform(), here.files())),
        older,
        PLAIN);
    assertThatThrownBy(() -> Bundle.open(older).useNatives())
        .isInstanceOf(EngineException.class)
        .hasMessageContaining("have version 0.1; the jars on the class path need ");
  }
}
