package dev.lmm.core.vision;

import dev.lmm.Check;

/**
 * What a picture file may ask for, checked against its header before memory is taken.
 *
 * @param maxPixels the most pixels, width times height
 * @param maxSide the most pixels of one side
 * @param maxBytes the largest file
 * @param maxScans the most scans of a progressive JPEG; each costs a pass over the whole picture
 * @param maxChunkBytes the most that a compressed text or colour profile of a PNG may unpack to
 * @param maxTextBytes the most that all texts of a PNG may have, unpacked
 */
public record DecodeLimits(
    long maxPixels,
    int maxSide,
    long maxBytes,
    int maxScans,
    int maxChunkBytes,
    long maxTextBytes) {
  private static final DecodeLimits STANDARD =
      new DecodeLimits(178_956_970, 1 << 20, 1L << 30, 200, 1 << 20, 64L << 20);

  /**
   * Checks that every limit is at least 1.
   *
   * @param maxPixels the most pixels, width times height
   * @param maxSide the most pixels of one side
   * @param maxBytes the largest file
   * @param maxScans the most scans of a progressive JPEG; each costs a pass over the whole picture
   * @param maxChunkBytes the most that a compressed text or colour profile of a PNG may unpack to
   * @param maxTextBytes the most that all texts of a PNG may have, unpacked
   */
  public DecodeLimits {
    Check.that(maxPixels >= 1, "maxPixels: is " + maxPixels + "; expected at least 1");
    Check.that(maxSide >= 1, "maxSide: is " + maxSide + "; expected at least 1");
    Check.that(maxBytes >= 1, "maxBytes: is " + maxBytes + "; expected at least 1");
    Check.that(maxScans >= 1, "maxScans: is " + maxScans + "; expected at least 1");
    Check.that(maxChunkBytes >= 1, "maxChunkBytes: is " + maxChunkBytes + "; expected at least 1");
    Check.that(maxTextBytes >= 1, "maxTextBytes: is " + maxTextBytes + "; expected at least 1");
  }

  /**
   * The default: 178,956,970 pixels, 1,048,576 pixels a side, files of 1 GiB, 200 scans, chunks
   * that unpack to 1 MiB, texts of 64 MiB. Pillow has the same limits of pixels, chunks and texts.
   *
   * @return the limits
   */
  public static DecodeLimits standard() {
    return STANDARD;
  }

  /**
   * Other pixels.
   *
   * @param pixels the most pixels, at least 1
   * @return a copy
   */
  public DecodeLimits withMaxPixels(long pixels) {
    return new DecodeLimits(pixels, maxSide, maxBytes, maxScans, maxChunkBytes, maxTextBytes);
  }

  /**
   * Another longest side.
   *
   * @param side the most pixels of one side, at least 1
   * @return a copy
   */
  public DecodeLimits withMaxSide(int side) {
    return new DecodeLimits(maxPixels, side, maxBytes, maxScans, maxChunkBytes, maxTextBytes);
  }

  /**
   * Another file size.
   *
   * @param bytes the largest file, at least 1
   * @return a copy
   */
  public DecodeLimits withMaxBytes(long bytes) {
    return new DecodeLimits(maxPixels, maxSide, bytes, maxScans, maxChunkBytes, maxTextBytes);
  }

  /**
   * Another number of scans.
   *
   * @param scans the most scans of a progressive JPEG, at least 1
   * @return a copy
   */
  public DecodeLimits withMaxScans(int scans) {
    return new DecodeLimits(maxPixels, maxSide, maxBytes, scans, maxChunkBytes, maxTextBytes);
  }

  /**
   * Another size of unpacked chunks.
   *
   * @param bytes the most that a compressed text or colour profile of a PNG may unpack to, at least
   *     1
   * @return a copy
   */
  public DecodeLimits withMaxChunkBytes(int bytes) {
    return new DecodeLimits(maxPixels, maxSide, maxBytes, maxScans, bytes, maxTextBytes);
  }

  /**
   * Another size of texts.
   *
   * @param bytes the most that all texts of a PNG may have, at least 1
   * @return a copy
   */
  public DecodeLimits withMaxTextBytes(long bytes) {
    return new DecodeLimits(maxPixels, maxSide, maxBytes, maxScans, maxChunkBytes, bytes);
  }
}
