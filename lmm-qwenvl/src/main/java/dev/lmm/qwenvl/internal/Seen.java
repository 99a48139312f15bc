package dev.lmm.qwenvl.internal;

import dev.lmm.Image;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/**
 * A picture or video in a conversation.
 *
 * @param video whether it is a video
 * @param frames one picture, or the frames
 * @param grid its patches
 * @param secondsPerStep how far apart two steps of time are; 0 for a picture
 * @param key names what the model sees: equal keys are equal features
 */
record Seen(boolean video, List<Image> frames, Grid grid, double secondsPerStep, Key key) {
  /**
   * What the model sees.
   *
   * @param content digest of the pixels
   * @param grid how they are resized and cut
   */
  record Key(String content, Grid grid) {}

  static Seen picture(Image image, Grid grid) {
    List<Image> frames = List.of(image);
    return new Seen(false, frames, grid, 0, new Key(digest(frames), grid));
  }

  static Seen video(List<Image> frames, Grid grid, double secondsPerStep) {
    return new Seen(true, frames, grid, secondsPerStep, new Key(digest(frames), grid));
  }

  private static String digest(List<Image> frames) {
    try {
      MessageDigest sha = MessageDigest.getInstance("SHA-256");
      for (Image frame : frames) {
        sha.update(ByteBuffer.allocate(8).putInt(frame.width()).putInt(frame.height()).flip());
        sha.update(frame.rgb());
      }
      return HexFormat.of().formatHex(sha.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
