package dev.lmm.search;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.lmm.Cancellation;
import dev.lmm.CancelledException;
import dev.lmm.ClosedException;
import dev.lmm.InvalidRequestException;
import dev.lmm.LmmException;
import dev.lmm.Precision;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How an index follows its folder, filters, and is kept to its model; on simulated pictures. */
class PhotoIndexTest {
  @TempDir Path temporary;
  private Path folder;
  private SimulatedEncoder encoder;
  private PhotoIndex photos;

  @BeforeEach
  void open() throws IOException {
    folder = Files.createDirectories(temporary.resolve("그림 folder"));
    encoder = new SimulatedEncoder("someone/model", 32, Precision.FP32);
    photos = PhotoIndex.open(encoder, folder);
  }

  @AfterEach
  void close() {
    photos.close();
  }

  private Path picture(String path, String content) throws IOException {
    Path file = folder.resolve(path);
    Files.createDirectories(file.getParent());
    return Files.writeString(file, content);
  }

  private List<String> found(PhotoFilter filter) {
    return photos.search("anything").only(filter).top(100).run().stream()
        .map(f -> f.photo().path())
        .sorted()
        .toList();
  }

  @Test
  void liesBesideTheFolderUnderTheModelsName() throws IOException {
    picture("a.jpg", "1");
    photos.update().run();
    assertThat(photos.indexFolder())
        .isEqualTo(temporary.resolve("그림 folder.lmm-index/someone-model-fp32"))
        .isDirectory();
    try (var files = Files.list(folder)) {
      assertThat(files).as("nothing is written among the pictures").hasSize(1);
    }
  }

  @Test
  void onlyNewAndChangedFilesAreEmbedded() throws IOException {
    picture("a.jpg", "1");
    picture("b.PNG", "2");
    picture("sub/deep/c.webp", "3");
    picture("notes.txt", "4");
    picture(".hidden.jpg", "5");
    picture(".cache/d.jpg", "6");
    UpdateReport first = photos.update().run();
    assertThat(first).isEqualTo(new UpdateReport(3, 0, 0, 0, 0, List.of()));
    assertThat(photos.size()).isEqualTo(3);

    encoder.embedded.clear();
    assertThat(photos.update().run()).isEqualTo(new UpdateReport(0, 0, 0, 3, 0, List.of()));
    assertThat(encoder.embedded).isEmpty();

    picture("a.jpg", "100"); // another size
    Path touched = folder.resolve("b.PNG");
    Files.setLastModifiedTime(touched, FileTime.from(Instant.ofEpochSecond(1_000_000)));
    Files.delete(folder.resolve("sub/deep/c.webp"));
    picture("e.jpg", "7");
    assertThat(photos.update().run()).isEqualTo(new UpdateReport(1, 2, 1, 0, 0, List.of()));
    assertThat(encoder.embedded)
        .containsExactlyInAnyOrder(folder.resolve("a.jpg"), touched, folder.resolve("e.jpg"));
    assertThat(photos.size()).isEqualTo(3);
    assertThat(photos.search(encoder.picture(100)).top(1).run().get(0).photo().file())
        .isEqualTo(folder.resolve("a.jpg"));
    assertThat(photos.search(encoder.picture(3)).run())
        .extracting(f -> f.photo().path())
        .doesNotContain("sub/deep/c.webp");
  }

  @Test
  void aReopenedIndexKnowsWhatItHolds() throws IOException {
    picture("a.jpg", "1");
    picture("b.jpg", "2");
    photos.update().run();
    photos.close();
    encoder.embedded.clear();
    photos = PhotoIndex.open(encoder, folder);
    assertThat(photos.size()).isEqualTo(2);
    Found best = photos.search(encoder.picture(2)).run().get(0);
    assertThat(best.photo().path()).isEqualTo("b.jpg");
    assertThat(best.similarity()).isCloseTo(1, within(1e-6));
    assertThat(photos.update().run().unchanged()).isEqualTo(2);
    assertThat(encoder.embedded).isEmpty();
  }

  @Test
  void comparedByContentACopiedFileIsTheSame() throws IOException {
    Path file = picture("a.jpg", "1");
    photos.update().run();
    assertThat(photos.update().byContent().run().changed()).as("no hash yet").isEqualTo(1);
    photos.tag(file, Map.of("album", "x"));
    Files.setLastModifiedTime(file, FileTime.from(Instant.ofEpochSecond(5)));
    encoder.embedded.clear();
    assertThat(photos.update().byContent().run())
        .isEqualTo(new UpdateReport(0, 0, 0, 1, 0, List.of()));
    assertThat(encoder.embedded).isEmpty();
    Photo photo = photos.photo(file).orElseThrow();
    assertThat(photo.modified()).isEqualTo(Instant.ofEpochSecond(5));
    assertThat(photo.tags()).containsExactly(Map.entry("album", "x"));
    assertThat(photos.search(encoder.picture(1)).run().get(0).similarity())
        .isCloseTo(1, within(1e-6));
    // Another content of the same size and time is found.
    Files.writeString(file, "2");
    Files.setLastModifiedTime(file, FileTime.from(Instant.ofEpochSecond(5)));
    assertThat(photos.update().run().unchanged()).isEqualTo(1);
    assertThat(photos.update().byContent().run().changed()).isEqualTo(1);
  }

  @Test
  void whatCannotBeReadIsSkippedAndTold() throws IOException {
    picture("a.jpg", "1");
    Path turned = picture("turned.jpg", "2");
    picture("broken.jpg", "hello");
    picture("nan.png", "3 nan");
    photos.update().run();
    Files.writeString(turned, "no number any more");
    List<SkippedFile> heard = new ArrayList<>();
    UpdateReport report = photos.update().onSkipped(heard::add).run();
    assertThat(report.skipped()).isEqualTo(3);
    assertThat(report.removed()).as("the picture it was is gone").isEqualTo(1);
    assertThat(report.firstSkipped()).isEqualTo(heard);
    assertThat(heard)
        .extracting(SkippedFile::file)
        .containsExactlyInAnyOrder(folder.resolve("broken.jpg"), folder.resolve("nan.png"), turned);
    assertThat(heard)
        .extracting(SkippedFile::reason)
        .anyMatch(r -> r.contains("broken.jpg: this is no known picture format"))
        .anyMatch(r -> r.contains("nan.png: has no finite embedding"));
    assertThat(photos.size()).isEqualTo(1);
  }

  @Test
  void aLinkedFolderIsNotEnteredAndALinkedFileIs() throws IOException {
    Path elsewhere = Files.createDirectories(temporary.resolve("elsewhere"));
    Files.writeString(elsewhere.resolve("x.jpg"), "9");
    picture("a.jpg", "1");
    Files.createSymbolicLink(folder.resolve("circle"), folder);
    Files.createSymbolicLink(folder.resolve("linked.jpg"), elsewhere.resolve("x.jpg"));
    Files.createSymbolicLink(folder.resolve("nowhere.jpg"), elsewhere.resolve("y.jpg"));
    UpdateReport report = photos.update().run();
    assertThat(report.added()).isEqualTo(2);
    assertThat(report.firstSkipped())
        .extracting(SkippedFile::reason)
        .containsExactly(
            folder.toRealPath().resolve("nowhere.jpg") + ": a link that leads nowhere");
  }

  @Test
  void filtersChooseByAllThatIsKnown() throws IOException {
    picture("2023/wide.jpg", "1 800 600");
    picture("2023/high.png", "2 600 800");
    Path large = picture("2024/여름/square.jpg", "3 500 500" + " ".repeat(5_000));
    picture("2024/small.jpg", "4 64 32");
    ZoneId zone = ZoneId.systemDefault();
    for (String file : List.of("2023/wide.jpg", "2023/high.png")) {
      Instant noon = LocalDate.of(2023, 5, 17).atTime(12, 0).atZone(zone).toInstant();
      Files.setLastModifiedTime(folder.resolve(file), FileTime.from(noon));
    }
    photos
        .update()
        .describedBy(file -> file.equals(large) ? Map.of("album", "바다") : Map.of())
        .run();
    assertThat(found(PhotoFilter.path("2024/**")))
        .containsExactly("2024/small.jpg", "2024/여름/square.jpg");
    assertThat(found(PhotoFilter.path("*/여름/*"))).containsExactly("2024/여름/square.jpg");
    assertThat(found(PhotoFilter.path("2023/high.png"))).containsExactly("2023/high.png");
    assertThat(found(PhotoFilter.orientation(Orientation.PORTRAIT)))
        .containsExactly("2023/high.png");
    assertThat(found(PhotoFilter.orientation(Orientation.SQUARE)))
        .containsExactly("2024/여름/square.jpg");
    assertThat(found(PhotoFilter.width(600, 800)))
        .containsExactly("2023/high.png", "2023/wide.jpg");
    assertThat(found(PhotoFilter.height(32, 32))).containsExactly("2024/small.jpg");
    assertThat(found(PhotoFilter.bytes(5_000, 10_000))).containsExactly("2024/여름/square.jpg");
    LocalDate day = LocalDate.of(2023, 5, 17);
    assertThat(found(PhotoFilter.taken(day, day)))
        .containsExactly("2023/high.png", "2023/wide.jpg");
    assertThat(found(PhotoFilter.taken(day.plusDays(1), day.plusDays(2)))).isEmpty();
    assertThat(found(PhotoFilter.tag("album", "바다"))).containsExactly("2024/여름/square.jpg");
    assertThat(found(PhotoFilter.tag("album", "산"))).isEmpty();
    assertThat(
            found(
                PhotoFilter.path("2023/**")
                    .and(PhotoFilter.orientation(Orientation.PORTRAIT).not())))
        .containsExactly("2023/wide.jpg");
    assertThat(found(PhotoFilter.width(64, 64).or(PhotoFilter.width(500, 500))))
        .containsExactly("2024/small.jpg", "2024/여름/square.jpg");
    assertThat(
            photos
                .search("x")
                .only(PhotoFilter.path("2023/**"))
                .only(PhotoFilter.width(600, 600))
                .exact()
                .run())
        .extracting(f -> f.photo().path())
        .containsExactly("2023/high.png");
  }

  @Test
  void tagsStayWithAPictureThatChanges() throws IOException {
    Path file = picture("a.jpg", "1");
    photos.update().run();
    photos.tag(Path.of("a.jpg"), Map.of("who", "Ada", "where", "Seoul"));
    assertThat(found(PhotoFilter.tag("who", "Ada"))).containsExactly("a.jpg");
    Files.writeString(file, "22");
    photos.update().run();
    assertThat(photos.photo(file).orElseThrow().tags())
        .isEqualTo(Map.of("who", "Ada", "where", "Seoul"));
    assertThatThrownBy(() -> photos.tag(Path.of("b.jpg"), Map.of()))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("b.jpg: is not in the index");
    assertThatThrownBy(() -> photos.tag(temporary.resolve("../x.jpg"), Map.of()))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("is not below");
  }

  @Test
  void anotherModelIsRefused() throws IOException {
    picture("a.jpg", "1");
    photos.update().run();
    Path index = photos.indexFolder();
    SimulatedEncoder other = new SimulatedEncoder("other/model", 32, Precision.FP32);
    assertThatThrownBy(() -> PhotoIndex.open(other, folder, index))
        .isInstanceOf(IndexException.class)
        .hasMessageContaining(
            "was made with someone/model in fp32, this is other/model in fp32; their vectors cannot"
                + " be compared");
    SimulatedEncoder coarse = new SimulatedEncoder("someone/model", 32, Precision.INT8);
    assertThatThrownBy(() -> PhotoIndex.open(coarse, folder, index))
        .isInstanceOf(IndexException.class)
        .hasMessageContaining("in fp32, this is someone/model in int8");
    SimulatedEncoder longer = new SimulatedEncoder("someone/model", 48, Precision.FP32);
    assertThatThrownBy(() -> PhotoIndex.open(longer, folder, index))
        .isInstanceOf(IndexException.class)
        .hasMessageContaining("this is someone/model in fp32 with other weights");
    // By itself it has an index of its own.
    try (PhotoIndex own = PhotoIndex.open(other, folder)) {
      assertThat(own.update().run().added()).isEqualTo(1);
    }
  }

  @Test
  void theIndexOfAnotherFolderIsRefusedUnlessThatOneMoved() throws IOException {
    picture("a.jpg", "1");
    photos.update().run();
    photos.close();
    Path index = photos.indexFolder();
    Path other = Files.createDirectories(temporary.resolve("other"));
    assertThatThrownBy(() -> PhotoIndex.open(encoder, other, index))
        .isInstanceOf(IndexException.class)
        .hasMessageContaining("is the index of " + folder.toRealPath());
    Path moved = Files.move(folder, temporary.resolve("moved"));
    photos = PhotoIndex.open(encoder, moved, index);
    assertThat(photos.update().run().unchanged()).isEqualTo(1);
    assertThat(photos.search("x").run().get(0).photo().file()).isEqualTo(moved.resolve("a.jpg"));
  }

  @Test
  void longVectorsAreTaken() throws IOException {
    SimulatedEncoder giant = new SimulatedEncoder("giant", 1536, Precision.FP32);
    picture("a.jpg", "1");
    picture("b.jpg", "2");
    try (PhotoIndex large = PhotoIndex.open(giant, folder)) {
      large.update().run();
      assertThat(large.search(giant.picture(2)).run().get(0).photo().path()).isEqualTo("b.jpg");
      large.check();
    }
  }

  @Test
  void aStoppedUpdateKeepsWhatItDidAndGoesOnFromThere() throws IOException {
    for (int i = 0; i < 50; i++) {
      picture(i + ".jpg", Integer.toString(i));
    }
    Cancellation stop = new Cancellation();
    List<String> heard = new ArrayList<>();
    assertThatThrownBy(
            () ->
                photos
                    .update()
                    .batchSize(10)
                    .cancelledBy(stop)
                    .onProgress(
                        (done, total) -> {
                          heard.add(done + "/" + total);
                          if (done == 20) {
                            stop.cancel();
                          }
                        })
                    .run())
        .isInstanceOf(CancelledException.class)
        .hasMessageContaining("cancelled by the caller");
    assertThat(heard).containsExactly("10/50", "20/50");
    assertThat(photos.size()).isEqualTo(20);
    assertThat(photos.update().run()).isEqualTo(new UpdateReport(30, 0, 0, 20, 0, List.of()));
  }

  @Test
  void anInterruptedUpdateKeepsWhatItDid() throws IOException {
    for (int i = 0; i < 10; i++) {
      picture(i + ".jpg", Integer.toString(i));
    }
    Cancellation late = Cancellation.after(Duration.ofHours(1));
    assertThatThrownBy(
            () ->
                photos
                    .update()
                    .batchSize(1)
                    .cancelledBy(late)
                    .onProgress(
                        (done, total) -> {
                          if (done == 5) {
                            Thread.currentThread().interrupt();
                            throw new CancelledException("as an encoder does");
                          }
                        })
                    .run())
        .isInstanceOf(CancelledException.class);
    assertThat(Thread.interrupted()).as("still told").isTrue();
    assertThat(photos.size()).isEqualTo(5);
    assertThat(photos.update().run().added()).isEqualTo(5);
  }

  @Test
  void whatTheApplicationThrowsIsPassedOnAndThePicturesKept() throws IOException {
    picture("a.jpg", "1");
    picture("b.jpg", "2");
    assertThatThrownBy(
            () ->
                photos
                    .update()
                    .batchSize(1)
                    .onProgress(
                        (done, total) -> {
                          throw new IllegalStateException("mine");
                        })
                    .run())
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("mine");
    assertThat(photos.size()).isEqualTo(1);
  }

  @Test
  void theFolderIsFollowed() throws Exception {
    picture("a.jpg", "1");
    BlockingQueue<UpdateReport> reports = new LinkedBlockingQueue<>();
    BlockingQueue<LmmException> failures = new LinkedBlockingQueue<>();
    try (FolderWatch watch = photos.update().watch(reports::add, failures::add)) {
      assertThat(watch).isNotNull();
      assertThat(reports.poll(20, TimeUnit.SECONDS).added()).isEqualTo(1);
      picture("new folder/b.jpg", "2");
      assertThat(reports.poll(20, TimeUnit.SECONDS).added()).isEqualTo(1);
      picture("new folder/c.jpg", "3"); // a folder that was not there at first
      Files.delete(folder.resolve("a.jpg"));
      UpdateReport third = reports.poll(20, TimeUnit.SECONDS);
      assertThat(third.added()).isEqualTo(1);
      assertThat(third.removed()).isEqualTo(1);
    }
    picture("d.jpg", "4");
    assertThat(reports.poll(1, TimeUnit.SECONDS)).as("closed").isNull();
    assertThat(failures).isEmpty();
  }

  @Test
  void afterClosingNothingIsAnswered() throws IOException {
    picture("a.jpg", "1");
    photos.update().run();
    SearchRequest request = photos.search("x");
    photos.close();
    photos.close();
    assertThatThrownBy(request::run)
        .isInstanceOf(ClosedException.class)
        .hasMessageContaining("was closed");
    assertThatThrownBy(() -> photos.update().run()).isInstanceOf(ClosedException.class);
    assertThatThrownBy(photos::size).isInstanceOf(ClosedException.class);
    encoder.close();
    photos = PhotoIndex.open(encoder, folder);
    picture("b.jpg", "2");
    assertThatThrownBy(() -> photos.update().run())
        .isInstanceOf(ClosedException.class)
        .hasMessageContaining("The model was closed");
  }

  @Test
  void closingStopsAnUpdate() throws IOException {
    for (int i = 0; i < 10; i++) {
      picture(i + ".jpg", Integer.toString(i));
    }
    assertThatThrownBy(
            () -> photos.update().batchSize(1).onProgress((done, total) -> photos.close()).run())
        .isInstanceOf(ClosedException.class)
        .hasMessageContaining("was closed");
    photos = PhotoIndex.open(encoder, folder);
    assertThat(photos.size()).isEqualTo(1);
  }

  @Test
  void wrongArgumentsAreNamed() {
    assertThatThrownBy(() -> photos.search(" "))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("text: is blank");
    assertThatThrownBy(() -> photos.search(new float[3]))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("vector: has 3 numbers; expected 32");
    assertThatThrownBy(() -> photos.search(new float[32]))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("has length 0");
    assertThatThrownBy(() -> photos.search("x").top(0))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("top: is 0; expected 1 to 10000");
    assertThatThrownBy(() -> PhotoFilter.width(0, 5))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("width: is 0 to 5");
    assertThatThrownBy(() -> PhotoFilter.tag(" ", "x"))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("the name is blank");
    assertThatThrownBy(() -> PhotoIndex.open(encoder, temporary.resolve("nowhere")))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("there is no such folder");
    assertThatThrownBy(() -> PhotoIndex.open(encoder, Path.of("/")))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("has no folder beside it");
  }
}
