package dev.lmm.search;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lmm.Precision;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.lucene.document.Document;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.FSDirectory;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Indexes that are damaged, empty, in use, or no indexes: each is told in words that help. */
class BrokenIndexTest {
  @TempDir Path temporary;
  private Path folder;
  private Path index;
  private final SimulatedEncoder encoder =
      new SimulatedEncoder("someone/model", 32, Precision.FP32);

  @BeforeEach
  void writePictures() throws IOException {
    folder = Files.createDirectories(temporary.resolve("pictures"));
    index = temporary.resolve("index");
    for (int i = 0; i < 30; i++) {
      Files.writeString(folder.resolve(i + ".jpg"), Integer.toString(i));
    }
  }

  private void make() {
    try (PhotoIndex photos = PhotoIndex.open(encoder, folder, index)) {
      photos.update().run();
    }
  }

  private List<Path> files() throws IOException {
    try (Stream<Path> files = Files.list(index)) {
      return files.filter(f -> !f.endsWith("write.lock")).sorted().toList();
    }
  }

  @Test
  void everyCutFileIsFound() throws IOException {
    make();
    for (Path file : files()) {
      byte[] whole = Files.readAllBytes(file);
      for (int length : new int[] {0, whole.length / 2, whole.length - 1}) {
        Files.write(file, Arrays.copyOf(whole, length));
        assertThatThrownBy(this::openAndSearch, "%s cut to %s bytes", file, length)
            .isInstanceOf(IndexException.class)
            .hasMessageStartingWith(index + ": is broken (")
            .hasMessageEndingWith("delete it to have it made again");
      }
      Files.delete(file);
      assertThatThrownBy(this::openAndSearch, "%s gone", file)
          .isInstanceOf(IndexException.class)
          .hasMessageStartingWith(index + ": ");
      Files.write(file, whole);
    }
    openAndSearch(); // whole again
  }

  private void openAndSearch() {
    try (PhotoIndex photos = PhotoIndex.open(encoder, folder, index)) {
      photos.search("x").run();
      photos.check();
    }
  }

  @Test
  void everyChangedByteIsFoundByCheck() throws IOException {
    make();
    for (Path file : files()) {
      byte[] whole = Files.readAllBytes(file);
      for (int at = 0; at < whole.length; at += Math.max(1, whole.length / 7)) {
        byte[] changed = whole.clone();
        changed[at] ^= 0x10;
        Files.write(file, changed);
        assertThatThrownBy(this::openAndSearch, "%s changed at %s", file, at)
            .isInstanceOf(IndexException.class)
            .hasMessageStartingWith(index + ": ");
      }
      Files.write(file, whole);
    }
    openAndSearch();
  }

  @Test
  void aFolderOfSomethingElseIsLeftAlone() throws IOException {
    Files.createDirectories(index);
    Files.writeString(index.resolve("letters.txt"), "dear");
    assertThatThrownBy(() -> PhotoIndex.open(encoder, folder, index))
        .isInstanceOf(IndexException.class)
        .hasMessageContaining("holds letters.txt, and no index of pictures; give a new or empty");
    assertThat(index.resolve("letters.txt")).hasContent("dear");
    Path file = Files.writeString(temporary.resolve("file"), "x");
    assertThatThrownBy(() -> PhotoIndex.open(encoder, folder, file))
        .isInstanceOf(IndexException.class)
        .hasMessageContaining("is a file; expected a folder for the index");
  }

  @Test
  void aLuceneIndexOfSomethingElseIsLeftAlone() throws IOException {
    try (Directory directory = FSDirectory.open(index);
        IndexWriter writer = new IndexWriter(directory, new IndexWriterConfig())) {
      writer.addDocument(new Document());
    }
    List<Path> before = files();
    assertThatThrownBy(() -> PhotoIndex.open(encoder, folder, index))
        .isInstanceOf(IndexException.class)
        .hasMessageContaining("is a Lucene index of something else than pictures");
    assertThat(files()).isEqualTo(before);
  }

  @Test
  void anIndexOfALaterFormatIsRefused() throws IOException {
    try (Directory directory = FSDirectory.open(index);
        IndexWriter writer = new IndexWriter(directory, new IndexWriterConfig())) {
      writer.setLiveCommitData(Map.of("lmm.search.format", "2").entrySet());
    }
    assertThatThrownBy(() -> PhotoIndex.open(encoder, folder, index))
        .isInstanceOf(IndexException.class)
        .hasMessageContaining("is of format 2, this version reads 1");
  }

  @Test
  void anEmptyIndexSaysWhatToDo() throws IOException {
    Path empty = Files.createDirectories(temporary.resolve("empty"));
    try (PhotoIndex photos = PhotoIndex.open(encoder, empty, index)) {
      assertThatThrownBy(() -> photos.search("x").run())
          .isInstanceOf(IndexException.class)
          .hasMessageContaining("there is no index yet; run update() first");
      assertThat(photos.size()).isZero();
      assertThat(photos.update().run().anything()).isFalse();
      assertThatThrownBy(() -> photos.search("x").run())
          .isInstanceOf(IndexException.class)
          .hasMessageContaining("holds no pictures; run update() after pictures were put into");
    }
  }

  @Test
  void aFolderThatIsGoneChangesNothing() throws IOException {
    make();
    try (PhotoIndex photos = PhotoIndex.open(encoder, folder, index)) {
      Path away = Files.move(folder, temporary.resolve("away"));
      assertThatThrownBy(() -> photos.update().run())
          .isInstanceOf(IndexException.class)
          .hasMessageContaining("the folder of pictures is gone; nothing was changed");
      assertThat(photos.size()).isEqualTo(30);
      Files.move(away, folder);
    }
  }

  @Test
  void twoOfOneProcessUpdateOneAfterTheOther() {
    make();
    try (PhotoIndex one = PhotoIndex.open(encoder, folder, index);
        PhotoIndex two = PhotoIndex.open(encoder, folder, index)) {
      one.update()
          .byContent()
          .batchSize(1)
          .onProgress(
              (done, total) ->
                  assertThatThrownBy(() -> two.update().run())
                      .isInstanceOf(IndexException.class)
                      .hasMessageContaining("is being updated"))
          .run();
      assertThat(two.update().run().unchanged()).isEqualTo(30);
    }
  }

  @Test
  void whatAnotherProcessUpdatesCanBeSearchedMeanwhile() throws Exception {
    make();
    Process other =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                LockHolder.class.getName(),
                index.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try (BufferedReader said =
            new BufferedReader(
                new InputStreamReader(other.getInputStream(), StandardCharsets.UTF_8));
        PhotoIndex photos = PhotoIndex.open(encoder, folder, index)) {
      assertThat(said.readLine()).isEqualTo("locked");
      assertThat(photos.search("x").run()).hasSize(10);
      assertThatThrownBy(() -> photos.update().run())
          .isInstanceOf(IndexException.class)
          .hasMessageContaining(
              "is being updated, by another process or another PhotoIndex; wait until it has"
                  + " finished");
      other.getOutputStream().close();
      assertThat(other.waitFor()).isZero();
      assertThat(photos.update().run().unchanged()).isEqualTo(30);
    } finally {
      other.destroy();
    }
  }
}
