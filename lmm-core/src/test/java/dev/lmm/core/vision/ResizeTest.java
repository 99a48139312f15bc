package dev.lmm.core.vision;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lmm.Image;
import dev.lmm.InvalidRequestException;
import dev.lmm.core.json.Json;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ResizeTest {
  @Test
  void equalsPillow() {
    Map<String, byte[]> tensors = PictureGoldens.tensors("resize.safetensors");
    Map<String, long[]> shapes = PictureGoldens.shapes("resize.safetensors");
    int cases = 0;
    for (Json golden : PictureGoldens.json("resize.json").at("cases").elements()) {
      String source = "source." + golden.stringAt("source");
      long[] shape = shapes.get(source);
      int width = golden.intAt("width");
      int height = golden.intAt("height");
      ResizeFilter filter = ResizeFilter.valueOf(golden.stringAt("filter"));
      byte[] result =
          Resize.rgb(
              tensors.get(source),
              (int) shape[1],
              (int) shape[0],
              width,
              height,
              filter,
              0,
              0,
              width,
              height);
      String what = source + " to " + width + "x" + height + ", " + filter;
      String whole = golden.stringAt("tensor", "");
      if (!whole.isEmpty()) {
        assertThat(result).as(what).isEqualTo(tensors.get(whole));
      }
      assertThat(PictureGoldens.sha256(result)).as(what).isEqualTo(golden.stringAt("sha256"));
      cases++;
    }
    assertThat(cases).isGreaterThan(200);
  }

  @Test
  void codesAreThoseOfPillow() {
    Json codes = PictureGoldens.json("resize.json").at("codes");
    assertThat(codes.keys()).hasSize(6);
    for (String name : codes.keys()) {
      assertThat(ResizeFilter.ofCode(codes.intAt(name)).name()).isEqualTo(name);
    }
    assertThatThrownBy(() -> ResizeFilter.ofCode(6))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("resample: is 6");
  }

  @ParameterizedTest
  @EnumSource(ResizeFilter.class)
  void aCropIsACutOutOfTheWhole(ResizeFilter filter) {
    Random random = new Random(filter.name().hashCode());
    for (int round = 0; round < 60; round++) {
      int width = 1 + random.nextInt(90);
      int height = 1 + random.nextInt(90);
      int newWidth = random.nextInt(5) == 0 ? width : 1 + random.nextInt(70);
      int newHeight = random.nextInt(5) == 0 ? height : 1 + random.nextInt(70);
      byte[] rgb = new byte[width * height * 3];
      random.nextBytes(rgb);
      byte[] whole =
          Resize.rgb(rgb, width, height, newWidth, newHeight, filter, 0, 0, newWidth, newHeight);
      int left = random.nextInt(newWidth);
      int top = random.nextInt(newHeight);
      int w = 1 + random.nextInt(newWidth - left);
      int h = 1 + random.nextInt(newHeight - top);
      byte[] cut = Resize.rgb(rgb, width, height, newWidth, newHeight, filter, left, top, w, h);
      byte[] expected = new byte[w * h * 3];
      for (int y = 0; y < h; y++) {
        System.arraycopy(whole, ((top + y) * newWidth + left) * 3, expected, y * w * 3, w * 3);
      }
      assertThat(cut)
          .as("%dx%d to %dx%d at %d,%d", width, height, newWidth, newHeight, left, top)
          .isEqualTo(expected);
    }
  }

  @ParameterizedTest
  @EnumSource(ResizeFilter.class)
  void oneColourStaysOneColour(ResizeFilter filter) {
    Random random = new Random(5);
    for (int round = 0; round < 40; round++) {
      int width = 1 + random.nextInt(300);
      int height = 1 + random.nextInt(300);
      byte value = (byte) random.nextInt();
      byte[] plane = new byte[width * height];
      Arrays.fill(plane, value);
      byte[] expected = new byte[(1 + random.nextInt(200)) * 7];
      Arrays.fill(expected, value);
      assertThat(Resize.plane(plane, width, height, expected.length / 7, 7, filter))
          .isEqualTo(expected);
    }
  }

  @ParameterizedTest
  @EnumSource(ResizeFilter.class)
  void threePlanesAreOnePicture(ResizeFilter filter) {
    Random random = new Random(21);
    int width = 61;
    int height = 47;
    byte[] rgb = new byte[width * height * 3];
    random.nextBytes(rgb);
    for (int[] size : new int[][] {{20, 30}, {100, 9}, {61, 12}, {7, 47}, {122, 94}}) {
      byte[] whole =
          Resize.rgb(rgb, width, height, size[0], size[1], filter, 0, 0, size[0], size[1]);
      for (int c = 0; c < 3; c++) {
        byte[] plane = new byte[width * height];
        for (int i = 0; i < plane.length; i++) {
          plane[i] = rgb[i * 3 + c];
        }
        byte[] expected = new byte[size[0] * size[1]];
        for (int i = 0; i < expected.length; i++) {
          expected[i] = whole[i * 3 + c];
        }
        assertThat(Resize.plane(plane, width, height, size[0], size[1], filter))
            .isEqualTo(expected);
      }
    }
  }

  /** Without rounding in between, floats stay within a level and a half of bytes. */
  @Test
  void floatsFollowTheSameFilter() {
    Random random = new Random(3);
    byte[] plane = new byte[50 * 40];
    float[] floats = new float[plane.length];
    for (int i = 0; i < plane.length; i++) {
      // Away from both ends, so that no overshoot is cut.
      int v = 90 + random.nextInt(60);
      plane[i] = (byte) v;
      floats[i] = v;
    }
    for (ResizeFilter filter : ResizeFilter.values()) {
      byte[] bytes = Resize.plane(plane, 50, 40, 33, 61, filter);
      float[] result = Resize.plane(floats, 50, 40, 33, 61, filter);
      for (int i = 0; i < bytes.length; i++) {
        assertThat(Math.abs(result[i] - (bytes[i] & 0xFF))).isLessThan(1.5f);
      }
    }
  }

  @Test
  void extremeShapes() {
    Image pixel = Image.ofRgb(1, 1, new byte[] {1, 2, 3});
    byte[] many = Resize.resize(pixel, 300, 2, ResizeFilter.BICUBIC).rgb();
    for (int i = 0; i < many.length; i++) {
      assertThat(many[i]).isEqualTo((byte) (1 + i % 3));
    }
    byte[] line = new byte[60_000 * 3];
    new Random(1).nextBytes(line);
    assertThat(Resize.resize(Image.ofRgb(60_000, 1, line), 224, 224, ResizeFilter.LANCZOS).rgb())
        .hasSize(224 * 224 * 3);
    assertThat(Resize.resize(Image.ofRgb(1, 60_000, line), 224, 224, ResizeFilter.LANCZOS).rgb())
        .hasSize(224 * 224 * 3);
  }

  @Test
  void sizesAreChecked() {
    byte[] rgb = new byte[12];
    assertThatThrownBy(() -> Resize.rgb(rgb, 2, 3, 4, 4, ResizeFilter.BOX, 0, 0, 4, 4))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("12 values; expected 2x3");
    assertThatThrownBy(() -> Resize.rgb(rgb, 2, 2, 4, 4, ResizeFilter.BOX, 1, 0, 4, 4))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("crop: is 4x4 at 1,0");
    assertThatThrownBy(() -> Resize.rgb(rgb, 2, 2, 0, 4, ResizeFilter.BOX, 0, 0, 1, 1))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("size: is 0x4");
  }
}
