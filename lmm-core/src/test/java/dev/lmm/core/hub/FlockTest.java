package dev.lmm.core.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.jna.Function;
import com.sun.jna.NativeLibrary;
import dev.lmm.Cancellation;
import dev.lmm.CancelledException;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/**
 * The lock of a blob and the Python client's, which calls {@code flock}: each keeps the other out.
 *
 * <p>{@code reference/hub_beside.py} shows the same with the Python client itself.
 */
@EnabledOnOs(
    value = OS.LINUX,
    disabledReason = "elsewhere Java's own locks are the Python client's")
class FlockTest extends HubTesting {
  private static final Function OPEN = NativeLibrary.getProcess().getFunction("open");
  private static final Function FLOCK = NativeLibrary.getProcess().getFunction("flock");
  private static final Function CLOSE = NativeLibrary.getProcess().getFunction("close");

  /** As the Python client holds a lock: an open file of its own. */
  private static final class PythonLock implements AutoCloseable {
    private int descriptor;

    PythonLock(Path file) {
      byte[] name = file.toString().getBytes(StandardCharsets.UTF_8);
      descriptor = OPEN.invokeInt(new Object[] {Arrays.copyOf(name, name.length + 1), 2});
      assertThat(descriptor).isNotNegative();
    }

    /** {@code fcntl.flock(fd, LOCK_EX | LOCK_NB)}. */
    boolean tryLock() {
      return FLOCK.invokeInt(new Object[] {descriptor, 2 | 4}) == 0;
    }

    void release() {
      if (descriptor >= 0) {
        CLOSE.invokeInt(new Object[] {descriptor});
        descriptor = -1;
      }
    }

    @Override
    public void close() {
      release();
    }
  }

  private Path lock() {
    return new HubCache(options.cache()).lock(HubId.parse(ID), hub.etag(WEIGHTS));
  }

  @Test
  void keepsThePythonClientOut() throws Exception {
    Path file = lock();
    BlobLock held = BlobLock.take(file, null);
    assertThat(held.isExclusive()).isTrue();
    // For others of the group as well, whatever the umask: the Python client's 0o664.
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
        .isEqualTo("rw-rw-r--");
    try (PythonLock python = new PythonLock(file)) {
      assertThat(python.tryLock()).isFalse();
      held.close();
      assertThat(BlobLock.inUse()).isZero();
      assertThat(python.tryLock()).isTrue();
    }
  }

  @Test
  void waitsForThePythonClientAndTakesWhatItFetched() throws Exception {
    Path file = lock();
    Files.createDirectories(file.getParent());
    Files.createFile(file);
    try (PythonLock python = new PythonLock(file)) {
      assertThat(python.tryLock()).isTrue();
      CompletableFuture<Path> load = CompletableFuture.supplyAsync(() -> Hub.resolve(ID, options));
      while (!Files.exists(blob("config.json"))) {
        pause(5);
      }
      assertThatThrownBy(() -> load.get(300, TimeUnit.MILLISECONDS))
          .isInstanceOf(TimeoutException.class);
      assertThat(hub.requests("/" + WEIGHTS)).isZero();
      Files.write(blob(WEIGHTS), hub.files.get(WEIGHTS));
      python.release();
      assertComplete(load.get());
    }
    assertThat(hub.requests("/" + WEIGHTS)).isZero();
  }

  @Test
  void aWaitCanBeCancelled() throws Exception {
    Path file = lock();
    Files.createDirectories(file.getParent());
    Files.createFile(file);
    Cancellation cancellation = new Cancellation();
    try (PythonLock python = new PythonLock(file)) {
      assertThat(python.tryLock()).isTrue();
      CompletableFuture<BlobLock> wait =
          CompletableFuture.supplyAsync(() -> taken(file, cancellation));
      pause(100);
      assertThat(wait).isNotDone();
      cancellation.cancel();
      assertThatThrownBy(wait::get)
          .isInstanceOf(ExecutionException.class)
          .hasCauseInstanceOf(CancelledException.class);
    }
    // Nothing is left of the wait.
    BlobLock.take(file, null).close();
  }

  @Test
  void aFileThatWasDeletedMeanwhileIsNoLock() throws Exception {
    Path file = lock();
    Files.createDirectories(file.getParent());
    Files.createFile(file);
    CompletableFuture<Boolean> wait;
    try (PythonLock python = new PythonLock(file)) {
      assertThat(python.tryLock()).isTrue();
      wait =
          CompletableFuture.supplyAsync(
              () -> {
                try (BlobLock held = taken(file, null);
                    PythonLock other = new PythonLock(file)) {
                  return held.isExclusive() && other.tryLock();
                }
              });
      pause(200);
      assertThat(wait).isNotDone();
      Files.delete(file);
    }
    assertThat(wait.get()).as("another has the lock of the file that is there now").isFalse();
  }

  private static BlobLock taken(Path file, @Nullable Cancellation cancellation) {
    try {
      return BlobLock.take(file, cancellation);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void worksWithoutJna() throws Exception {
    List<String> command = new ArrayList<>(java(HubProcess.class, ID));
    int path = command.indexOf("-cp") + 1;
    command.set(
        path,
        Arrays.stream(command.get(path).split(File.pathSeparator))
            .filter(entry -> !entry.matches(".*[/\\\\]jna-[^/\\\\]*\\.jar"))
            .collect(Collectors.joining(File.pathSeparator)));
    assertThat(command.get(path)).doesNotContain("jna-");
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("HF_ENDPOINT", hub.address().toString());
    builder.environment().put("HF_HUB_CACHE", options.cache().toString());
    Path said = folder.resolve("said.txt");
    builder.redirectErrorStream(true).redirectOutput(said.toFile());
    assertThat(builder.start().waitFor()).as(Files.readString(said)).isZero();
    assertComplete(Hub.resolve(ID, options.withOffline(true)));
  }
}
