package dev.lmm.spi;

import dev.lmm.Image;
import java.io.InputStream;
import java.nio.file.Path;

/** Decodes picture files. Implementations are stateless and thread-safe. */
public interface ImageDecoder {
  /**
   * Decodes a file.
   *
   * @param file the file
   * @return the picture, its {@link Image#source()} being the path as given
   * @throws dev.lmm.ImageException if it is missing, broken, too large or unsupported
   */
  Image decode(Path file);

  /**
   * Decodes a file held in memory.
   *
   * @param bytes the whole file
   * @param source the name for messages
   * @return the picture
   * @throws dev.lmm.ImageException if it is broken, too large or unsupported
   */
  Image decode(byte[] bytes, String source);

  /**
   * Decodes a stream, read to its end and not closed.
   *
   * @param stream the whole file
   * @return the picture
   * @throws dev.lmm.ImageException if it cannot be read, is broken, too large or unsupported
   */
  Image decode(InputStream stream);
}
