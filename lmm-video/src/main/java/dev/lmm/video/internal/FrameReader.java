package dev.lmm.video.internal;

import dev.lmm.Cancellation;
import dev.lmm.Image;
import dev.lmm.VideoLimits;
import dev.lmm.spi.VideoSource;
import java.nio.file.Path;
import java.util.Arrays;
import org.bytedeco.ffmpeg.avutil.AVFrame;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Decodes the frames that are asked for: goes to the key frame before each and on from there. */
public final class FrameReader implements VideoSource {
  private static final Logger LOG = LoggerFactory.getLogger(FrameReader.class);

  private final Path file;
  private final VideoLimits limits;
  private final FrameIndex index;

  /**
   * A reader.
   *
   * @param file the file
   * @param limits what it may ask for
   * @param index where its frames lie
   */
  public FrameReader(Path file, VideoLimits limits, FrameIndex index) {
    this.file = file;
    this.limits = limits;
    this.index = index;
  }

  @Override
  public int width() {
    return index.width();
  }

  @Override
  public int height() {
    return index.height();
  }

  @Override
  public int frameCount() {
    return index.frameCount();
  }

  @Override
  public double fps() {
    return index.fps();
  }

  @Override
  public double secondsAt(int frame) {
    return index.secondsAt(frame);
  }

  @Override
  public void decode(int[] indices, @Nullable Cancellation cancellation, Sink sink) {
    if (indices.length == 0) {
      return;
    }
    try (Run run = new Run(cancellation, sink)) {
      if (index.timed()) {
        run.byTime(indices);
      } else {
        run.byCount(indices);
      }
      if (run.stream.damaged() > 0) {
        LOG.warn(
            "{}: {} packets are damaged; frames that were told from them may be too",
            file,
            run.stream.damaged());
      }
    }
  }

  /** One pass over the frames. */
  private final class Run implements AutoCloseable {
    private final @Nullable Cancellation cancellation;
    private final Sink sink;
    private final Converter converter =
        new Converter(file, index.codedWidth(), index.codedHeight(), index.turn());
    private DecodedStream stream;

    Run(@Nullable Cancellation cancellation, Sink sink) {
      this.cancellation = cancellation;
      this.sink = sink;
      this.stream = open();
    }

    private DecodedStream open() {
      return new DecodedStream(file, index, limits, cancellation);
    }

    /** Files without times of their own: from the beginning, counting. */
    void byCount(int[] indices) {
      int next = 0;
      for (int i = 0; next < indices.length; i++) {
        AVFrame frame = stream.next();
        if (frame == null) {
          return;
        }
        if (i == indices[next]) {
          give(indices[next++], frame);
        }
      }
    }

    void byTime(int[] indices) {
      int next = 0;
      while (next < indices.length) {
        goTo(indices[next]);
        AVFrame frame = stream.next();
        // A seek may end behind what was sought, or in the middle of what is told from before.
        if (frame != null
            && stream.sought()
            && (frame.pts() > index.time(indices[next]) || Converter.damaged(frame))) {
          restart();
          frame = stream.next();
        }
        int found = next;
        while (frame != null && found == next) {
          int at = Arrays.binarySearch(indices, next, indices.length, index.frameAt(frame.pts()));
          if (at >= 0) {
            give(indices[at], frame);
            found = at + 1;
          } else if (frame.pts() > index.time(indices[next])) {
            found = next + 1; // it cannot be decoded
          }
          if (found == next) {
            frame = stream.next();
          }
        }
        if (frame == null) {
          return; // nothing comes after
        }
        next = found;
      }
    }

    /** Seeks if that saves decoding. */
    private void goTo(int frame) {
      int key = index.keyOf(frame);
      if (key >= 0 && index.keyPacket(key) > stream.packetsRead()) {
        stream.seek(key);
      }
    }

    /** From the beginning, without seeking. */
    private void restart() {
      stream.close();
      stream = open();
    }

    private void give(int number, AVFrame frame) {
      Image image = converter.convert(frame, file + " frame " + number);
      sink.frame(number, image);
    }

    @Override
    public void close() {
      stream.close();
      converter.close();
    }
  }
}
