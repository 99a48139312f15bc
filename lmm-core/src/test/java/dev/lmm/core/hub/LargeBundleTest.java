package dev.lmm.core.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lmm.CheckpointException;
import dev.lmm.core.hub.BundleManifest.PackedFile;
import dev.lmm.core.hub.BundleManifest.PackedModel;
import dev.lmm.spi.DownloadOptions;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A bundle with weights of more than 4 GB and files behind them, whose lengths and places stand in
 * the 64-bit fields. The weights are a hole in the file: they take no room, and nobody reads them.
 */
class LargeBundleTest {
  private static final long WEIGHTS = (1L << 32) + 12_345;
  private static final int NOT_HERE = 0xffffffff;
  private static final byte[] CONFIG = "{\"small\": true}".getBytes(StandardCharsets.UTF_8);

  @TempDir Path folder;
  private String before = "";

  @BeforeEach
  void useACacheOfItsOwn() {
    before = System.getProperty("lmm.cache", "");
    System.setProperty("lmm.cache", folder.resolve("cache").toString());
  }

  @AfterEach
  void useTheFormerCache() {
    if (before.isEmpty()) {
      System.clearProperty("lmm.cache");
    } else {
      System.setProperty("lmm.cache", before);
    }
  }

  @Test
  void filesBehindFourGigabytesAreFoundAndUnpacked() throws IOException {
    Path file = write(WEIGHTS);
    try (ZipFile other = new ZipFile(file.toFile())) { // Java's own reader agrees
      assertThat(other.getEntry("models/0/model.safetensors").getSize()).isEqualTo(WEIGHTS);
      assertThat(other.getInputStream(other.getEntry("models/1/config.json")).readAllBytes())
          .isEqualTo(CONFIG);
    }
    assertThat(Bundle.open(file).models()).containsExactly("large", "small");
    Bundle.Unpacked small = Bundle.find(file + "#small", DownloadOptions.DEFAULT);
    assertThat(small).isNotNull();
    assertThat(small.folder().resolve("config.json")).hasBinaryContent(CONFIG);
  }

  @Test
  void aLengthThatTheManifestDoesNotHaveIsRefused() throws IOException {
    // Cut to 32 bits both would be the same.
    Path file = write(WEIGHTS - (1L << 32));
    assertThatThrownBy(() -> Bundle.open(file))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("models/0/model.safetensors has " + WEIGHTS + " bytes")
        .hasMessageContaining("says bytes: " + (WEIGHTS - (1L << 32)));
  }

  private Path write(long told) throws IOException {
    TreeMap<String, PackedFile> files = new TreeMap<>();
    files.put("models/0/model.safetensors", new PackedFile(told, "0".repeat(64)));
    files.put(
        "models/1/config.json",
        new PackedFile(
            CONFIG.length, HexFormat.of().formatHex(BundledModels.sha256().digest(CONFIG))));
    List<PackedModel> models =
        List.of(
            new PackedModel("large", "models/0/", ""), new PackedModel("small", "models/1/", ""));
    byte[] manifest = new BundleManifest(models, List.of(), files).toBytes();
    Path file = folder.resolve("large.lmm");
    try (FileChannel out =
        FileChannel.open(
            file,
            Set.of(
                StandardOpenOption.CREATE_NEW,
                StandardOpenOption.WRITE,
                StandardOpenOption.SPARSE))) {
      ByteBuffer directory = buffer(4096);
      entry(out, directory, BundleManifest.NAME, manifest.length);
      out.write(ByteBuffer.wrap(manifest));
      entry(out, directory, "models/0/model.safetensors", WEIGHTS);
      out.position(out.position() + WEIGHTS);
      entry(out, directory, "models/1/config.json", CONFIG.length);
      out.write(ByteBuffer.wrap(CONFIG));
      long begin = out.position();
      int length = directory.position();
      out.write(directory.flip());
      long end = out.position();
      ByteBuffer tail = buffer(56 + 20 + 22);
      tail.putInt(0x06064b50).putLong(44).putShort((short) 45).putShort((short) 45);
      tail.putInt(0).putInt(0).putLong(3).putLong(3).putLong(length).putLong(begin);
      tail.putInt(0x07064b50).putInt(0).putLong(end).putInt(1);
      tail.putInt(0x06054b50).putShort((short) 0).putShort((short) 0);
      tail.putShort((short) 3).putShort((short) 3).putInt(length).putInt(NOT_HERE);
      tail.putShort((short) 0);
      out.write(tail.flip());
    }
    assertThat(Files.size(file)).isGreaterThan(WEIGHTS);
    return file;
  }

  /** A header here, and what the directory says of it; lengths and places as 64 bits. */
  private static void entry(FileChannel out, ByteBuffer directory, String name, long length)
      throws IOException {
    long header = out.position();
    byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
    ByteBuffer local = buffer(30 + bytes.length + 20);
    local.putInt(0x04034b50).putShort((short) 45).putLong(0).putInt(0); // stored; no check sum
    local.putInt(NOT_HERE).putInt(NOT_HERE).putShort((short) bytes.length).putShort((short) 20);
    local.put(bytes).putShort((short) 1).putShort((short) 16).putLong(length).putLong(length);
    out.write(local.flip());
    directory.putInt(0x02014b50).putShort((short) 45).putShort((short) 45).putLong(0).putInt(0);
    directory.putInt(NOT_HERE).putInt(NOT_HERE);
    directory.putShort((short) bytes.length).putShort((short) 28).putShort((short) 0);
    directory.putShort((short) 0).putShort((short) 0).putInt(0).putInt(NOT_HERE).put(bytes);
    directory.putShort((short) 1).putShort((short) 24);
    directory.putLong(length).putLong(length).putLong(header);
  }

  private static ByteBuffer buffer(int length) {
    return ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
  }
}
