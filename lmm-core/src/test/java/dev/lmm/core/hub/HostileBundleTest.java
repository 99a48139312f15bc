package dev.lmm.core.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lmm.CheckpointException;
import dev.lmm.spi.DownloadOptions;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Bundles that somebody made who means no good: each is refused by file and field. */
class HostileBundleTest {
  private static final String TEXT = "weights";
  private static final String HASH =
      HexFormat.of()
          .formatHex(BundledModels.sha256().digest(TEXT.getBytes(StandardCharsets.UTF_8)));
  private static final String GOOD =
      "{\"format\":\"lmm-bundle\",\"version\":1,"
          + "\"models\":[{\"id\":\"a\",\"folder\":\"models/0/\",\"variant\":\"\"}],\"natives\":[],"
          + "\"files\":[{\"name\":\"models/0/config.json\",\"bytes\":7,\"sha256\":\"HASH\"}]}";

  @TempDir Path folder;

  private static Map<String, String> entries(String manifest) {
    Map<String, String> entries = new LinkedHashMap<>();
    entries.put("lmm-bundle.json", manifest.replace("HASH", HASH));
    entries.put("models/0/config.json", TEXT);
    return entries;
  }

  private Path zip(Map<String, String> entries, int method) throws IOException {
    Path file = folder.resolve("x.lmm");
    try (OutputStream out = Files.newOutputStream(file);
        ZipOutputStream zip = new ZipOutputStream(out)) {
      for (Map.Entry<String, String> each : entries.entrySet()) {
        byte[] bytes = each.getValue().getBytes(StandardCharsets.UTF_8);
        ZipEntry entry = new ZipEntry(each.getKey());
        entry.setMethod(method);
        if (method == ZipEntry.STORED) {
          CRC32 crc = new CRC32();
          crc.update(bytes);
          entry.setSize(bytes.length);
          entry.setCompressedSize(bytes.length);
          entry.setCrc(crc.getValue());
        }
        zip.putNextEntry(entry);
        zip.write(bytes);
        zip.closeEntry();
      }
    }
    return file;
  }

  @Test
  void theOneTheOthersAreMadeOfIsSound() throws IOException {
    Path file = zip(entries(GOOD), ZipEntry.STORED);
    assertThat(Bundle.open(file).models()).containsExactly("a");
  }

  static Stream<Arguments> manifests() {
    String name = "\"name\":\"models/0/config.json\"";
    String second = ",{\"name\":\"%s\",\"bytes\":0,\"sha256\":\"HASH\"}]}";
    return Stream.of(
        of(
            "another format",
            "lmm-bundle\",\"v",
            "zip\",\"v",
            "format is \"zip\"; expected lmm-bundle"),
        of("a later version", "\"version\":1", "\"version\":2", "version is 2; this lmm reads ver"),
        of("no version", "\"version\":1,", "", "version"),
        of(
            "no models",
            "{\"id\":\"a\",\"folder\":\"models/0/\",\"variant\":\"\"}",
            "",
            "models has 0"),
        of("an empty id", "\"id\":\"a\"", "\"id\":\"\"", "models[0].id"),
        of(
            "a model elsewhere",
            "\"folder\":\"models/0/\"",
            "\"folder\":\"../\"",
            "models[0].folder"),
        of("a model on high", "\"folder\":\"models/0/\"", "\"folder\":\"/\"", "models[0].folder"),
        of(
            "a model of dots",
            "\"folder\":\"models/0/\"",
            "\"folder\":\"models/../\"",
            "models[0].folder"),
        of("no folder", "\"folder\":\"models/0/\"", "\"folder\":\"models/\"", "models[0].folder"),
        of(
            "a variant with a path",
            "\"variant\":\"\"",
            "\"variant\":\"../x\"",
            "models[0].variant"),
        of("up", name, "\"name\":\"models/0/../../../x\"", "files[0].name"),
        of("absolute", name, "\"name\":\"/etc/passwd\"", "files[0].name"),
        of("a drive", name, "\"name\":\"models/0/C:x\"", "files[0].name"),
        of("backslashes", name, "\"name\":\"models/0/..\\\\x\"", "files[0].name"),
        of("a zero character", name, "\"name\":\"models/0/x\\u0000\"", "files[0].name"),
        of("a device of Windows", name, "\"name\":\"models/0/nul.json\"", "files[0].name"),
        of("a dot at the end", name, "\"name\":\"models/0/x.\"", "files[0].name"),
        of("no model's file", name, "\"name\":\"x.json\"", "files[0].name"),
        of("a negative length", "\"bytes\":7", "\"bytes\":-7", "files[0].bytes"),
        of("a broken length", "\"bytes\":7", "\"bytes\":7.5", "files[0].bytes"),
        of("no length", "\"bytes\":7,", "", "bytes"),
        of("a short hash", "\"HASH\"", "\"abc\"", "files[0].sha256"),
        of("a hash in capitals", "\"HASH\"", "\"" + "A".repeat(64) + "\"", "files[0].sha256"),
        of(
            "a wrong length",
            "\"bytes\":7",
            "\"bytes\":8",
            "config.json has 7 bytes; lmm-bundle.json says bytes: 8"),
        of("a file twice", "]}", second.formatted("models/0/config.json"), "files[1].name"),
        of(
            "a file in two cases",
            "\"}]}",
            "\"}" + second.formatted("models/0/Config.json"),
            "files[1].name"),
        of(
            "a letter composed twice",
            "\"}]}",
            "\"},"
                + "{\"name\":\"models/0/\u00e9\",\"bytes\":0,\"sha256\":\"HASH\"}"
                + second.formatted("models/0/e\u0301"),
            "files[2].name"),
        of(
            "a file that is a folder",
            "\"}]}",
            "\"}" + second.formatted("models/0/config.json/x"),
            "expected a name to be a file or a folder"),
        of(
            "a file that is not there",
            "\"}]}",
            "\"}" + second.formatted("models/0/x"),
            "lacks models/0/x"),
        of(
            "natives elsewhere",
            "\"natives\":[]",
            "\"natives\":[{\"library\":\"o\",\"version\":\"1\",\"platform\":\"p\",\"folder\":\"models/0/\"}]",
            "natives[0].folder"),
        of(
            "natives of a path",
            "\"natives\":[]",
            "\"natives\":[{\"library\":\"../o\",\"version\":\"1\",\"platform\":\"p\",\"folder\":\"natives/o/\"}]",
            "natives[0].library"),
        of("a key twice", "\"version\":1", "\"version\":1,\"version\":1", "is no valid JSON"));
  }

  private static Arguments of(String what, String from, String to, String message) {
    int at = GOOD.lastIndexOf(from);
    assertThat(at).as(from).isNotNegative();
    return Arguments.of(
        what, GOOD.substring(0, at) + to + GOOD.substring(at + from.length()), message);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("manifests")
  void aManifestIsNotTrusted(String what, String manifest, String message) throws IOException {
    refused(zip(entries(manifest), ZipEntry.STORED), message);
  }

  private void refused(Path file, String message) {
    assertThatThrownBy(() -> Bundle.find(file.toString(), DownloadOptions.DEFAULT))
        .isInstanceOf(CheckpointException.class)
        .hasMessageStartingWith(file + ": ")
        .hasMessageContaining(message);
    assertThat(folder.resolve("x.json")).doesNotExist();
  }

  @Test
  void anEntryThatTheManifestDoesNotListIsRefused() throws IOException {
    for (String name : new String[] {"../../x", "/x", "models/0/extra", "lmm-bundle.json/x"}) {
      Map<String, String> entries = entries(GOOD);
      entries.put(name, "");
      refused(
          zip(entries, ZipEntry.STORED),
          "has the entry " + name + ", which lmm-bundle.json does not list");
    }
  }

  @Test
  void zipsThatAreNoBundlesAreRefused() throws IOException {
    refused(zip(Map.of("x", ""), ZipEntry.STORED), "is a zip without lmm-bundle.json");
  }

  /** A bomb is a small file that unpacks to a large one: nothing here is ever inflated. */
  @Test
  void compressedEntriesAreRefused() throws IOException {
    refused(
        zip(entries(GOOD), ZipEntry.DEFLATED), "is compressed (method 8); expected a stored entry");
  }

  @Test
  void aManifestLargerThanAnyIsNotRead() throws IOException {
    Path file = zip(entries(GOOD), ZipEntry.STORED);
    byte[] bytes = Files.readAllBytes(file);
    ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    int directory = buffer.getInt(bytes.length - 6);
    buffer.putInt(directory + 20, 100_000_000).putInt(directory + 24, 100_000_000);
    Files.write(file, bytes);
    refused(file, "lmm-bundle.json has 100000000 bytes; expected at most 33554432");
  }

  /** The other kind of bomb: many entries that share their bytes. */
  @Test
  void entriesThatShareTheirBytesAreRefused() throws IOException {
    Map<String, String> entries =
        entries(
            GOOD.replace(
                "\"}]}",
                "\"},{\"name\":\"models/0/config.jsom\",\"bytes\":7,\"sha256\":\"HASH\"}]}"));
    entries.put("models/0/config.jsom", TEXT);
    Path file = zip(entries, ZipEntry.STORED);
    byte[] bytes = Files.readAllBytes(file);
    ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    int first = buffer.getInt(bytes.length - 6);
    int second = next(buffer, first);
    int third = next(buffer, second);
    int shared = buffer.getInt(second + 42);
    int own = buffer.getInt(third + 42);
    buffer.putInt(third + 42, shared);
    Files.write(file, bytes);
    refused(file, "models/0/config.json and models/0/config.jsom overlap");
    // One that begins within another's bytes.
    buffer.putInt(third + 42, own);
    byte[] header = new byte[30];
    buffer.get(own, header);
    header[26] = 0;
    int inside = buffer.getInt(first + 42) + 60;
    buffer.put(inside, header).putInt(third + 42, inside);
    Files.write(file, bytes);
    assertThatThrownBy(() -> Bundle.open(file))
        .isInstanceOf(CheckpointException.class)
        .hasMessageStartingWith(file + ": ");
  }

  @Test
  void twoEntriesOfOneNameAreRefused() throws IOException {
    Map<String, String> entries = entries(GOOD);
    entries.put("models/0/config.jsom", TEXT);
    Path file = zip(entries, ZipEntry.STORED);
    String text = new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
    Files.write(
        file, text.replace("config.jsom", "config.json").getBytes(StandardCharsets.ISO_8859_1));
    refused(file, "has two entries models/0/config.json");
  }

  private static int next(ByteBuffer buffer, int entry) {
    return entry
        + 46
        + buffer.getShort(entry + 28)
        + buffer.getShort(entry + 30)
        + buffer.getShort(entry + 32);
  }
}
