package dev.lmm.search;

import dev.lmm.search.Documents.Seen;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.FileVisitor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Goes through a folder and what is below it. Names that begin with a dot are passed over: they are
 * caches, versions, the second halves that some systems put beside a file. Links to files are
 * followed, links to folders are not, for they may lead in circles.
 */
final class FolderWalk implements FileVisitor<Path> {
  /** Takes what is come across. */
  @FunctionalInterface
  interface Taker<T> {
    void accept(T found) throws IOException;
  }

  private final Path folder;
  private final Path indexFolder;
  private final Predicate<Path> accepted;
  private final Taker<Seen> files;
  private final Taker<Path> folders;
  private final Taker<SkippedFile> skipped;

  /** Folders that could not be read, as paths below the root that end in a slash. */
  final List<String> unread = new ArrayList<>();

  FolderWalk(
      Path folder,
      Path indexFolder,
      Predicate<Path> accepted,
      Taker<Seen> files,
      Taker<Path> folders,
      Taker<SkippedFile> skipped) {
    this.folder = folder;
    this.indexFolder = real(indexFolder);
    this.accepted = accepted;
    this.files = files;
    this.folders = folders;
    this.skipped = skipped;
  }

  void run() throws IOException {
    Files.walkFileTree(folder, this);
  }

  @Override
  public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes)
      throws IOException {
    boolean root = directory.equals(folder);
    if (!root && (hidden(directory) || directory.equals(indexFolder))) {
      return FileVisitResult.SKIP_SUBTREE;
    }
    folders.accept(directory);
    return FileVisitResult.CONTINUE;
  }

  @Override
  public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
    if (hidden(file) || !accepted.test(file)) {
      return FileVisitResult.CONTINUE;
    }
    BasicFileAttributes found = attributes;
    if (attributes.isSymbolicLink()) {
      try {
        found = Files.readAttributes(file, BasicFileAttributes.class);
      } catch (IOException e) {
        skipped.accept(new SkippedFile(file, file + ": a link that leads nowhere"));
        return FileVisitResult.CONTINUE;
      }
    }
    if (found.isRegularFile()) {
      files.accept(
          new Seen(below(file), found.size(), found.lastModifiedTime().to(TimeUnit.NANOSECONDS)));
    }
    return FileVisitResult.CONTINUE;
  }

  @Override
  public FileVisitResult visitFileFailed(Path file, IOException failure) throws IOException {
    if (file.equals(folder)) {
      throw failure;
    }
    if (!hidden(file)) {
      unread.add(below(file) + "/");
      skipped.accept(new SkippedFile(file, file + ": cannot be read: " + failure));
    }
    return FileVisitResult.CONTINUE;
  }

  @Override
  public FileVisitResult postVisitDirectory(Path directory, @Nullable IOException failure)
      throws IOException {
    if (failure != null) {
      unread.add(directory.equals(folder) ? "" : below(directory) + "/");
      skipped.accept(new SkippedFile(directory, directory + ": cannot be read: " + failure));
    }
    return FileVisitResult.CONTINUE;
  }

  private static Path real(Path folder) {
    try {
      return folder.toRealPath();
    } catch (IOException e) {
      return folder.toAbsolutePath().normalize(); // not made yet
    }
  }

  /** Whether a picture lies where could not be looked. */
  boolean mayBeThere(String path) {
    return unread.stream().anyMatch(path::startsWith);
  }

  private static boolean hidden(Path file) {
    return file.getFileName().toString().startsWith(".");
  }

  private String below(Path file) {
    return below(folder, file);
  }

  static String below(Path folder, Path file) {
    String path = folder.relativize(file).toString();
    String separator = folder.getFileSystem().getSeparator();
    return separator.equals("/") ? path : path.replace(separator, "/");
  }
}
