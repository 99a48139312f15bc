package dev.lmm.core.json;

import dev.lmm.CheckpointException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * Reads the files of a checkpoint that are held in memory whole: configurations, vocabularies,
 * templates. Weights are never among them. Stateless and thread-safe.
 */
public final class SmallFile {
  /**
   * The largest file that is read, in bytes: 256 MiB. The largest published ones, indexes of shards
   * and vocabularies of 256,000 tokens, stay below 70 MB.
   */
  public static final int LARGEST = 1 << 28;

  private SmallFile() {}

  /**
   * Reads a file.
   *
   * @param file the file
   * @return its bytes, at most {@value #LARGEST}
   * @throws CheckpointException if it is missing, larger, or cannot be read
   */
  public static byte[] bytes(Path file) {
    return bytes(file, LARGEST);
  }

  static byte[] bytes(Path file, int largest) {
    try (InputStream in = Files.newInputStream(file)) {
      // What the system says of its size may be wrong: it may be a device, or growing.
      if (Files.size(file) <= largest) {
        byte[] bytes = in.readNBytes(largest);
        if (in.read() < 0) {
          return bytes;
        }
      }
      throw new CheckpointException(
          file + ": has more than " + largest + " bytes; no file of its kind is so large");
    } catch (NoSuchFileException e) {
      throw new CheckpointException(file + ": no such file", e);
    } catch (IOException e) {
      throw new CheckpointException(file + ": cannot be read: " + e.getMessage(), e);
    } catch (OutOfMemoryError e) {
      throw new CheckpointException(file + ": not enough memory to read it", e);
    }
  }

  /**
   * Reads a text.
   *
   * @param file in UTF-8
   * @return its characters
   * @throws CheckpointException if it is missing, too large, not UTF-8, or cannot be read
   */
  public static String text(Path file) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes(file))).toString();
    } catch (CharacterCodingException e) {
      throw new CheckpointException(file + ": cannot be read as UTF-8", e);
    }
  }
}
