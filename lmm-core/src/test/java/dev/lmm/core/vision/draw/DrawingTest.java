package dev.lmm.core.vision.draw;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.lmm.Image;
import dev.lmm.ImageException;
import dev.lmm.InvalidRequestException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DrawingTest {
  private static final int RED = 0xFF0000;

  @TempDir Path folder;

  private static Image grey(int width, int height) {
    byte[] rgb = new byte[width * height * 3];
    Arrays.fill(rgb, (byte) 100);
    return Image.ofRgb(width, height, rgb);
  }

  private static int pixel(Image image, int x, int y) {
    int i = (y * image.width() + x) * 3;
    byte[] rgb = image.rgb();
    return (rgb[i] & 0xFF) << 16 | (rgb[i + 1] & 0xFF) << 8 | (rgb[i + 2] & 0xFF);
  }

  private static int count(Image image, int rgb) {
    int count = 0;
    for (int y = 0; y < image.height(); y++) {
      for (int x = 0; x < image.width(); x++) {
        count += pixel(image, x, y) == rgb ? 1 : 0;
      }
    }
    return count;
  }

  /** Pixels that drawing has changed. */
  private static int touched(Image image) {
    return image.width() * image.height() - count(image, 0x646464);
  }

  /** Pixels of letters, which are whiter than the ground of their label. */
  private static int letters(Image image) {
    int count = 0;
    for (int y = 0; y < image.height(); y++) {
      for (int x = 0; x < image.width(); x++) {
        int pixel = pixel(image, x, y);
        count += pixel >> 16 == 0xFF && (pixel & 0xFF) > 120 ? 1 : 0;
      }
    }
    return count;
  }

  @Test
  void boxesStandOnTheirPixels() {
    Image before = grey(400, 300);
    Image after = before.draw().colour(RED).box(100, 80, 300, 200, "").image();
    assertThat(pixel(after, 200, 80)).isEqualTo(RED);
    assertThat(pixel(after, 200, 199)).isNotEqualTo(0x646464);
    assertThat(pixel(after, 100, 140)).isEqualTo(RED);
    assertThat(pixel(after, 200, 140)).isEqualTo(0x646464);
    assertThat(pixel(after, 90, 70)).isEqualTo(0x646464);
    assertThat(count(before, 0x646464)).as("the picture itself stays").isEqualTo(400 * 300);
  }

  /** Wherever the corner lies, the whole label is there: as many pixels as in the middle. */
  @ParameterizedTest
  @CsvSource({"-50,-50", "0,0", "395,0", "0,295", "395,295", "5000,5000"})
  void labelsStayInside(double x, double y) {
    String label = "고양이 cat";
    int middle = letters(dot(200, 150, label));
    assertThat(middle).isGreaterThan(60);
    assertThat(letters(dot(x, y, label))).isCloseTo(middle, within(middle / 5));
  }

  private static Image dot(double x, double y, String label) {
    return grey(400, 300).draw().colour(RED).box(x, y, x, y, label).image();
  }

  @Test
  void everyHangulSyllableAndLatinLetterIsInTheFont() {
    StringBuilder text = new StringBuilder("Grüße, Ærøskøbing: \"100 %\" … 「」");
    text.setLength(text.indexOf("「"));
    for (char c = 0xAC00; c <= 0xD7A3; c++) {
      text.append(c);
    }
    assertThat(LabelFont.of(text.toString(), 12).getFamily()).isEqualTo("LMM Labels");
    assertThat(LabelFont.of("漢", 12).getFamily()).isNotEqualTo("LMM Labels");
  }

  @Test
  void differentSyllablesLookDifferent() {
    Image a = grey(200, 100).draw().colour(RED).box(20, 60, 20, 60, "가").image();
    Image b = grey(200, 100).draw().colour(RED).box(20, 60, 20, 60, "힣").image();
    assertThat(a.rgb()).isNotEqualTo(b.rgb());
  }

  @ParameterizedTest
  @CsvSource({"1,1", "3,200", "200,3", "64,64", "3000,2000"})
  void anySizeTakesAnything(int width, int height) {
    Image drawn =
        grey(width, height)
            .draw()
            .box(0, 0, width, height, "a label that is far too long for a small picture ".repeat(3))
            .point(width / 2.0, height / 2.0, "점\n\t두 줄")
            .polygon(
                List.of(new double[] {0, 0}, new double[] {9, 0}, new double[] {1e9, -1e9}), "")
            .heatMap(new float[] {0, 1, 2, 3, 4, 5}, 3, 2)
            .image();
    assertThat(drawn.width()).isEqualTo(width);
    assertThat(drawn.height()).isEqualTo(height);
    assertThat(drawn.rgb()).isNotEqualTo(grey(width, height).rgb());
  }

  /** Four times the side, about sixteen times the pixels of line and label. */
  @Test
  void linesAndLettersGrowWithThePicture() {
    int small = touched(grey(1000, 1000).draw().box(200, 300, 800, 800, "고양이").image());
    int large = touched(grey(4000, 4000).draw().box(800, 1200, 3200, 3200, "고양이").image());
    assertThat(large / 16.0).isCloseTo(small, within(0.2 * small));
  }

  @Test
  void coloursFollowLabels() {
    var drawing = grey(300, 300).draw();
    drawing.box(10, 50, 60, 100, "a").box(100, 50, 160, 100, "b").box(200, 50, 260, 100, "a");
    Image image = drawing.image();
    assertThat(pixel(image, 30, 100)).isEqualTo(pixel(image, 230, 100));
    assertThat(pixel(image, 30, 100)).isNotEqualTo(pixel(image, 130, 100));
  }

  @Test
  void heatIsStrongestWhereTheValueIs() {
    float[] values = new float[7 * 7];
    values[2 * 7 + 5] = 3;
    Image drawn = grey(140, 140).draw().heatMap(values, 7, 7).image();
    int hot = pixel(drawn, 5 * 20 + 10, 2 * 20 + 10);
    assertThat(hot >> 16).as("red of yellow").isGreaterThan(180);
    assertThat(hot & 0xFF).as("blue of yellow").isLessThan(80);
    assertThat(pixel(drawn, 10, 130)).isEqualTo(0x646464);
    assertThat(grey(20, 20).draw().heatMap(new float[] {2, 2}, 2, 1).image().rgb())
        .isEqualTo(grey(20, 20).rgb());
  }

  @Test
  void savesWhatWasDrawn() throws IOException {
    var drawing = grey(80, 60).draw().box(10, 20, 70, 50, "원");
    Path png = folder.resolve("a.PNG");
    drawing.save(png);
    Image back = Image.read(png);
    assertThat(back.rgb()).isEqualTo(drawing.image().rgb());
    assertThat(Image.read(ByteBuffer.wrap(Files.readAllBytes(png))).rgb()).isEqualTo(back.rgb());
    Path jpeg = folder.resolve("a.jpeg");
    grey(80, 60).save(jpeg);
    byte[] close = Image.read(jpeg).rgb();
    for (byte value : close) {
      assertThat((int) value).isCloseTo(100, within(2));
    }
    // Replaced, and nothing else is left behind.
    grey(5, 5).save(png);
    assertThat(Image.read(png).width()).isEqualTo(5);
    try (var files = Files.list(folder)) {
      assertThat(files).hasSize(2);
    }
  }

  @Test
  void saysWhatIsWrong() {
    var drawing = grey(10, 10).draw();
    assertThatThrownBy(() -> drawing.box(5, 0, 1, 3, ""))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("sides in order");
    assertThatThrownBy(() -> drawing.point(Double.NaN, 0, ""))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("NaN");
    assertThatThrownBy(() -> drawing.polygon(List.of(new double[2]), ""))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("has 1 corners");
    assertThatThrownBy(() -> drawing.heatMap(new float[3], 2, 2))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("3 values");
    assertThatThrownBy(() -> drawing.heatMap(new float[] {Float.NaN}, 1, 1))
        .isInstanceOf(InvalidRequestException.class);
    assertThatThrownBy(() -> drawing.save(folder.resolve("a.gif")))
        .isInstanceOf(ImageException.class)
        .hasMessageContaining(".png, .jpg or .jpeg");
    assertThatThrownBy(() -> drawing.save(folder.resolve("none/a.png")))
        .isInstanceOf(ImageException.class)
        .hasMessageContaining("cannot be written");
  }
}
