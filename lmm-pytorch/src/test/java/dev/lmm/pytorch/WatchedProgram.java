package dev.lmm.pytorch;

import dev.lmm.core.checkpoint.RandomWeights;
import dev.lmm.core.engine.CompileOptions;
import dev.lmm.core.engine.Program;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.graph.DType;
import dev.lmm.core.graph.GraphBuilder;
import dev.lmm.core.graph.WeightUsage;
import java.io.IOException;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

/** Loads libtorch and runs a graph while every attempt to open a connection is counted. */
final class WatchedProgram {
  private static final AtomicInteger ATTEMPTS = new AtomicInteger();

  private WatchedProgram() {}

  @SuppressWarnings("deprecation") // the one way to watch every java.net.Socket
  public static void main(String[] arguments) throws IOException {
    Socket.setSocketImplFactory(
        () -> {
          ATTEMPTS.incrementAndGet();
          throw new IllegalStateException("connections are watched and refused");
        });
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
    try (RandomWeights weights = new RandomWeights(1)) {
      GraphBuilder g = new GraphBuilder("test", new WeightUsage(weights, "the test"));
      g.output("y", g.linear(g.input("x", DType.F32, "n", 4), g.weight("w", 3, 4), null));
      try (Program program =
          new PyTorchEngine().compile(g.build(), weights, CompileOptions.DEFAULT)) {
        program.run(Map.of("x", Tensor.zeros(DType.F32, 1, 4)));
      }
    }
    System.out.println("connections tried: " + ATTEMPTS.get());
  }
}
