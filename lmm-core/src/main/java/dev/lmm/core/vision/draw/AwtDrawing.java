package dev.lmm.core.vision.draw;

import dev.lmm.Check;
import dev.lmm.Drawing;
import dev.lmm.Image;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.Shape;
import java.awt.font.TextLayout;
import java.awt.geom.Ellipse2D;
import java.awt.geom.Path2D;
import java.awt.geom.Rectangle2D;
import java.awt.image.BufferedImage;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A drawing over the JDK's pictures. */
final class AwtDrawing implements Drawing {
  // Told apart by eye and by those who see fewer colours (after Okabe and Ito, and brighter).
  private static final int[] COLOURS = {
    0xE6194B, 0x0072B2, 0x009E73, 0xF5A300, 0xCC79A7, 0x56B4E9, 0x8A3FFC, 0xD55E00, 0x7F8C1A,
    0x17BECF
  };
  private static final double FILL = 0.25;
  private static final double HEAT = 0.7;
  // Beyond the picture and its lines nothing shows; the rasteriser overflows on huge numbers.
  private static final double FAR = 1 << 20;

  private final BufferedImage picture;
  private final String source;
  private final double line;
  private final float letters;
  private final Map<String, Integer> byLabel = new HashMap<>();
  private int next;
  private int fixed = -1;

  AwtDrawing(Image image) {
    picture = PictureDrawer.buffered(image);
    source = image.source();
    double size = Math.sqrt((double) image.width() * image.height());
    line = Math.max(2, size / 200);
    letters = (float) Math.max(9, size / 32);
  }

  @Override
  public Drawing box(double left, double top, double right, double bottom, String label) {
    finite(left, top, right, bottom);
    Check.notNull(label, "label");
    Check.that(
        left <= right && top <= bottom,
        "box: is "
            + left
            + ","
            + top
            + " to "
            + right
            + ","
            + bottom
            + "; expected sides in order");
    double x = near(left);
    double y = near(top);
    outlined(new Rectangle2D.Double(x, y, near(right) - x, near(bottom) - y), label, x, y, false);
    return this;
  }

  @Override
  public Drawing point(double x, double y, String label) {
    finite(x, y);
    Check.notNull(label, "label");
    int colour = next(label);
    double radius = 2.5 * line;
    Shape dot = new Ellipse2D.Double(near(x) - radius, near(y) - radius, 2 * radius, 2 * radius);
    Graphics2D g = graphics();
    g.setColor(new Color(colour));
    g.fill(dot);
    g.setColor(Color.WHITE);
    g.setStroke(new BasicStroke((float) line));
    g.draw(dot);
    g.dispose();
    label(label, colour, near(x) + radius + line, near(y) - radius);
    return this;
  }

  @Override
  public Drawing polygon(List<double[]> corners, String label) {
    Check.notNull(label, "label");
    Check.that(
        Check.notNull(corners, "corners").size() >= 3,
        "polygon: has " + corners.size() + " corners; expected at least 3");
    Path2D path = new Path2D.Double();
    double[] highest = corners.get(0);
    for (double[] corner : corners) {
      Check.that(
          corner.length == 2, "polygon: a corner has " + corner.length + " numbers; expected 2");
      finite(corner);
      if (path.getCurrentPoint() == null) {
        path.moveTo(near(corner[0]), near(corner[1]));
      } else {
        path.lineTo(near(corner[0]), near(corner[1]));
      }
      if (corner[1] < highest[1]) {
        highest = corner;
      }
    }
    path.closePath();
    outlined(path, label, near(highest[0]), near(highest[1]), true);
    return this;
  }

  @Override
  public Drawing heatMap(float[] values, int columns, int rows) {
    HeatMap.over(picture, values, columns, rows, HEAT);
    return this;
  }

  @Override
  public Drawing colour(int rgb) {
    fixed = rgb & 0xFFFFFF;
    return this;
  }

  @Override
  public Image image() {
    return PictureDrawer.image(picture, source);
  }

  private void outlined(Shape shape, String label, double x, double y, boolean fill) {
    int colour = next(label);
    Graphics2D g = graphics();
    if (fill) {
      g.setColor(new Color(colour | (int) (FILL * 255) << 24, true));
      g.fill(shape);
    }
    // A light edge around the line keeps it visible on any ground.
    g.setColor(new Color(255, 255, 255, 160));
    g.setStroke(stroke(1.7 * line));
    g.draw(shape);
    g.setColor(new Color(colour));
    g.setStroke(stroke(line));
    g.draw(shape);
    g.dispose();
    label(label, colour, x - line / 2, y);
  }

  private static BasicStroke stroke(double width) {
    return new BasicStroke((float) width, BasicStroke.CAP_ROUND, BasicStroke.JOIN_ROUND);
  }

  /** Writes a label above a corner, or where the picture has room for it. */
  private void label(String label, int colour, double x, double y) {
    String text = label.strip().replaceAll("\\s+", " ").replaceAll("\\p{Cntrl}", "");
    if (text.isEmpty()) {
      return;
    }
    Graphics2D g = graphics();
    Font font = LabelFont.of(text, letters);
    double pad = letters * 0.25;
    double most = picture.getWidth() - 2 * pad;
    TextLayout layout = new TextLayout(text, font, g.getFontRenderContext());
    while (layout.getAdvance() > most && text.length() > 1) {
      int end = text.endsWith("…") ? text.length() - 1 : text.length();
      text = text.substring(0, text.offsetByCodePoints(end, -1)).stripTrailing() + "…";
      if (text.equals("…")) {
        break;
      }
      layout = new TextLayout(text, font, g.getFontRenderContext());
    }
    double width = layout.getAdvance() + 2 * pad;
    double height = layout.getAscent() + layout.getDescent() + pad;
    double left = Math.max(0, Math.min(x, picture.getWidth() - width));
    // Above the corner if there is room, else just inside the shape.
    double top = y - height >= 0 ? y - height : y;
    top = Math.max(0, Math.min(top, picture.getHeight() - height));
    g.setColor(new Color(colour));
    g.fill(new Rectangle2D.Double(left, top, width, height));
    g.setColor(light(colour) ? Color.BLACK : Color.WHITE);
    layout.draw(g, (float) (left + pad), (float) (top + pad / 2 + layout.getAscent()));
    g.dispose();
  }

  /** Whether black letters read better on a colour than white ones. */
  private static boolean light(int rgb) {
    return 0.299 * (rgb >> 16 & 0xFF) + 0.587 * (rgb >> 8 & 0xFF) + 0.114 * (rgb & 0xFF) > 150;
  }

  private int next(String label) {
    if (fixed >= 0) {
      return fixed;
    }
    if (label.isBlank()) {
      return COLOURS[next++ % COLOURS.length];
    }
    return byLabel.computeIfAbsent(label, key -> COLOURS[next++ % COLOURS.length]);
  }

  private Graphics2D graphics() {
    Graphics2D g = picture.createGraphics();
    g.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
    g.setRenderingHint(
        RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
    g.setRenderingHint(
        RenderingHints.KEY_FRACTIONALMETRICS, RenderingHints.VALUE_FRACTIONALMETRICS_ON);
    g.setRenderingHint(RenderingHints.KEY_STROKE_CONTROL, RenderingHints.VALUE_STROKE_PURE);
    return g;
  }

  private static double near(double value) {
    return Math.max(-FAR, Math.min(value, FAR));
  }

  private static void finite(double... values) {
    for (double value : values) {
      Check.that(
          Double.isFinite(value), "coordinates: one is " + value + "; expected finite numbers");
    }
  }
}
