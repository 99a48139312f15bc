package dev.lmm.video.internal;

import dev.lmm.ImageException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.bytedeco.ffmpeg.global.avcodec;
import org.bytedeco.ffmpeg.global.avformat;
import org.bytedeco.ffmpeg.global.avutil;
import org.bytedeco.ffmpeg.global.swscale;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Loader;

/** FFmpeg's native library. */
final class Natives {
  private static final int MESSAGE = 256;

  private Natives() {}

  /** Loads it, or says what to add. */
  static void require() {
    try {
      Loaded.touch();
    } catch (LinkageError e) {
      throw new ImageException(
          "FFmpeg's native library is not there, or does not run on this machine: add the artifacts"
              + " org.bytedeco:ffmpeg"
              + version("ffmpeg")
              + " and org.bytedeco:javacpp"
              + version("javacpp")
              + " with the classifier "
              + Loader.getPlatform()
              + " ("
              + e.getMessage()
              + ")",
          e);
    }
  }

  private static String version(String artifact) {
    try {
      String version = Loader.getVersion("org.bytedeco", artifact);
      return version == null ? "" : ":" + version;
    } catch (IOException e) {
      return ""; // the artifact's name is what matters
    }
  }

  /** FFmpeg's own word for an error. */
  static String error(int code) {
    try (BytePointer text = new BytePointer(MESSAGE)) {
      avutil.av_strerror(code, text, MESSAGE);
      return text.getString(StandardCharsets.UTF_8);
    }
  }

  /** A path or name as FFmpeg wants it, whatever the platform's charset. Closed by the caller. */
  static BytePointer utf8(String text) {
    return new BytePointer(text, StandardCharsets.UTF_8);
  }

  /** Loaded once; a failure is told each time. */
  private static final class Loaded {
    static {
      Loader.load(avutil.class);
      Loader.load(swscale.class);
      Loader.load(avcodec.class);
      Loader.load(avformat.class);
      // What it would print on standard error of a damaged file is told by exceptions and logs.
      avutil.av_log_set_level(avutil.AV_LOG_QUIET);
    }

    private Loaded() {}

    static void touch() {}
  }
}
