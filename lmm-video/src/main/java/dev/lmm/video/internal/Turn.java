package dev.lmm.video.internal;

import static org.bytedeco.ffmpeg.global.avcodec.AV_PKT_DATA_DISPLAYMATRIX;

import java.nio.ByteOrder;
import java.nio.IntBuffer;
import org.bytedeco.ffmpeg.avcodec.AVCodecParameters;
import org.bytedeco.ffmpeg.avcodec.AVPacketSideData;
import org.bytedeco.javacpp.BytePointer;

/**
 * How frames are turned or mirrored to stand upright: where the steps to the right and down in the
 * file's frame go in the upright one. Each is one of the four directions.
 *
 * @param rightX of a step to the right in the file's frame: -1, 0 or 1
 * @param rightY of the same step, downwards
 * @param downX of a step down in the file's frame
 * @param downY of the same step, downwards
 */
record Turn(int rightX, int rightY, int downX, int downY) {
  static final Turn NONE = new Turn(1, 0, 0, 1);

  /** Numbers of a display matrix: 3 x 3, 4 bytes each. */
  private static final int MATRIX = 9;

  /** As the stream's display matrix says; turns by other angles than quarters are left out. */
  static Turn of(AVCodecParameters codec) {
    AVPacketSideData all = codec.coded_side_data();
    for (int i = 0; i < codec.nb_coded_side_data(); i++) {
      AVPacketSideData data = all.getPointer(i);
      if (data.type() == AV_PKT_DATA_DISPLAYMATRIX && data.size() >= MATRIX * 4) {
        BytePointer bytes = data.data();
        IntBuffer matrix =
            bytes.capacity(MATRIX * 4L).asByteBuffer().order(ByteOrder.nativeOrder()).asIntBuffer();
        return of(matrix.get(0), matrix.get(1), matrix.get(3), matrix.get(4));
      }
    }
    return NONE;
  }

  /**
   * Of the matrix's part that turns.
   *
   * @param a how far right a step to the right goes, 16.16
   * @param b how far down a step to the right goes
   * @param c how far right a step down goes
   * @param d how far down a step down goes
   */
  static Turn of(int a, int b, int c, int d) {
    if (a != 0 && d != 0 && b == 0 && c == 0) {
      return new Turn(Integer.signum(a), 0, 0, Integer.signum(d));
    }
    if (a == 0 && d == 0 && b != 0 && c != 0) {
      return new Turn(0, Integer.signum(b), Integer.signum(c), 0);
    }
    return NONE;
  }

  boolean swapsSides() {
    return rightX == 0;
  }

  /**
   * Turns a frame.
   *
   * @param rgb width * height * 3 bytes; given back as it is if there is nothing to turn
   */
  byte[] upright(byte[] rgb, int width, int height) {
    if (equals(NONE)) {
      return rgb;
    }
    int w = swapsSides() ? height : width;
    int startX = (rightX < 0 ? width - 1 : 0) + (downX < 0 ? height - 1 : 0);
    int startY = (rightY < 0 ? width - 1 : 0) + (downY < 0 ? height - 1 : 0);
    int right = (rightY * w + rightX) * 3;
    byte[] out = new byte[rgb.length];
    for (int y = 0, in = 0; y < height; y++) {
      int o = ((startY + y * downY) * w + startX + y * downX) * 3;
      for (int x = 0; x < width; x++, in += 3, o += right) {
        out[o] = rgb[in];
        out[o + 1] = rgb[in + 1];
        out[o + 2] = rgb[in + 2];
      }
    }
    return out;
  }
}
