package dev.lmm.core.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** Caches that are full, read only, or take no links. */
class HubDiskTest extends HubTesting {
  // Links.

  @Test
  void putsFilesWhereLinksAreNotAllowed() throws IOException {
    options = options.withSymlinks(false);
    assertFilesInsteadOfLinks(Hub.resolve(ID, options));
    hub.log.clear();
    assertComplete(Hub.resolve(ID, options));
    assertThat(hub.log).hasSize(1);
    // Damage is seen here too.
    Path weights = Hub.resolve(ID, options).resolve(WEIGHTS);
    Files.write(weights, new byte[100_000]);
    assertThat(new HubCache(options.cache()).verify(ID)).containsKey(weights);
  }

  @Test
  void putsFilesWhereTheSystemRefusesLinks() throws IOException {
    List<Path> asked = new ArrayList<>();
    Disk disk =
        new TestDisk() {
          @Override
          public void link(Path pointer, Path target) throws IOException {
            asked.add(pointer);
            // What Windows answers to somebody who is no developer.
            throw new FileSystemException(
                pointer.toString(), null, "A required privilege is not held by the client");
          }
        };
    assertFilesInsteadOfLinks(Hub.resolve(ID, options, null, disk));
    assertThat(asked).hasSize(4);
    hub.log.clear();
    assertComplete(Hub.resolve(ID, options, null, disk));
    assertThat(hub.log).hasSize(1);
  }

  private void assertFilesInsteadOfLinks(Path snapshot) throws IOException {
    assertComplete(snapshot);
    assertThat(Files.isSymbolicLink(snapshot.resolve(WEIGHTS))).isFalse();
    assertThat(blob(WEIGHTS)).doesNotExist();
  }

  // Nowhere to write.

  @Test
  void saysWhenTheCacheCannotBeWritten() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "no folder");
    assertThatThrownBy(() -> Hub.resolve(ID, options.withCache(file)))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("cannot be put into the cache " + file)
        .hasMessageContaining("HF_HUB_CACHE");
  }

  @Test
  void writesNothingIntoACompleteCache() throws IOException {
    Hub.resolve(ID, options);
    Map<Path, FileTime> before = new TreeMap<>();
    FileTime old = FileTime.from(Instant.parse("2020-01-01T00:00:00Z"));
    for (Path path : walk()) {
      // A folder's time changes with every entry that comes or goes.
      Files.setLastModifiedTime(path, old);
      before.put(path, old);
    }
    assertComplete(Hub.resolve(ID, options));
    assertComplete(Hub.resolve(ID, options.withOffline(true)));
    hub.close();
    assertComplete(Hub.resolve(ID, options));
    Map<Path, FileTime> after = new TreeMap<>();
    for (Path path : walk()) {
      after.put(path, Files.getLastModifiedTime(path));
    }
    assertThat(after).isEqualTo(before);
  }

  private List<Path> walk() throws IOException {
    try (Stream<Path> paths = Files.walk(options.cache())) {
      return paths.filter(path -> !Files.isSymbolicLink(path)).toList();
    }
  }

  // Nothing left to write to.

  @Test
  void saysWhenTheDiskIsTooSmall() {
    Disk disk =
        new TestDisk() {
          @Override
          public long free(Path folder) {
            return (16L << 20) + 100_000;
          }
        };
    assertThatThrownBy(() -> Hub.resolve(ID, options, null, disk))
        .isInstanceOf(HubException.class)
        .hasMessageMatching(".*needs 100,\\d{3} bytes more, and .* has 16,877,216 free; .*")
        .hasMessageContaining("make room, or set HF_HUB_CACHE");
    assertThat(hub.requests("/resolve/")).isZero();
  }

  @Test
  void asksTheDiskItself() {
    hub.file(WEIGHTS, new byte[10], true);
    hub.hashes = false;
    // A size no disk has.
    hub.refuse(
        "/resolve/" + FakeHub.COMMIT + "/config.json",
        200,
        "ETag",
        "\"abc\"",
        "X-Linked-Size",
        "900000000000000000",
        "X-Linked-Etag",
        "\"abc\"");
    assertThatThrownBy(() -> Hub.resolve(ID, options))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("needs 900,000,000,000,");
  }

  @Test
  void saysWhenTheDiskFillsUpAndGoesOnWithRoom() throws IOException {
    Disk disk =
        new TestDisk() {
          @Override
          public FileChannel open(Path partial) throws IOException {
            return new FullChannel(super.open(partial), 60_000);
          }
        };
    assertThatThrownBy(() -> Hub.resolve(ID, options, null, disk))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("cannot be put into the cache " + options.cache())
        .hasMessageContaining("No space left on device; make room, or set HF_HUB_CACHE");
    // No other try mends that, nothing is lost, and nothing looks whole.
    assertThat(hub.requests(WEIGHTS)).isEqualTo(1);
    assertThat(partial()).hasSize(60_000);
    assertThat(blob(WEIGHTS)).doesNotExist();
    assertThat(storage().resolve("refs/main")).doesNotExist();
    assertComplete(Hub.resolve(ID, options));
    assertThat(hub.requests("range=bytes=60000-")).isEqualTo(1);
    assertThat(partial()).doesNotExist();
  }

  /** The device that is always full: the system's own answer, without a disk of that size. */
  @Test
  @EnabledOnOs(value = OS.LINUX, disabledReason = "only Linux has /dev/full")
  void saysWhatTheSystemSaysOfAFullDevice() throws IOException {
    Files.createDirectories(partial().getParent());
    Files.createSymbolicLink(partial(), Path.of("/dev/full"));
    assertThatThrownBy(() -> Hub.resolve(ID, options))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("No space left on device; make room, or set HF_HUB_CACHE");
    assertThat(hub.requests(WEIGHTS)).isEqualTo(1);
    Files.delete(partial());
    assertComplete(Hub.resolve(ID, options));
  }

  // Small disks in memory, where the system lets a process mount one for itself.

  @Test
  void fillsARealDiskAndGoesOnWithRoom() throws Exception {
    assertThat(onADiskOf("18m", "fill"))
        .containsSubsequence(
            "cannot be put into the cache " + options.cache(),
            "No space left on device; make room, or set HF_HUB_CACHE",
            "complete " + FakeHub.COMMIT);
    assertThat(hub.requests(WEIGHTS + " range=bytes=")).isEqualTo(1);
    assertThat(hub.requests(WEIGHTS + " range=null")).isEqualTo(1);
  }

  @Test
  void refusesARealDiskThatIsTooSmall() throws Exception {
    assertThat(onADiskOf("8m", "resolve"))
        .containsSubsequence("owner/name: needs ", " bytes more, and ", " free; make room, or set");
    assertThat(hub.requests("/resolve/")).isZero();
  }

  @Test
  void readsACacheOnARealDiskThatIsReadOnly() throws Exception {
    assertThat(onADiskOf("20m", "read-only"))
        .containsSubsequence(
            "complete " + FakeHub.COMMIT,
            "read only",
            "complete " + FakeHub.COMMIT,
            "other/name: cannot be put into the cache " + options.cache(),
            "Read-only file system",
            "HF_HUB_CACHE");
    assertThat(hub.requests("/resolve/")).isEqualTo(4);
  }

  /** Runs {@link DiskProcess} with a disk of its own for the cache; what it says. */
  private String onADiskOf(String size, String what) throws Exception {
    Files.createDirectories(options.cache());
    List<String> refusals = new ArrayList<>();
    for (String kind : List.of("-m", "-rm")) {
      String probe =
          run(List.of("unshare", kind, "mount", "-t", "tmpfs", "lmm", options.cache().toString()));
      if (probe.isEmpty()) {
        List<String> command = new ArrayList<>(List.of("unshare", kind, "sh", "-c"));
        command.add("mount -t tmpfs -o size=" + size + " lmm \"$0\" && exec \"$@\"");
        command.add(options.cache().toString());
        command.addAll(java(DiskProcess.class, what));
        return run(command);
      }
      refusals.add(probe.strip());
    }
    return Assumptions.abort(
        "no disk may be mounted here (the test with a seam ran instead): "
            + String.join("; ", refusals));
  }

  private String run(List<String> command) throws Exception {
    Path said = folder.resolve("said-" + System.nanoTime() + ".txt");
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("HF_ENDPOINT", hub.address().toString());
    builder.environment().put("HF_HUB_CACHE", options.cache().toString());
    builder.redirectErrorStream(true).redirectOutput(said.toFile());
    Process process;
    try {
      process = builder.start();
    } catch (IOException e) {
      return e.getMessage();
    }
    if (!process.waitFor(5, TimeUnit.MINUTES)) {
      process.destroyForcibly();
    }
    return Files.readString(said);
  }

  /** The real disk, unless a test says otherwise. */
  private abstract static class TestDisk implements Disk {
    @Override
    public long free(Path folder) throws IOException {
      return REAL.free(folder);
    }

    @Override
    public FileChannel open(Path partial) throws IOException {
      return REAL.open(partial);
    }

    @Override
    public void link(Path pointer, Path target) throws IOException {
      REAL.link(pointer, target);
    }
  }
}
