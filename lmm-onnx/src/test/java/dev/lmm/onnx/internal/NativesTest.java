package dev.lmm.onnx.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lmm.core.engine.Platform;
import java.io.IOException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativesTest {
  private static final String SET = "onnxruntime.native.path";

  @TempDir Path temp;

  private String before = "";

  /** Whatever ran before in this process has set it. */
  @BeforeEach
  void unset() {
    before = System.getProperty(SET, "");
    System.clearProperty(SET);
  }

  @AfterEach
  void setAgain() {
    if (before.isEmpty()) {
      System.clearProperty(SET);
    } else {
      System.setProperty(SET, before);
    }
  }

  private List<URL> libraries;
  private Path cache;

  @BeforeEach
  void makeLibraries() throws IOException {
    Path first = Files.writeString(temp.resolve("libone.so"), "first library");
    Path second = Files.writeString(temp.resolve("libtwo.so"), "second library");
    libraries = List.of(first.toUri().toURL(), second.toUri().toURL());
    cache = temp.resolve("캐시 folder");
  }

  @Test
  void unpacksOnce() throws IOException {
    Path folder = Natives.unpacked(cache, libraries);
    assertThat(folder.resolve("libone.so")).hasContent("first library");
    assertThat(folder.resolve("libtwo.so")).hasContent("second library");
    FileTime time = Files.getLastModifiedTime(folder);
    assertThat(Natives.unpacked(cache, libraries)).isEqualTo(folder);
    assertThat(Files.getLastModifiedTime(folder)).isEqualTo(time);
    try (Stream<Path> left = Files.list(cache)) {
      assertThat(left).containsExactly(folder);
    }
  }

  @Test
  void repairsWhatWasDamaged() throws IOException {
    Path folder = Natives.unpacked(cache, libraries);
    Path library = folder.resolve("libone.so");
    Files.writeString(library, "FIRST library"); // as long as the right one
    Files.setLastModifiedTime(library, FileTime.fromMillis(1));
    assertThat(Natives.unpacked(cache, libraries)).isEqualTo(folder);
    assertThat(library).hasContent("first library");
    Files.delete(library);
    Natives.unpacked(cache, libraries);
    assertThat(library).hasContent("first library");
    try (Stream<Path> left = Files.list(cache)) {
      assertThat(left).containsExactly(folder);
    }
  }

  @Test
  void believesCopiedLibrariesByTheirContent() throws IOException {
    Path folder = Natives.unpacked(cache, libraries);
    Path library = folder.resolve("libone.so");
    FileTime copied = FileTime.fromMillis(1_000_000);
    Files.setLastModifiedTime(library, copied);
    Natives.unpacked(cache, libraries);
    assertThat(Files.getLastModifiedTime(library)).isEqualTo(copied);
  }

  @Test
  void anotherBuildHasAnotherFolder() throws IOException {
    Path folder = Natives.unpacked(cache, libraries);
    Files.writeString(temp.resolve("libone.so"), "a newer library");
    assertThat(Natives.unpacked(cache, libraries)).isNotEqualTo(folder);
  }

  @Test
  void knowsThePlatformsThatHaveLibraries() {
    assertThat(platform("Linux", "amd64")).isEqualTo("linux-x64");
    assertThat(platform("Linux", "aarch64")).isEqualTo("linux-aarch64");
    assertThat(platform("Mac OS X", "aarch64")).isEqualTo("osx-aarch64");
    assertThat(platform("Windows 11", "amd64")).isEqualTo("win-x64");
    assertThat(platform("Mac OS X", "x86_64")).isNull();
    assertThat(platform("Windows 11", "aarch64")).isNull();
    assertThat(platform("FreeBSD", "amd64")).isNull();
  }

  private static @Nullable String platform(String os, String arch) {
    return Natives.platform(Platform.of(os, arch, List.of()));
  }

  @Test
  void onMuslItSaysWhichImageToTake() {
    Platform alpine = Platform.of("Linux", "amd64", List.of("0-1 r-xp /lib/ld-musl-x86_64.so.1"));
    Natives.Found found = Natives.prepare(alpine, Map.of());
    assertThat(found.usable()).isFalse();
    assertThat(found.detail())
        .contains("onnxruntime has no native library for linux-musl-x64", "an image with glibc")
        .contains("Or use the engine \"reference\"");
  }

  @Test
  void refusesAVersionThatSendsUsageData() throws IOException {
    Platform here = Platform.of("Linux", "amd64", List.of());
    Path library = temp.resolve(System.mapLibraryName("onnxruntime"));
    Files.writeString(library, "\0ORT_DISABLE_TELEMETRY\0");
    System.setProperty(SET, temp.toString());
    Natives.Found found = Natives.prepare(here, Map.of());
    assertThat(found.usable()).isFalse();
    assertThat(found.detail())
        .startsWith(library.toString())
        .contains("this version of onnxruntime sends usage data by default")
        .contains("ORT_DISABLE_TELEMETRY=1", "use onnxruntime 1.28.0");
    assertThat(Natives.prepare(here, Map.of("ORT_DISABLE_TELEMETRY", "1")).usable()).isTrue();
  }

  @Test
  void namesTheLibrariesToCarry() {
    assertThat(Natives.files(Platform.current(), "1").files().keySet())
        .containsExactlyInAnyOrder(
            System.mapLibraryName("onnxruntime"), System.mapLibraryName("onnxruntime4j_jni"));
    assertThat(Natives.files(Platform.of("FreeBSD", "amd64", List.of()), "1").files()).isEmpty();
  }
}
