package dev.lmm.core.hub;

import com.sun.jna.Function;
import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import dev.lmm.core.engine.Platform;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The lock that the Python client takes on Linux: {@code flock}, which Java itself cannot call, and
 * which Java's own locks, those of {@code fcntl}, do not see there. It is called through JNA, which
 * the tokenizers' bindings bring.
 */
final class Flock implements BlobLock.SystemLock {
  private static final Logger LOG = LoggerFactory.getLogger(Flock.class);

  // From Linux' headers, the same on every processor that there are natives for.
  private static final int READ_WRITE = 2;
  private static final int CLOSE_ON_EXEC = 0x80000;
  private static final int EXCLUSIVE = 2;
  private static final int AT_ONCE = 4;
  private static final int EINTR = 4;
  private static final int EAGAIN = 11;
  // What some file systems say instead.
  private static final int EACCES = 13;

  private final Path file;
  private final Calls calls;
  private int descriptor;

  private Flock(Path file, Calls calls) throws IOException {
    this.file = file;
    this.calls = calls;
    this.descriptor = open();
  }

  /**
   * Opens a lock file that is there.
   *
   * @return null where there is no {@code flock}, or no way to call it
   */
  static @Nullable Flock open(Path file) throws IOException {
    Calls calls = Calls.FOUND;
    return calls == null ? null : new Flock(file, calls);
  }

  @Override
  public boolean tryLock() throws IOException {
    if (descriptor < 0) {
      // The file was deleted before; the one who creates it anew may be another.
      descriptor = open();
    }
    if (calls.flock.invokeInt(new Object[] {descriptor, EXCLUSIVE | AT_ONCE}) != 0) {
      int error = Native.getLastError();
      if (error == EAGAIN || error == EACCES || error == EINTR) {
        return false;
      }
      throw new IOException(file + ": flock fails with error " + error);
    }
    if (isThere()) {
      return true;
    }
    close();
    return false;
  }

  /** Whether what is locked is still what others would open. */
  private boolean isThere() throws IOException {
    try {
      return Files.isSameFile(Path.of("/proc/self/fd/" + descriptor), file);
    } catch (NoSuchFileException e) {
      return false;
    }
  }

  private int open() throws IOException {
    BlobLock.create(file);
    byte[] name = file.toString().getBytes(Calls.NAMES);
    Object[] arguments = {Arrays.copyOf(name, name.length + 1), READ_WRITE | CLOSE_ON_EXEC};
    int opened = calls.open.invokeInt(arguments);
    if (opened < 0) {
      throw new IOException(file + ": cannot be opened, error " + Native.getLastError());
    }
    return opened;
  }

  /** Gives the lock up: it belongs to the open file. */
  @Override
  public void close() {
    if (descriptor >= 0) {
      calls.close.invokeInt(new Object[] {descriptor});
      descriptor = -1;
    }
  }

  private record Calls(Function open, Function flock, Function close) {
    /** Of names of files. */
    static final Charset NAMES =
        Charset.forName(System.getProperty("sun.jnu.encoding", Charset.defaultCharset().name()));

    static final @Nullable Calls FOUND = find();

    private static @Nullable Calls find() {
      Platform platform = Platform.current();
      if (!platform.system().equals("linux") || !platform.supported()) {
        return null;
      }
      try {
        NativeLibrary library = NativeLibrary.getProcess();
        return new Calls(
            library.getFunction("open"),
            library.getFunction("flock"),
            library.getFunction("close"));
      } catch (LinkageError | RuntimeException e) {
        LOG.debug("JNA does not work here; the Python client will not see our locks", e);
        return null;
      }
    }
  }
}
