package dev.lmm.core.hub;

import java.io.IOException;
import java.io.InputStream;
import java.util.Map;

/** A small model inside a jar; found with {@link java.util.ServiceLoader}. Thread-safe. */
public interface BundledModel {
  /**
   * The name callers load it by.
   *
   * @return for instance {@code tiny-clip}
   */
  String name();

  /**
   * Its files.
   *
   * @return SHA-256 in hex by file name, relative to the model's folder
   */
  Map<String, String> files();

  /**
   * Opens a file.
   *
   * @param file one of {@link #files()}
   * @return its content, to be closed
   * @throws IOException if it cannot be read
   */
  InputStream open(String file) throws IOException;
}
