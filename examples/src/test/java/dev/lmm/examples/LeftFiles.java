package dev.lmm.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lmm.Image;
import dev.lmm.tiny.TinyPictures;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Files that what a page shows reads and writes in the folder it is run in; taken away again. */
final class LeftFiles implements AutoCloseable {
  private final List<Path> files = new ArrayList<>();

  /** A picture of a scene, under the name that the page gives it. */
  Path picture(String name) throws IOException {
    Path file = written(name);
    Files.write(file, TinyPictures.bytes(TinyPictures.scenes().get(1).file()));
    return file;
  }

  /** A file that the page writes. */
  Path written(String name) throws IOException {
    Path file = Path.of(name);
    Files.deleteIfExists(file);
    files.add(file);
    return file;
  }

  /** Says that a picture was written, which is no single colour. */
  static void isPicture(Path file) {
    byte[] rgb = Image.read(file).rgb();
    boolean varied = false;
    for (int i = 3; i < rgb.length && !varied; i++) {
      varied = rgb[i] != rgb[i % 3];
    }
    assertThat(varied).as("%s has more than one colour", file).isTrue();
  }

  @Override
  public void close() throws IOException {
    for (Path file : files) {
      Files.deleteIfExists(file);
    }
  }
}
