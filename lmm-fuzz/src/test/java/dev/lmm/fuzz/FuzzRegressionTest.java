package dev.lmm.fuzz;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lmm.CheckpointException;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every target with a fixed number of seeded mutations, and with inputs that once were, or nearly
 * were, findings. {@code -Dlmm.fuzz=N} runs N times as many.
 */
// The guard times each execution. This only ends a reader that never comes back.
@Timeout(value = 20, unit = TimeUnit.MINUTES, threadMode = ThreadMode.SEPARATE_THREAD)
class FuzzRegressionTest {
  private static final Path FOUND = Path.of("src/test/resources/found");
  private static final int FACTOR = Integer.getInteger("lmm.fuzz", 1);

  @ParameterizedTest
  @CsvSource({
    "safetensors, 700",
    "pickle, 700",
    "tokenizer, 1500",
    "template, 3000",
    "config, 6000",
    "load, 60",
    "image, 4000",
    "hub, 300",
    "bundle, 600"
  })
  void seededMutations(String name, int executions) throws IOException {
    Target target = Targets.of(name);
    Mutator mutator = new Mutator(target, 42);
    int accepted = 0;
    for (int i = 0; i < executions * FACTOR; i++) {
      byte[] input = mutator.next();
      accepted += check(name + " " + i, target, input) ? 1 : 0;
    }
    // A generator whose inputs all fail at the first byte, or never, finds nothing.
    assertThat(accepted).as("accepted").isBetween(1, executions * FACTOR - 1);
  }

  @ParameterizedTest
  @MethodSource("names")
  void seedsAndWhatWasFoundBefore(String name) throws IOException {
    Target target = Targets.of(name);
    int accepted = 0;
    List<byte[]> seeds = target.seeds();
    for (int i = 0; i < seeds.size(); i++) {
      accepted += check(name + " seed " + i, target, seeds.get(i)) ? 1 : 0;
    }
    assertThat(accepted).as("valid seeds").isPositive();
    Path folder = FOUND.resolve(name);
    if (Files.isDirectory(folder)) {
      try (Stream<Path> files = Files.list(folder)) {
        for (Path file : files.sorted().toList()) {
          check(file.toString(), target, Files.readAllBytes(file));
        }
      }
    }
  }

  static Set<String> names() {
    return Targets.ALL.keySet();
  }

  @Test
  void everythingFoundBelongsToATarget() throws IOException {
    try (Stream<Path> folders = Files.list(FOUND)) {
      Set<String> names = new TreeSet<>();
      folders.forEach(folder -> names.add(folder.getFileName().toString()));
      assertThat(Targets.ALL.keySet()).containsAll(names);
    }
  }

  @Test
  void aTokenForAnotherHostIsSeen() {
    ScriptedHttp http = new ScriptedHttp(URI.create("http://127.0.0.1:8080"));
    HttpRequest.Builder request = HttpRequest.newBuilder().header("Authorization", "Bearer x");
    for (String other : List.of("http://127.0.0.1:8081/", "http://localhost:8080/")) {
      assertThatThrownBy(
              () -> http.send(request.uri(URI.create(other)).build(), BodyHandlers.ofString()))
          .hasMessage("the token goes to " + other);
    }
  }

  @Test
  void theGuardSeesWhatItIsFor() {
    assertThat(Guard.accepts(target(() -> {}), new byte[0])).isTrue();
    assertThat(
            Guard.accepts(
                target(
                    () -> {
                      throw new CheckpointException("x.bin: is broken");
                    }),
                new byte[0]))
        .isFalse();
    findsIn("not the library's own", () -> Integer.parseInt("x"));
    findsIn("a StackOverflowError", FuzzRegressionTest::overflow);
    findsIn(
        "OutOfMemoryError",
        () -> {
          throw new OutOfMemoryError("no memory");
        });
    findsIn("allocates", () -> assertThat(new byte[65 << 20]).isNotEmpty());
    Target waits = target(() -> LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(60)));
    Guard.accepts(waits, new byte[0], 20, 60_000);
    assertThatThrownBy(() -> Guard.accepts(waits, new byte[0], 20, 30))
        .isInstanceOf(AssertionError.class)
        .hasMessageMatching("computes for \\d+ ms in \\d+, 4 times over; at most 20 in 30 are .*");
    Target computes = target(FuzzRegressionTest::compute);
    assertThatThrownBy(() -> Guard.accepts(computes, new byte[0], 20, 60_000))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("times over; at most 20 in 60000 are promised");
    findsIn(
        "whose message is",
        () -> {
          throw new CheckpointException(" ");
        });
  }

  private static void compute() {
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    long end = threads.getCurrentThreadCpuTime() + TimeUnit.MILLISECONDS.toNanos(40);
    while (threads.getCurrentThreadCpuTime() < end) {
      Thread.onSpinWait();
    }
  }

  private static void overflow() {
    throw new StackOverflowError("a StackOverflowError");
  }

  private static void findsIn(String message, Runnable body) {
    assertThatThrownBy(() -> Guard.accepts(target(body), new byte[0]))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining(message);
  }

  private static Target target(Runnable body) {
    return new Target() {
      @Override
      public void read(byte[] input) {
        body.run();
      }

      @Override
      public List<byte[]> seeds() {
        return List.of();
      }

      @Override
      public List<String> words() {
        return List.of();
      }
    };
  }

  private static boolean check(String what, Target target, byte[] input) throws IOException {
    try {
      return Guard.accepts(target, input);
    } catch (AssertionError | RuntimeException e) {
      Path kept = Files.createTempFile("lmm-fuzz-", ".found");
      Files.write(kept, input);
      throw new AssertionError(what + ", kept in " + kept + ": " + e.getMessage(), e);
    }
  }
}
