package dev.lmm.core.vision;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lmm.Image;
import dev.lmm.ImageException;
import dev.lmm.core.json.Json;
import java.io.ByteArrayInputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class PictureDecoderTest {
  /** What Pillow reads, and what is said here instead. */
  private static final Map<String, String> NOT_SUPPORTED =
      Map.of(
          "files/rgba.avif", "AVIF",
          "made/tiff-grey-12-bit.tiff", "1 samples of 12 bits",
          "made/tiff-lab.tiff", "CIE Lab",
          "made/tiff-zstd.tiff", "Unsupported compression type (tag value = 50000)");

  /** What Pillow does not know by its first bytes, and the same picture in a form that it knows. */
  private static final Map<String, String> READ_HERE =
      Map.of("made/tiff-big-tiles-big-endian.tiff", "made/tiff-tiles.tiff");

  /** The JDK rounds the colours otherwise: by a level, here and there. */
  private static final Set<String> NEARLY = Set.of("made/tiff-ycbcr.tiff");

  private static final Json FILES = PictureGoldens.json("rgb.json").at("files");
  private static final Map<String, byte[]> WHOLE = PictureGoldens.tensors("rgb.safetensors");

  private final PictureDecoder decoder = new PictureDecoder();

  static Set<String> files() {
    return new TreeSet<>(FILES.keys());
  }

  @ParameterizedTest
  @MethodSource("files")
  void equalsPillow(String name) {
    Json golden = FILES.at(name);
    Path file = PictureGoldens.FOLDER.resolve(name);
    if (NOT_SUPPORTED.containsKey(name)) {
      assertThatThrownBy(() -> decoder.decode(file))
          .isInstanceOf(ImageException.class)
          .hasMessageContaining(NOT_SUPPORTED.get(name));
      assertThat(golden.has("refused")).isFalse();
      return;
    }
    if (READ_HERE.containsKey(name)) {
      assertThat(golden.has("refused")).isTrue();
      assertThat(decoder.decode(file).rgb())
          .isEqualTo(decoder.decode(PictureGoldens.FOLDER.resolve(READ_HERE.get(name))).rgb());
      return;
    }
    if (golden.has("refused")) {
      assertThatThrownBy(() -> decoder.decode(file))
          .as(golden.stringAt("reason"))
          .isInstanceOf(ImageException.class)
          .hasMessageContaining(file.toString());
      return;
    }
    Image image = decoder.decode(file);
    assertThat(image.width()).isEqualTo(golden.intAt("width"));
    assertThat(image.height()).isEqualTo(golden.intAt("height"));
    byte[] whole = WHOLE.get(name);
    if (NEARLY.contains(name)) {
      int sum = 0;
      for (int i = 0; i < whole.length; i++) {
        int difference = Math.abs((whole[i] & 0xFF) - (image.rgb()[i] & 0xFF));
        assertThat(difference).isLessThanOrEqualTo(1);
        sum += difference;
      }
      assertThat(sum).isLessThan(whole.length / 20);
      return;
    }
    if (whole != null) {
      assertThat(image.rgb()).isEqualTo(whole);
    }
    assertThat(PictureGoldens.sha256(image.rgb())).isEqualTo(golden.stringAt("sha256"));
  }

  @Test
  void everyInputGivesTheSamePicture() throws Exception {
    Path file = PictureGoldens.FOLDER.resolve("made/png-rgb.png");
    byte[] bytes = Files.readAllBytes(file);
    Image expected = Image.read(file);
    assertThat(expected.source()).isEqualTo(file.toString());
    assertThat(Image.read(bytes).rgb()).isEqualTo(expected.rgb());
    assertThat(Image.read(new ByteArrayInputStream(bytes)).rgb()).isEqualTo(expected.rgb());
    ByteBuffer direct = ByteBuffer.allocateDirect(bytes.length + 2).put((byte) 7).put(bytes).flip();
    direct.position(1);
    assertThat(decoder.decode(direct, "buffer").rgb()).isEqualTo(expected.rgb());
    assertThat(direct.position()).isEqualTo(1);
  }

  @Test
  void saysWhatIsWrongWithAFile(@TempDir Path folder) throws Exception {
    assertThatThrownBy(() -> decoder.decode(folder.resolve("none.jpg")))
        .isInstanceOf(ImageException.class)
        .hasMessageContaining("none.jpg: there is no such file");
    assertThatThrownBy(() -> decoder.decode(folder))
        .isInstanceOf(ImageException.class)
        .hasMessageContaining("is a folder");
    assertThatThrownBy(() -> decoder.decode(new byte[0], "x"))
        .isInstanceOf(ImageException.class)
        .hasMessage("x: the file is empty; expected JPEG, PNG, GIF, BMP, WebP or TIFF");
    assertThatThrownBy(() -> decoder.decode("hello".getBytes(StandardCharsets.UTF_8), "x"))
        .isInstanceOf(ImageException.class)
        .hasMessageContaining("it begins with 68 65 6c 6c 6f");
    byte[] heic = "\0\0\0\u0018ftypheic\0\0\0\0mif1heic".getBytes(StandardCharsets.ISO_8859_1);
    assertThatThrownBy(() -> decoder.decode(heic, "x"))
        .isInstanceOf(ImageException.class)
        .hasMessageContaining("HEIC")
        .hasMessageContaining("convert it to JPEG or PNG");
  }

  @Test
  void limitsAreCheckedAgainstTheHeader() {
    byte[] png = PictureGoldens.bytes(PictureGoldens.FOLDER.resolve("made/png-rgb.png"));
    DecodeLimits limits = DecodeLimits.standard();
    assertThatThrownBy(() -> new PictureDecoder(limits.withMaxPixels(1199)).decode(png, "x"))
        .isInstanceOf(ImageException.class)
        .hasMessage("x: the size is 40x30, 1200 pixels; the limit is 1199");
    assertThat(new PictureDecoder(limits.withMaxPixels(1200)).decode(png, "x").width())
        .isEqualTo(40);
    assertThatThrownBy(() -> new PictureDecoder(limits.withMaxSide(39)).decode(png, "x"))
        .isInstanceOf(ImageException.class)
        .hasMessageContaining("39 pixels a side");
    assertThatThrownBy(() -> new PictureDecoder(limits.withMaxBytes(10)).decode(png, "x"))
        .isInstanceOf(ImageException.class)
        .hasMessageContaining("the limit is 10");
    byte[] progressive =
        PictureGoldens.bytes(PictureGoldens.FOLDER.resolve("made/jpeg-420-progressive.jpg"));
    assertThatThrownBy(() -> new PictureDecoder(limits.withMaxScans(3)).decode(progressive, "x"))
        .isInstanceOf(ImageException.class)
        .hasMessageContaining("scans; the limit is 3");
    // Far more pixels than the file has bits: refused before memory is taken for them.
    byte[] bomb = png.clone();
    bomb[18] = 0x30;
    bomb[22] = 0x30;
    assertThatThrownBy(() -> decoder.decode(bomb, "x")).isInstanceOf(ImageException.class);
  }

  @Test
  void limitsOfNotesAreCheckedAsTheyUnpack() {
    DecodeLimits limits = DecodeLimits.standard();
    byte[] full = made("png-text-at-limit.png");
    byte[] over = made("bad-png-text-over-limit.png");
    byte[] many = made("bad-png-texts-over-limit.png");
    assertThatThrownBy(() -> decoder.decode(over, "x"))
        .isInstanceOf(ImageException.class)
        .hasMessage("x: a chunk of the PNG (zTXt) unpacks to more than 1048576 bytes, the limit");
    assertThat(new PictureDecoder(limits.withMaxChunkBytes((1 << 20) + 1)).decode(over, "x").rgb())
        .isEqualTo(decoder.decode(full, "x").rgb());
    assertThatThrownBy(() -> new PictureDecoder(limits.withMaxChunkBytes(1000)).decode(full, "x"))
        .isInstanceOf(ImageException.class)
        .hasMessageContaining("unpacks to more than 1000 bytes");
    assertThatThrownBy(() -> decoder.decode(many, "x"))
        .isInstanceOf(ImageException.class)
        .hasMessage("x: the texts of the PNG have 67108865 bytes or more; the limit is 67108864");
    assertThat(new PictureDecoder(limits.withMaxTextBytes((64 << 20) + 1)).decode(many, "x").rgb())
        .isEqualTo(decoder.decode(full, "x").rgb());
    assertThatThrownBy(
            () -> new PictureDecoder(limits.withMaxTextBytes((1 << 20) - 1)).decode(full, "x"))
        .isInstanceOf(ImageException.class)
        .hasMessageContaining("the limit is 1048575");
    // Pillow, too, takes what there is of a partial picture.
    assertThat(decoder.partial().decode(over, "x").rgb())
        .isEqualTo(decoder.decode(full, "x").rgb());
  }

  private static byte[] made(String name) {
    return PictureGoldens.bytes(PictureGoldens.FOLDER.resolve("made").resolve(name));
  }

  /** Less than two hundred bytes that ask for hundreds of megabytes. */
  @ParameterizedTest
  @ValueSource(ints = {1, 5, 8, 32773})
  void aTinyTiffGetsNoGiantPicture(int compression) {
    byte[] tiff = tiff(compression, 13_000, 13_000);
    assertThatThrownBy(() -> decoder.decode(tiff, "x.tif"))
        .isInstanceOf(ImageException.class)
        .hasMessageContaining("x.tif")
        .hasMessageContaining("ends");
  }

  private static byte[] tiff(int compression, int width, int height) {
    int[][] tags = {
      {256, width},
      {257, height},
      {258, 8},
      {259, compression},
      {262, 1},
      {273, 8},
      {277, 1},
      {278, height},
      {279, 100}
    };
    ByteBuffer file = ByteBuffer.allocate(180).order(ByteOrder.LITTLE_ENDIAN);
    file.put("II*\0".getBytes(StandardCharsets.ISO_8859_1)).putInt(8);
    file.putShort((short) tags.length);
    for (int[] tag : tags) {
      file.putShort((short) tag[0]).putShort((short) 4).putInt(1).putInt(tag[1]);
    }
    return file.array();
  }

  @Test
  void leavesTheRuntimeAlone() {
    boolean cache = ImageIO.getUseCache();
    decoder.decode(PictureGoldens.FOLDER.resolve("made/jpeg-420.jpg"));
    decoder.decode(PictureGoldens.FOLDER.resolve("made/tiff.tiff"));
    assertThat(ImageIO.getUseCache()).isEqualTo(cache);
  }
}
