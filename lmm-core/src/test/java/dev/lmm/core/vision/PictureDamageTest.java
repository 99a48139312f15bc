package dev.lmm.core.vision;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lmm.Image;
import dev.lmm.ImageException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever the bytes: a picture or an ImageException. Seeded, so that a failure repeats. */
class PictureDamageTest {
  private static final int VARIANTS = 150;

  /** Small pictures only: each damaged variant may still be decoded. */
  private static final DecodeLimits LIMITS = DecodeLimits.standard().withMaxPixels(1 << 20);

  static List<Path> files() throws IOException {
    try (Stream<Path> made = Files.list(PictureGoldens.FOLDER.resolve("made"))) {
      // Those whose notes unpack to 64 MiB would be unpacked hundreds of times.
      return made.filter(file -> file.toFile().length() < 20_000).sorted().toList();
    }
  }

  @ParameterizedTest
  @MethodSource("files")
  void damageIsNeverMoreThanAnImageException(Path file) throws IOException {
    byte[] whole = Files.readAllBytes(file);
    Random random = new Random(file.getFileName().toString().hashCode());
    PictureDecoder decoder = new PictureDecoder(LIMITS);
    for (int variant = 0; variant < VARIANTS; variant++) {
      byte[] bytes = damaged(whole, random);
      try {
        Image image = decoder.decode(bytes, "damaged");
        assertThat(image.rgb()).hasSize(image.width() * image.height() * 3);
      } catch (ImageException e) {
        assertThat(e).hasMessageStartingWith("damaged: ");
      } catch (Throwable t) {
        throw new AssertionError("variant " + variant + " of " + file, t);
      }
    }
  }

  private static byte[] damaged(byte[] whole, Random random) {
    if (whole.length == 0) {
      return new byte[] {(byte) random.nextInt()};
    }
    byte[] bytes = whole.clone();
    switch (random.nextInt(4)) {
      case 0 -> bytes = Arrays.copyOf(bytes, random.nextInt(bytes.length));
      case 1 -> {
        int from = random.nextInt(bytes.length);
        int to = Math.min(bytes.length, from + 1 + random.nextInt(16));
        for (int i = from; i < to; i++) {
          bytes[i] = (byte) random.nextInt();
        }
      }
      default -> {
        // Headers are where damage does most.
        int reach = random.nextBoolean() ? Math.min(bytes.length, 64) : bytes.length;
        for (int i = 1 + random.nextInt(4); i > 0; i--) {
          bytes[random.nextInt(reach)] = (byte) (random.nextBoolean() ? 0xFF : random.nextInt());
        }
      }
    }
    return bytes;
  }
}
