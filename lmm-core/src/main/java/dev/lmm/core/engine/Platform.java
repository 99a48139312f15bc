package dev.lmm.core.engine;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A machine as native libraries see it.
 *
 * @param system {@code linux}, {@code osx}, {@code windows}, or what Java calls another
 * @param processor {@code x64}, {@code arm64}, {@code x86} for 32 bits, or what Java calls another
 * @param musl whether Java itself runs on the C library musl, as on Alpine Linux
 */
public record Platform(String system, String processor, boolean musl) {
  private static final Logger LOG = LoggerFactory.getLogger(Platform.class);

  /**
   * This process's.
   *
   * @return by {@code os.name}, {@code os.arch} and the libraries that this process has mapped
   */
  public static Platform current() {
    return of(System.getProperty("os.name", ""), System.getProperty("os.arch", ""), maps());
  }

  /**
   * A platform by its signs.
   *
   * @param os as the system property {@code os.name} has it
   * @param arch as the system property {@code os.arch} has it
   * @param maps the lines of {@code /proc/self/maps}; empty where there is no such file
   * @return the platform
   */
  public static Platform of(String os, String arch, List<String> maps) {
    String name = os.toLowerCase(Locale.ROOT);
    String system =
        name.contains("linux")
            ? "linux"
            : name.contains("mac") ? "osx" : name.contains("windows") ? "windows" : name;
    String processor =
        switch (arch.toLowerCase(Locale.ROOT)) {
          case "amd64", "x86_64" -> "x64";
          case "aarch64", "arm64" -> "arm64";
          case "x86", "i386", "i486", "i586", "i686" -> "x86";
          default -> arch;
        };
    // What else is installed does not matter: Java's own C library decides what can be loaded.
    boolean musl =
        system.equals("linux") && maps.stream().anyMatch(line -> line.contains("/ld-musl-"));
    return new Platform(system, processor, musl);
  }

  /**
   * Whether the natives of this library's dependencies exist for it: Linux with glibc on x64 and
   * arm64, macOS on arm64, Windows on x64.
   *
   * @return true if so
   */
  public boolean supported() {
    return !musl
        && switch (system) {
          case "linux" -> processor.equals("x64") || processor.equals("arm64");
          case "osx" -> processor.equals("arm64");
          case "windows" -> processor.equals("x64");
          default -> false;
        };
  }

  /**
   * What to do where there are no natives.
   *
   * @return a sentence without a full stop; empty if the platform is supported
   */
  public String cure() {
    if (supported()) {
      return "";
    }
    if (musl) {
      return "this Java runs on musl, as on Alpine Linux, and the native libraries are made for"
          + " glibc: take an image with glibc (Debian, Ubuntu, Fedora), for instance"
          + " eclipse-temurin:17-jre instead of eclipse-temurin:17-jre-alpine";
    }
    if (processor.equals("x86") || processor.equals("arm")) {
      return "this Java has 32 bits: install a JDK of 64 bits";
    }
    if (system.equals("osx") && processor.equals("x64")) {
      return "there are no native libraries for Macs with Intel processors; on a Mac with Apple"
          + " silicon this Java was made for Intel: install a JDK for aarch64";
    }
    if (system.equals("windows") && processor.equals("arm64")) {
      return "there are no native libraries for Windows on arm64: install a JDK for x64, which"
          + " Windows emulates";
    }
    return "there are native libraries for Linux (glibc) on x64 and arm64, macOS on arm64 and"
        + " Windows on x64";
  }

  /**
   * A short name.
   *
   * @return for instance {@code linux-x64}, {@code linux-musl-x64} or {@code osx-arm64}
   */
  public String label() {
    return system.replaceAll("[^a-z0-9]+", "-") + (musl ? "-musl-" : "-") + processor;
  }

  private static List<String> maps() {
    Path file = Path.of("/proc/self/maps");
    try {
      // Names of mapped files may be in any encoding.
      return Files.isReadable(file)
          ? Files.readAllLines(file, StandardCharsets.ISO_8859_1)
          : List.of();
    } catch (IOException e) {
      LOG.debug("{} cannot be read", file, e);
      return List.of();
    }
  }
}
