package dev.lmm.core.vision.draw;

import java.awt.Font;
import java.awt.FontFormatException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;

/**
 * The font of labels: Latin and Hangul from the library's own file, so that pictures are the same
 * everywhere; other scripts as far as the platform has them.
 */
final class LabelFont {
  private static final Font OWN = own();

  private LabelFont() {}

  static Font of(String text, float size) {
    Font font = OWN.canDisplayUpTo(text) < 0 ? OWN : new Font(Font.SANS_SERIF, Font.PLAIN, 1);
    return font.deriveFont(size);
  }

  private static Font own() {
    try (InputStream in = LabelFont.class.getResourceAsStream("labels.ttf")) {
      if (in == null) {
        throw new IllegalStateException("labels.ttf is not in the jar of lmm-core");
      }
      return Font.createFont(Font.TRUETYPE_FONT, in);
    } catch (IOException e) {
      throw new UncheckedIOException("labels.ttf cannot be read", e);
    } catch (FontFormatException e) {
      throw new IllegalStateException("labels.ttf is damaged", e);
    }
  }
}
