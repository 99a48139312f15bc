package dev.lmm.core.hub;

import dev.lmm.Cancellation;
import dev.lmm.CancelledException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Flow;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The body of a response, pulled by one thread. A server that stops sending, or sends next to
 * nothing, is told apart from one that is slow: {@code java.net.http} has no such timeout.
 */
final class ResponseBody implements Flow.Subscriber<List<ByteBuffer>>, AutoCloseable {
  /** Bytes that a try, or a wait as long as the timeout, must bring to count as progress. */
  static final int LEAST = 1024;

  private static final long POLL_NANOS = 100_000_000;
  private static final Object END = new Object();

  // At most one item is asked for at a time, so this stays short.
  private final BlockingQueue<Object> arrived = new LinkedBlockingQueue<>();
  private final ArrayDeque<ByteBuffer> buffers = new ArrayDeque<>();
  private final long timeoutNanos;
  private final @Nullable Cancellation cancellation;
  private volatile Flow.@Nullable Subscription subscription;
  private volatile boolean closed;
  private long windowStart = System.nanoTime();
  private long windowBytes;

  ResponseBody(long timeoutNanos, @Nullable Cancellation cancellation) {
    this.timeoutNanos = timeoutNanos;
    this.cancellation = cancellation;
  }

  /**
   * The next bytes.
   *
   * @return a buffer that is not empty; null at the end
   * @throws IOException if the connection was cut or is too slow
   */
  @Nullable ByteBuffer next() throws IOException {
    while (true) {
      ByteBuffer buffer = buffers.poll();
      if (buffer != null) {
        if (!buffer.hasRemaining()) {
          continue;
        }
        windowBytes += buffer.remaining();
        if (windowBytes >= LEAST) {
          windowBytes = 0;
          windowStart = System.nanoTime();
        }
        return buffer;
      }
      Object item = await();
      if (item == END) {
        arrived.add(END);
        return null;
      }
      if (item instanceof Throwable failure) {
        arrived.add(failure);
        throw new IOException("the connection was cut: " + failure.getMessage(), failure);
      }
      for (Object part : (List<?>) item) {
        buffers.add((ByteBuffer) part);
      }
      Flow.Subscription source = subscription;
      if (source != null) {
        source.request(1);
      }
    }
  }

  private Object await() throws IOException {
    while (true) {
      if (cancellation != null) {
        cancellation.check();
      }
      long left = timeoutNanos - (System.nanoTime() - windowStart);
      if (left <= 0) {
        throw new IOException(
            "less than "
                + LEAST
                + " bytes came in "
                + TimeUnit.NANOSECONDS.toMillis(timeoutNanos)
                + " ms");
      }
      try {
        Object item = arrived.poll(Math.min(left, POLL_NANOS), TimeUnit.NANOSECONDS);
        if (item != null) {
          return item;
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new CancelledException("The download was interrupted", e);
      }
    }
  }

  @Override
  public void onSubscribe(Flow.Subscription source) {
    subscription = source;
    if (closed) {
      source.cancel();
    } else {
      source.request(1);
    }
  }

  @Override
  public void onNext(List<ByteBuffer> item) {
    arrived.add(item);
  }

  @Override
  public void onError(Throwable failure) {
    arrived.add(failure);
  }

  @Override
  public void onComplete() {
    arrived.add(END);
  }

  /** Drops the connection unless the body was read to its end. */
  @Override
  public void close() {
    closed = true;
    Flow.Subscription source = subscription;
    if (source != null) {
      source.cancel();
    }
  }
}
