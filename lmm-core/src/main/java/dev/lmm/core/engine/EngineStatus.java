package dev.lmm.core.engine;

import java.util.List;

/**
 * What an engine found of itself.
 *
 * @param available whether it can run
 * @param version of its native library, or empty
 * @param devices what it can compute on, for instance {@code cpu}
 * @param detail where the native library was found, or why the engine cannot run and what to do
 */
public record EngineStatus(boolean available, String version, List<String> devices, String detail) {
  /**
   * Copies the list.
   *
   * @param available whether it can run
   * @param version of its native library, or empty
   * @param devices what it can compute on, for instance {@code cpu}
   * @param detail where the native library was found, or why the engine cannot run and what to do
   */
  public EngineStatus {
    devices = List.copyOf(devices);
  }
}
