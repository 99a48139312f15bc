package dev.lmm.core.engine;

import java.net.URL;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

/**
 * The native libraries that something needs on this platform, where they can be read.
 *
 * @param library whose they are, for instance {@code onnxruntime}
 * @param version of the library that the Java code was made for; another may end the process
 * @param platform as {@link Platform#label} names it
 * @param files where each lies, by file name; empty if there are none for the platform
 */
public record NativeFiles(String library, String version, String platform, Map<String, URL> files) {
  /**
   * Sorts the files.
   *
   * @param library whose they are
   * @param version of the library
   * @param platform as {@link Platform#label} names it
   * @param files where each lies, by file name
   */
  public NativeFiles {
    files = Collections.unmodifiableMap(new TreeMap<>(files));
  }
}
