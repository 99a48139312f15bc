package dev.lmm.core.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lmm.CheckpointException;
import dev.lmm.ModelNotFoundException;
import dev.lmm.core.checkpoint.CheckpointFiles;
import dev.lmm.core.checkpoint.CheckpointWeights;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** What lies in a cache, and the real client's cache. */
class HubCacheTest extends HubTesting {
  @Test
  void refusesAModelThatDiffersFromItsHashes() throws IOException {
    Hub.resolve(ID, options);
    HubCache cache = new HubCache(options.cache());
    cache.requireIntact(ID);
    byte[] bytes = Files.readAllBytes(blob(WEIGHTS));
    bytes[50_000] ^= 1;
    Files.write(blob(WEIGHTS), bytes);
    assertThatThrownBy(() -> cache.requireIntact(ID))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining(blob(WEIGHTS) + ": has the hash ")
        .hasMessageContaining("expected " + hub.etag(WEIGHTS))
        .hasMessageContaining("remove " + storage() + " and load again");
  }

  @Test
  void fetchesADamagedFileAgain() throws IOException {
    Path snapshot = Hub.resolve(ID, options);
    Files.write(blob(WEIGHTS), new byte[10]);
    assertThat(new HubCache(options.cache()).verify(ID))
        .hasEntrySatisfying(
            blob(WEIGHTS), why -> assertThat(why).contains("expected " + hub.etag(WEIGHTS)));
    assertThat(Hub.resolve(ID, options)).isEqualTo(snapshot);
    assertComplete(snapshot);
    Files.delete(blob(WEIGHTS));
    assertThat(new HubCache(options.cache()).verify(ID))
        .containsEntry(snapshot.resolve(WEIGHTS), "links to nothing");
    assertComplete(Hub.resolve(ID, options));
  }

  @Test
  void listsAndRemoves() {
    Hub.resolve(ID, options);
    hub.commit = "f".repeat(40);
    Hub.resolve("other/model@refs/pr/1", options.withWeights(false));
    HubCache cache = new HubCache(options.cache());
    List<HubCache.CachedModel> models = cache.list();
    assertThat(models).extracting(HubCache.CachedModel::id).containsExactly("other/model", ID);
    assertThat(models.get(1).revisions()).containsExactly("main", FakeHub.COMMIT);
    assertThat(models.get(1).bytes()).isBetween(100_000L, 110_000L);
    assertThat(models.get(0).revisions()).containsExactly("refs/pr/1", "f".repeat(40));
    assertThat(cache.remove(ID)).isGreaterThan(100_000L);
    assertThat(cache.remove(ID)).isZero();
    assertThat(cache.list()).hasSize(1);
    assertThatThrownBy(() -> cache.verify(ID)).isInstanceOf(ModelNotFoundException.class);
    assertThatThrownBy(() -> cache.remove("../..")).isInstanceOf(ModelNotFoundException.class);
  }

  /** reference/hub_goldens.py: what huggingface_hub wrote, entry by entry. */
  private static List<String[]> pythonCache() throws IOException {
    return Files.readAllLines(Path.of("src/test/resources/hub/python_cache.tsv")).stream()
        .map(line -> line.split("\t", -1))
        .toList();
  }

  @Test
  void readsACacheThatThePythonClientWrote() throws IOException {
    for (String[] entry : pythonCache()) {
      Path path = options.cache().resolve(entry[1]);
      Files.createDirectories(path.getParent());
      if (entry[0].equals("link")) {
        Files.createSymbolicLink(path, Path.of(entry[2]));
      } else {
        Files.write(path, Base64.getDecoder().decode(entry[2]));
      }
    }
    Path snapshot = Hub.resolve(ID, options.withOffline(true));
    assertThat(snapshot.getFileName().toString()).isEqualTo(FakeHub.COMMIT);
    assertThat(snapshot.resolve("config.json")).hasContent("{\"model_type\":\"clip\"}");
    try (CheckpointWeights weights = CheckpointFiles.open(snapshot)) {
      assertThat(weights.names()).containsExactly("w");
    }
    HubCache cache = new HubCache(options.cache());
    assertThat(cache.verify(ID)).isEmpty();
    assertThat(cache.list()).extracting(HubCache.CachedModel::id).containsExactly(ID);
    // And a hub that has the same has nothing to send.
    hub.file(WEIGHTS, Files.readAllBytes(snapshot.resolve(WEIGHTS)), true);
    assertThat(Hub.resolve(ID, options)).isEqualTo(snapshot);
    assertThat(hub.requests("/resolve/")).isZero();
  }

  @Test
  void writesTheCacheThatThePythonClientWrites() throws IOException {
    TreeSet<String> expected = new TreeSet<>();
    for (String[] entry : pythonCache()) {
      if (entry[1].endsWith(".safetensors") || entry[1].contains("/blobs/")) {
        byte[] content = Base64.getDecoder().decode(entry[0].equals("link") ? "" : entry[2]);
        if (content.length > 1000) {
          hub.file(WEIGHTS, content, true);
        }
      }
      // Lock files stay or go as the client's version pleases.
      if (!entry[1].startsWith(".locks/")) {
        expected.add(String.join(" ", entry));
      }
    }
    hub.files.keySet().retainAll(List.of("config.json", "tokenizer.json", "merges.txt", WEIGHTS));
    Hub.resolve(ID, options);
    TreeSet<String> written = new TreeSet<>();
    try (var paths = Files.walk(options.cache())) {
      for (Path path : paths.toList()) {
        String name = options.cache().relativize(path).toString();
        if (Files.isSymbolicLink(path)) {
          written.add("link " + name + " " + Files.readSymbolicLink(path));
        } else if (Files.isRegularFile(path) && !name.startsWith(".locks/")) {
          written.add(
              "file " + name + " " + Base64.getEncoder().encodeToString(Files.readAllBytes(path)));
        }
      }
    }
    // The list of files is the same but for its spacing, the tag but for its comment.
    assertThat(kept(written)).isEqualTo(kept(expected));
    String tree = "models--owner--name/trees/" + FakeHub.COMMIT + ".json";
    byte[] python = new byte[0];
    for (String[] entry : pythonCache()) {
      if (entry[1].equals(tree)) {
        python = Base64.getDecoder().decode(entry[2]);
      }
    }
    assertThat(
            new String(Files.readAllBytes(options.cache().resolve(tree)), StandardCharsets.UTF_8))
        .isEqualToIgnoringWhitespace(new String(python, StandardCharsets.UTF_8));
  }

  private static List<String> kept(Set<String> entries) {
    return entries.stream()
        .filter(entry -> !entry.contains("CACHEDIR.TAG") && !entry.contains("/trees/"))
        .toList();
  }
}
