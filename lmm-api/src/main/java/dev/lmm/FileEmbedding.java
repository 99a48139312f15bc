package dev.lmm;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * What became of one file.
 *
 * @param file the file, as it was given
 * @param vector its embedding, of length 1; null if it could not be read
 * @param width pixels of the picture, turned upright; 0 if it could not be read
 * @param height pixels of the picture, turned upright; 0 if it could not be read
 * @param failure why it could not be read; null if it could
 */
@SuppressWarnings("ArrayRecordComponent") // handed over, never compared
public record FileEmbedding(
    Path file,
    float @Nullable [] vector,
    int width,
    int height,
    @Nullable ImageException failure) {}
