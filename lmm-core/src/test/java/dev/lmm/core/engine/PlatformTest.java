package dev.lmm.core.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PlatformTest {
  private static final List<String> MUSL =
      List.of("7f00-7f01 r-xp 00000000 08:01 42                         /lib/ld-musl-x86_64.so.1");
  private static final List<String> GLIBC =
      List.of("7f00-7f01 r-xp 00000000 08:01 42     /usr/lib/x86_64-linux-gnu/libc.so.6");

  @ParameterizedTest
  @CsvSource({
    "Linux,amd64,linux-x64",
    "Linux,aarch64,linux-arm64",
    "Mac OS X,aarch64,osx-arm64",
    "Windows 11,amd64,windows-x64"
  })
  void knowsThePlatformsThatHaveNatives(String os, String arch, String label) {
    Platform platform = Platform.of(os, arch, GLIBC);
    assertThat(platform.label()).isEqualTo(label);
    assertThat(platform.supported()).isTrue();
    assertThat(platform.cure()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "Linux,x86,linux-x86,install a JDK of 64 bits",
    "Windows 10,x86,windows-x86,install a JDK of 64 bits",
    "Linux,arm,linux-arm,install a JDK of 64 bits",
    "Mac OS X,x86_64,osx-x64,there are no native libraries for Macs with Intel processors; on a Mac with Apple silicon this Java was made for Intel: install a"
        + " JDK for aarch64",
    "Windows 11,aarch64,windows-arm64,there are no native libraries for Windows on arm64: install a"
        + " JDK for x64",
    "FreeBSD,amd64,freebsd-x64,there are native libraries for Linux",
    "Linux,riscv64,linux-riscv64,there are native libraries for Linux"
  })
  void saysWhatToDoOnTheOthers(String os, String arch, String label, String cure) {
    Platform platform = Platform.of(os, arch, GLIBC);
    assertThat(platform.label()).isEqualTo(label);
    assertThat(platform.supported()).isFalse();
    assertThat(platform.cure()).contains(cure);
  }

  @Test
  void knowsMuslByWhatJavaItselfHasMapped() {
    Platform alpine = Platform.of("Linux", "amd64", MUSL);
    assertThat(alpine.label()).isEqualTo("linux-musl-x64");
    assertThat(alpine.supported()).isFalse();
    assertThat(alpine.cure())
        .contains("this Java runs on musl", "take an image with glibc", "eclipse-temurin:17-jre");
    assertThat(Platform.of("Mac OS X", "aarch64", MUSL).musl()).isFalse();
  }

  @Test
  void thisMachineHasNatives() {
    assertThat(Platform.current().supported()).isTrue();
  }
}
