/** Frames from video files, and video files from frames. */
module dev.lmm.video {
  requires transitive dev.lmm.api;
  requires org.bytedeco.ffmpeg;
  requires org.bytedeco.javacpp;
  requires org.slf4j;
  requires static org.jspecify;

  exports dev.lmm.video;

  provides dev.lmm.spi.VideoDecoder with
      dev.lmm.video.FfmpegDecoder;
  provides dev.lmm.spi.VideoEncoder with
      dev.lmm.video.FfmpegEncoder;
}
