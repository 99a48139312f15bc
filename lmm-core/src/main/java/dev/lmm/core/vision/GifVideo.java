package dev.lmm.core.vision;

import dev.lmm.Cancellation;
import dev.lmm.Image;
import dev.lmm.ImageException;
import dev.lmm.VideoLimits;
import dev.lmm.spi.VideoDecoder;
import dev.lmm.spi.VideoSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads animated GIFs as Pillow does: each frame laid over what the ones before it left, alpha
 * dropped. A frame that asks for no delay is shown for a tenth of a second, as browsers do. Of a
 * file that breaks off the frames before that are read, with a warning in the log. Stateless and
 * thread-safe.
 */
public final class GifVideo implements VideoDecoder {
  private static final Logger LOG = LoggerFactory.getLogger(GifVideo.class);
  private static final int USUAL_DELAY = 10;
  private static final long MOST_BYTES = 1L << 30;

  /** For the service loader. */
  public GifVideo() {}

  @Override
  public boolean recognizes(byte[] head) {
    return PictureBytes.matches(head, 0, "GIF87a") || PictureBytes.matches(head, 0, "GIF89a");
  }

  @Override
  public boolean general() {
    return false;
  }

  @Override
  public VideoSource open(Path file, VideoLimits limits, @Nullable Cancellation cancellation) {
    return Source.of(file, limits, cancellation);
  }

  /**
   * A frame as it lies in the file.
   *
   * @param at where its data begins
   * @param palette where its own palette begins, or -1
   * @param flags of its descriptor
   * @param transparent an index, or -1
   * @param disposal what becomes of it: 2 is background, 3 what was before
   */
  private record Part(
      int left,
      int top,
      int width,
      int height,
      int flags,
      int palette,
      int at,
      int transparent,
      int disposal) {}

  /** The frames of one file. */
  private static final class Source implements VideoSource {
    private final Path file;
    private final VideoLimits limits;
    private final int width;
    private final int height;
    private final List<Part> parts;
    private final int[] starts;
    private final int length;

    private Source(
        Path file, VideoLimits limits, int width, int height, List<Part> parts, int[] delays) {
      this.file = file;
      this.limits = limits;
      this.width = width;
      this.height = height;
      this.parts = parts;
      this.starts = new int[parts.size()];
      int at = 0;
      for (int i = 0; i < starts.length; i++) {
        starts[i] = at;
        at += delays[i];
      }
      this.length = at;
    }

    private static PictureBytes read(Path file, VideoLimits limits) {
      try {
        long size = Files.size(file);
        if (size > MOST_BYTES) {
          throw new ImageException(
              file + ": has " + size + " bytes; the limit for a GIF is " + MOST_BYTES);
        }
        return new PictureBytes(
            Files.readAllBytes(file),
            file.toString(),
            DecodeLimits.standard().withMaxPixels(limits.maxPixels()),
            false);
      } catch (IOException e) {
        throw new ImageException(file + ": cannot be read: " + e, e);
      }
    }

    static Source of(Path file, VideoLimits limits, @Nullable Cancellation cancellation) {
      PictureBytes in = read(file, limits);
      int width = in.u16le(6);
      int height = in.u16le(8);
      int at = 13 + ((in.u8(10) & 0x80) != 0 ? 3 << ((in.u8(10) & 7) + 1) : 0);
      List<Part> parts = new ArrayList<>();
      List<Integer> delays = new ArrayList<>();
      int transparent = -1;
      int disposal = 0;
      int delay = USUAL_DELAY;
      try {
        for (int block = in.u8(at++); block != ';'; block = in.u8(at++)) {
          if (cancellation != null) {
            cancellation.check();
          }
          if (block == '!') {
            if (in.u8(at) == 0xF9 && in.u8(at + 1) >= 4) {
              int flags = in.u8(at + 2);
              transparent = (flags & 1) != 0 ? in.u8(at + 5) : -1;
              // Pillow keeps the last that was said.
              disposal = (flags >> 2 & 7) == 0 ? disposal : flags >> 2 & 7;
              delay = in.u16le(at + 3) == 0 ? USUAL_DELAY : in.u16le(at + 3);
            }
            at = GifFile.skipBlocks(in, at + 1);
          } else if (block == ',') {
            int flags = in.u8(at + 8);
            boolean own = (flags & 0x80) != 0;
            int data = at + 9 + (own ? 3 << ((flags & 7) + 1) : 0);
            Part part =
                new Part(
                    in.u16le(at),
                    in.u16le(at + 2),
                    in.u16le(at + 4),
                    in.u16le(at + 6),
                    flags,
                    own ? at + 9 : -1,
                    data,
                    transparent,
                    disposal);
            in.checkSize(part.width(), part.height());
            at = GifFile.skipBlocks(in, data + 1);
            if (at > in.length()) {
              throw in.truncated(at);
            }
            parts.add(part);
            delays.add(delay);
            width = Math.max(width, part.left() + part.width());
            height = Math.max(height, part.top() + part.height());
            if (parts.size() > limits.maxFrames()) {
              throw new ImageException(
                  file + ": has more than " + limits.maxFrames() + " frames, which is the limit");
            }
            transparent = -1;
            delay = USUAL_DELAY;
          }
        }
      } catch (ImageException e) {
        if (parts.isEmpty() || parts.size() > limits.maxFrames()) {
          throw e;
        }
        LOG.warn("{}: breaks off after {} frames: {}", file, parts.size(), e.getMessage());
      }
      if (parts.isEmpty()) {
        throw in.broken("the GIF has no picture");
      }
      in.checkSize(width, height);
      Source source =
          new Source(
              file,
              limits,
              width,
              height,
              List.copyOf(parts),
              delays.stream().mapToInt(Integer::intValue).toArray());
      if (source.length / 100.0 > limits.maxSeconds()) {
        throw in.broken(
            "takes " + source.length / 100.0 + " seconds; the limit is " + limits.maxSeconds());
      }
      return source;
    }

    @Override
    public int width() {
      return width;
    }

    @Override
    public int height() {
      return height;
    }

    @Override
    public int frameCount() {
      return parts.size();
    }

    @Override
    public double fps() {
      return 100.0 * parts.size() / length;
    }

    @Override
    public double secondsAt(int index) {
      return starts[index] / 100.0;
    }

    /** A frame stands on all before it, so all are unpacked up to the last that is asked for. */
    @Override
    public void decode(int[] indices, @Nullable Cancellation cancellation, Sink sink) {
      PictureBytes in = read(file, limits);
      try {
        Canvas canvas = new Canvas(in, width, height);
        int next = 0;
        for (int i = 0; i < parts.size() && next < indices.length; i++) {
          if (cancellation != null) {
            cancellation.check();
          }
          boolean whole = add(canvas, i);
          if (indices[next] == i) {
            next++;
            if (whole) {
              sink.frame(i, Image.ofRgb(width, height, canvas.rgb.clone(), file + " frame " + i));
            }
          }
        }
      } catch (OutOfMemoryError e) {
        throw in.broken("not enough memory for frames of " + width + "x" + height + " pixels", e);
      }
    }

    /** Whether a frame could be unpacked. */
    private boolean add(Canvas canvas, int i) {
      try {
        canvas.add(parts.get(i), i == 0);
        return true;
      } catch (ImageException | IndexOutOfBoundsException e) {
        // Codes that lead nowhere end in an index that is none.
        LOG.warn("{}: frame {} is damaged: {}", file, i, e.getMessage());
        return false;
      }
    }
  }

  /** What is shown. */
  private static final class Canvas {
    private final PictureBytes in;
    private final int width;
    private final byte[] rgb;
    private final boolean hasShared;
    private final byte[] shared;
    private @Nullable Part last;
    private byte[] lastPalette = new byte[0];

    /** What was shown before the last frame; empty if that is not brought back. */
    private byte[] before = new byte[0];

    Canvas(PictureBytes in, int width, int height) {
      this.in = in;
      this.width = width;
      this.rgb = new byte[width * height * 3];
      this.hasShared = (in.u8(10) & 0x80) != 0;
      this.shared = hasShared ? GifFile.palette(in, 13, in.u8(10) & 7) : GifFile.greys();
    }

    void add(Part part, boolean first) {
      dispose();
      last = null;
      byte[] palette =
          part.palette() >= 0 ? GifFile.palette(in, part.palette(), part.flags() & 7) : shared;
      int pixels = part.width() * part.height();
      // A code has at least two bits and stands for at most 4096 pixels.
      if (pixels > (in.length() - part.at()) * 4L * 4096) {
        throw in.broken("the file ends too early for its pixels");
      }
      byte[] frame = GifFile.unpack(in, part.at(), pixels);
      if (first) {
        fill(palette, Math.max(0, part.transparent()), 0, 0, width, rgb.length / 3 / width);
      }
      before = part.disposal() == 3 && !first ? rgb.clone() : new byte[0];
      boolean interlaced = (part.flags() & 0x40) != 0;
      for (int i = 0; i < part.height(); i++) {
        int y = interlaced ? GifFile.interlacedRow(i, part.height()) : i;
        int o = ((part.top() + y) * width + part.left()) * 3;
        for (int x = 0; x < part.width(); x++, o += 3) {
          int index = frame[i * part.width() + x] & 0xFF;
          if (first || index != part.transparent()) {
            System.arraycopy(palette, index * 3, rgb, o, 3);
          }
        }
      }
      last = part;
      lastPalette = palette;
    }

    /** What the last frame leaves. */
    private void dispose() {
      Part part = last;
      if (part == null || part.disposal() < 2) {
        return;
      }
      byte[] kept = before;
      if (part.disposal() == 2 || kept.length == 0) {
        if (part.disposal() == 2 || part.transparent() >= 0) {
          int colour = part.transparent() >= 0 ? part.transparent() : hasShared ? in.u8(11) : 0;
          fill(lastPalette, colour, part.left(), part.top(), part.width(), part.height());
        }
        return;
      }
      for (int y = part.top(); y < part.top() + part.height(); y++) {
        int o = (y * width + part.left()) * 3;
        System.arraycopy(kept, o, rgb, o, part.width() * 3);
      }
    }

    private void fill(byte[] palette, int colour, int left, int top, int w, int h) {
      byte[] row = new byte[w * 3];
      for (int x = 0; x < w; x++) {
        System.arraycopy(palette, colour * 3, row, x * 3, 3);
      }
      for (int y = top; y < top + h; y++) {
        System.arraycopy(row, 0, rgb, (y * width + left) * 3, row.length);
      }
    }
  }
}
