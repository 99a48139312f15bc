package dev.lmm.search;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Files that Pillow wrote, with dates it wrote: reference/date_goldens.py. */
class TakenDateTest {
  private static final Path GOLDEN = Path.of("src/test/resources/golden/dates");

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({
    "original.jpg, 2024-07-01T12:30:05",
    "original.png, 2024-07-01T12:30:05",
    "original.webp, 2024-07-01T12:30:05",
    "big-endian.jpg, 2019-12-31T23:59:59",
    "changed-only.jpg, 2021-03-04T05:06:07",
    "changed-only.tif, 2021-03-04T05:06:07",
    "behind-other-segments.jpg, 2024-07-01T12:30:05"
  })
  void isReadFromTheNotes(String file, LocalDateTime expected) {
    assertThat(TakenDate.of(GOLDEN.resolve(file))).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource({
    "none.jpg",
    "none.png",
    "none.gif",
    "zeros.jpg",
    "thirteenth-month.jpg",
    "nowhere.jpg"
  })
  void isNotMadeUp(String file) {
    assertThat(TakenDate.of(GOLDEN.resolve(file))).isNull();
  }

  @Test
  void damagedNotesAreNone() throws IOException {
    Random random = new Random(9);
    Path damaged = folder.resolve("damaged");
    for (String file : new String[] {"original.jpg", "original.png", "original.webp"}) {
      byte[] whole = Files.readAllBytes(GOLDEN.resolve(file));
      for (int i = 0; i < 300; i++) {
        byte[] bytes =
            Arrays.copyOf(whole, i % 3 == 0 ? random.nextInt(whole.length) : whole.length);
        for (int n = 0; n < 8 && bytes.length > 0; n++) {
          bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
        }
        Files.write(damaged, bytes);
        TakenDate.of(damaged); // a date or null, never an exception or an endless loop
      }
    }
    Files.writeString(damaged, "II*\0\u00ff\u00ff\u00ff\u00ff", StandardCharsets.ISO_8859_1);
    assertThat(TakenDate.of(damaged)).isNull();
  }
}
