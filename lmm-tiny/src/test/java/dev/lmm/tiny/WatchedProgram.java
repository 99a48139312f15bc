package dev.lmm.tiny;

import dev.lmm.Encoder;
import dev.lmm.Models;
import java.io.IOException;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.SocketImpl;
import java.net.URI;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Loads and runs every tiny model while every attempt to open a connection is counted and refused.
 */
final class WatchedProgram {
  private static final AtomicInteger ATTEMPTS = new AtomicInteger();

  private WatchedProgram() {}

  @SuppressWarnings("deprecation") // the one way to watch every java.net.Socket
  public static void main(String[] arguments) throws IOException {
    Socket.setSocketImplFactory(WatchedProgram::refuse);
    // java.net.http asks this before it connects.
    ProxySelector.setDefault(
        new ProxySelector() {
          @Override
          public List<Proxy> select(URI uri) {
            ATTEMPTS.incrementAndGet();
            return List.of(Proxy.NO_PROXY);
          }

          @Override
          public void connectFailed(URI uri, SocketAddress address, IOException failure) {}
        });
    for (String name : arguments) {
      try (Encoder encoder = Models.encoder(name).load()) {
        TinyPictures.Captioned picture = TinyPictures.all().get(0);
        encoder.rank(picture.image(), List.of(picture.english(), picture.korean()));
      }
    }
    // Whoever phones home in the background gets time to do so.
    try {
      Thread.sleep(500);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    System.out.println("connections tried: " + ATTEMPTS.get());
  }

  private static SocketImpl refuse() {
    ATTEMPTS.incrementAndGet();
    throw new UncheckedSocketException();
  }

  /** A factory of sockets may throw nothing checked. */
  private static final class UncheckedSocketException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    UncheckedSocketException() {
      super(new SocketException("connections are watched and refused"));
    }
  }
}
