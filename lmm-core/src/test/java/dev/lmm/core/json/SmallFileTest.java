package dev.lmm.core.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lmm.CheckpointException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SmallFileTest {
  @TempDir Path folder;

  @Test
  void readsUpToTheLimit() throws IOException {
    Path file = folder.resolve("a.json");
    Files.writeString(file, "12345");
    assertThat(SmallFile.bytes(file, 5)).hasSize(5);
    assertThat(SmallFile.text(file)).isEqualTo("12345");
    assertThatThrownBy(() -> SmallFile.bytes(file, 4))
        .isInstanceOf(CheckpointException.class)
        .hasMessage(file + ": has more than 4 bytes; no file of its kind is so large");
  }

  /** Three gigabytes of nothing, which no array can hold. */
  @Test
  void aGiantFileIsRefusedUnread() throws IOException {
    Path file = folder.resolve("config.json");
    try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
      sparse.setLength(3L << 30);
    }
    assertThatThrownBy(() -> Json.parse(file))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("config.json: has more than 268435456 bytes");
  }

  @Test
  void brokenFilesAreNamed() throws IOException {
    Path absent = folder.resolve("absent.json");
    assertThatThrownBy(() -> SmallFile.text(absent))
        .isInstanceOf(CheckpointException.class)
        .hasMessage(absent + ": no such file");
    Path latin = folder.resolve("latin.txt");
    Files.write(latin, new byte[] {(byte) 0xe9, 'a'});
    assertThatThrownBy(() -> SmallFile.text(latin))
        .isInstanceOf(CheckpointException.class)
        .hasMessage(latin + ": cannot be read as UTF-8");
  }
}
