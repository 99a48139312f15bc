package dev.lmm.core.vision;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lmm.Image;
import dev.lmm.ImageException;
import dev.lmm.InvalidRequestException;
import dev.lmm.core.json.Json;
import java.awt.Transparency;
import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ComponentColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.WritableRaster;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Pictures that come from a program, not from a file; and files that are not whole. */
class ImageInputsTest {
  /** Every level with every alpha, as reference/picture_goldens.py makes them. */
  private static byte[] everyLevelAndAlpha() {
    byte[] rgba = new byte[256 * 256 * 4];
    for (int i = 0, out = 0; i < 256 * 256; i++) {
      int level = i >> 8;
      rgba[out++] = (byte) level;
      rgba[out++] = (byte) (255 - level);
      rgba[out++] = (byte) level;
      rgba[out++] = (byte) i;
    }
    return rgba;
  }

  @Test
  void alphaOverAColourEqualsPillow() {
    List<Json> cases = PictureGoldens.json("composite.json").at("cases").elements();
    assertThat(cases).hasSize(3);
    for (Json each : cases) {
      int[] c = each.at("background").ints();
      int colour = c[0] << 16 | c[1] << 8 | c[2];
      Image raw = Image.ofRgba(256, 256, everyLevelAndAlpha(), colour);
      assertThat(PictureGoldens.sha256(raw.rgb())).isEqualTo(each.stringAt("sha256"));
      BufferedImage argb = new BufferedImage(256, 256, BufferedImage.TYPE_INT_ARGB);
      byte[] rgba = everyLevelAndAlpha();
      for (int i = 0; i < 256 * 256; i++) {
        int pixel = (rgba[4 * i + 3] & 0xFF) << 24;
        for (int channel = 0; channel < 3; channel++) {
          pixel |= (rgba[4 * i + channel] & 0xFF) << (16 - 8 * channel);
        }
        argb.setRGB(i % 256, i / 256, pixel);
      }
      assertThat(Image.of(argb, colour).rgb()).isEqualTo(raw.rgb());
    }
  }

  @Test
  void alphaIsDroppedUnlessAColourIsGiven() {
    byte[] rgba = {10, 20, 30, 0, 40, 50, 60, (byte) 128};
    assertThat(Image.ofRgba(2, 1, rgba).rgb()).containsExactly(10, 20, 30, 40, 50, 60);
    BufferedImage argb = new BufferedImage(1, 1, BufferedImage.TYPE_INT_ARGB);
    argb.setRGB(0, 0, 0x000A141E);
    assertThat(Image.of(argb).rgb()).containsExactly(10, 20, 30);
    assertThat(Image.of(argb, 0xFFFFFF).rgb()).containsOnly(255);
  }

  @ParameterizedTest
  @ValueSource(
      ints = {
        BufferedImage.TYPE_INT_RGB,
        BufferedImage.TYPE_INT_ARGB,
        BufferedImage.TYPE_INT_ARGB_PRE,
        BufferedImage.TYPE_INT_BGR,
        BufferedImage.TYPE_3BYTE_BGR,
        BufferedImage.TYPE_4BYTE_ABGR,
        BufferedImage.TYPE_4BYTE_ABGR_PRE
      })
  void everyTypeGivesItsPixels(int type) {
    Random random = new Random(type);
    BufferedImage image = new BufferedImage(13, 7, type);
    byte[] expected = new byte[13 * 7 * 3];
    random.nextBytes(expected);
    for (int i = 0; i < 13 * 7; i++) {
      int pixel = 0xFF;
      for (int channel = 0; channel < 3; channel++) {
        pixel = pixel << 8 | (expected[3 * i + channel] & 0xFF);
      }
      image.setRGB(i % 13, i / 13, pixel);
    }
    Image read = Image.of(image);
    assertThat(read.width()).isEqualTo(13);
    assertThat(read.height()).isEqualTo(7);
    assertThat(read.rgb()).isEqualTo(expected);
    // A window of a larger picture shares its pixels.
    byte[] window = Image.of(image.getSubimage(2, 3, 5, 2)).rgb();
    assertThat(Arrays.copyOf(window, 15))
        .isEqualTo(Arrays.copyOfRange(expected, (3 * 13 + 2) * 3, (3 * 13 + 7) * 3));
    assertThat(Image.of(read.toBufferedImage()).rgb()).isEqualTo(expected);
  }

  /** AWT takes grey for linear light and would make 187 of 128. */
  @Test
  void levelsOfGreyStayAsTheyAre() {
    BufferedImage grey = new BufferedImage(256, 1, BufferedImage.TYPE_BYTE_GRAY);
    BufferedImage wide = new BufferedImage(256, 1, BufferedImage.TYPE_USHORT_GRAY);
    byte[] levels = new byte[256];
    for (int i = 0; i < 256; i++) {
      levels[i] = (byte) i;
      grey.getRaster().setSample(i, 0, 0, i);
      wide.getRaster().setSample(i, 0, 0, i << 8 | 0x80);
    }
    Image expected = Image.ofGrey(256, 1, levels);
    assertThat(expected.rgb()[3 * 128]).isEqualTo((byte) 128);
    assertThat(Image.of(grey).rgb()).isEqualTo(expected.rgb());
    assertThat(Image.of(wide).rgb()).isEqualTo(expected.rgb());
    assertThat(grey.getRGB(128, 0) & 0xFF).as("what AWT makes of it").isNotEqualTo(128);
    ComponentColorModel model =
        new ComponentColorModel(
            ColorSpace.getInstance(ColorSpace.CS_GRAY),
            true,
            false,
            Transparency.TRANSLUCENT,
            DataBuffer.TYPE_BYTE);
    WritableRaster raster = model.createCompatibleWritableRaster(2, 1);
    raster.setPixel(0, 0, new int[] {128, 255});
    raster.setPixel(1, 0, new int[] {200, 0});
    BufferedImage alpha = new BufferedImage(model, raster, false, null);
    assertThat(Image.of(alpha).rgb()).containsExactly(128, 128, 128, 200, 200, 200);
    assertThat(Image.of(alpha, 0).rgb()).containsExactly(128, 128, 128, 0, 0, 0);
  }

  @Test
  void palettesAndBitsAreLookedUp() {
    BufferedImage bits = new BufferedImage(2, 1, BufferedImage.TYPE_BYTE_BINARY);
    bits.setRGB(1, 0, 0xFFFFFFFF);
    assertThat(Image.of(bits).rgb()).containsExactly(0, 0, 0, 255, 255, 255);
    BufferedImage palette = new BufferedImage(1, 1, BufferedImage.TYPE_BYTE_INDEXED);
    palette.setRGB(0, 0, 0xFFFF0000);
    assertThat(Image.of(palette).rgb()).containsExactly(255, 0, 0);
  }

  @Test
  void sizesAndColoursThatDoNotFitAreRefused() {
    assertThatThrownBy(() -> Image.ofRgba(2, 2, new byte[12]))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessage(
            "rgba: 12 bytes do not make a picture of 2x2; expected width and height of at least 1"
                + " and width*height*4 bytes");
    assertThatThrownBy(() -> Image.ofGrey(0, 2, new byte[0]))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("grey: 0 bytes")
        .hasMessageContaining("and width*height bytes");
    assertThatThrownBy(() -> Image.ofRgba(-2, -2, new byte[16]))
        .isInstanceOf(InvalidRequestException.class);
    for (int colour : new int[] {-1, 0x1000000}) {
      assertThatThrownBy(() -> Image.ofRgba(1, 1, new byte[4], colour))
          .isInstanceOf(InvalidRequestException.class)
          .hasMessageContaining("background: is")
          .hasMessageContaining("expected 0xRRGGBB");
    }
  }

  /** On request, a file that ends too early is given as far as it goes: PNG as Pillow gives it. */
  @Test
  void cutFilesAreGivenInPartOnRequest() {
    Json golden = PictureGoldens.json("partial.json");
    PictureDecoder decoder = new PictureDecoder().partial();
    int pngs = 0;
    for (String name : golden.at("png").keys()) {
      List<Json> tenths = golden.at("png").at(name).elements();
      for (int i = 0; i < tenths.size(); i++) {
        if (!tenths.get(i).string().isEmpty()) {
          byte[] found = decoder.decode(cut(name, i + 1), name).rgb();
          assertThat(PictureGoldens.sha256(found))
              .as("%s, tenth %d", name, i + 1)
              .isEqualTo(tenths.get(i).string());
          pngs++;
        }
      }
    }
    int jpegs = 0;
    for (String name : golden.at("jpeg").keys()) {
      Image whole = decoder.decode(cut(name, 10), name);
      int[] rows = golden.at("jpeg").at(name).ints();
      for (int i = 0; i < rows.length; i++) {
        if (rows[i] > 0) {
          // As many rows as Pillow has of the whole picture, or more.
          int bytes = rows[i] * whole.width() * 3;
          byte[] found = decoder.decode(cut(name, i + 1), name).rgb();
          assertThat(Arrays.copyOf(found, bytes))
              .as("%s, tenth %d", name, i + 1)
              .isEqualTo(Arrays.copyOf(whole.rgb(), bytes));
          assertThat(found).hasSameSizeAs(whole.rgb());
          jpegs++;
        }
      }
    }
    assertThat(pngs).isGreaterThan(100);
    assertThat(jpegs).isGreaterThan(20);
    assertThatThrownBy(() -> decoder.decode(cut("jpeg-444.jpg", 1), "x"))
        .isInstanceOf(ImageException.class);
    assertThatThrownBy(() -> decoder.decode(cut("bmp-grey.bmp", 5), "x"))
        .isInstanceOf(ImageException.class);
  }

  private static byte[] cut(String name, int tenth) {
    byte[] whole = PictureGoldens.bytes(PictureGoldens.FOLDER.resolve("made").resolve(name));
    return Arrays.copyOf(whole, whole.length * tenth / 10);
  }

  /** First frames that are whole in a file that is not: Pillow wants to see the next one. */
  private static final List<String> ANIMATED = List.of("gif-animated.gif", "webp-animated.webp");

  /** Each file of ours, cut at each tenth: refused where Pillow refuses, else equal. */
  @Test
  void cutFilesAreRefusedAsPillowRefuses() {
    Json cuts = PictureGoldens.json("cuts.json").at("files");
    PictureDecoder decoder = new PictureDecoder();
    int refused = 0;
    for (String name : cuts.keys()) {
      byte[] whole = PictureGoldens.bytes(PictureGoldens.FOLDER.resolve("made").resolve(name));
      List<Json> tenths = cuts.at(name).elements();
      for (int i = 0; i < tenths.size(); i++) {
        byte[] cut = Arrays.copyOf(whole, whole.length * (i + 1) / 10);
        String place = name + ", tenth " + (i + 1);
        if (!tenths.get(i).string().isEmpty()) {
          assertThat(PictureGoldens.sha256(decoder.decode(cut, place).rgb()))
              .as(place)
              .isEqualTo(tenths.get(i).string());
        } else if (ANIMATED.contains(name) && i >= 4) {
          assertThat(decoder.decode(cut, place).rgb())
              .as(place)
              .isEqualTo(decoder.decode(whole, name).rgb());
        } else {
          assertThatThrownBy(() -> decoder.decode(cut, place))
              .as(place)
              .isInstanceOf(ImageException.class)
              .hasMessageStartingWith(place + ": ");
          refused++;
        }
      }
    }
    assertThat(refused).isGreaterThan(400);
  }
}
