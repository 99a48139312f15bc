package dev.lmm.core.hub;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** What a download asks of the disk; tests put in one that is full or knows no links. */
interface Disk {
  Disk REAL =
      new Disk() {
        @Override
        public long free(Path folder) throws IOException {
          // The file store says it too, but reads the table of all mounts to find itself.
          long free = folder.toFile().getUsableSpace();
          return free > 0 ? free : Files.getFileStore(folder).getUsableSpace();
        }

        @Override
        public FileChannel open(Path partial) throws IOException {
          return FileChannel.open(
              partial,
              StandardOpenOption.CREATE,
              StandardOpenOption.READ,
              StandardOpenOption.WRITE);
        }

        @Override
        public void link(Path pointer, Path target) throws IOException {
          Files.createSymbolicLink(pointer, target);
        }
      };

  /** The bytes that this process may still write to a folder. */
  long free(Path folder) throws IOException;

  /** A partial file to go on with, made if it is not there. */
  FileChannel open(Path partial) throws IOException;

  /** Makes a symbolic link; fails as {@link Files#createSymbolicLink} does. */
  void link(Path pointer, Path target) throws IOException;
}
