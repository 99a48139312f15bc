package dev.lmm.search;

import java.nio.file.Path;

/**
 * A file or folder that an update passed over.
 *
 * @param file where it lies
 * @param reason why it could not be read
 */
public record SkippedFile(Path file, String reason) {}
