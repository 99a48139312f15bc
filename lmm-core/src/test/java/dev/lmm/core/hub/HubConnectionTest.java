package dev.lmm.core.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lmm.Cancellation;
import dev.lmm.CancelledException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Connections that break, drip or wait. */
class HubConnectionTest extends HubTesting {
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8, 9})
  void resumesWhereAConnectionWasCut(int tenth) throws IOException {
    int length = hub.files.get(WEIGHTS).length;
    hub.sender = FakeHub.cut(length * tenth / 10 + 1);
    assertComplete(Hub.resolve(ID, options));
    // Every byte was sent once.
    assertThat(hub.requests(WEIGHTS + " range=bytes")).isEqualTo(9 / tenth);
  }

  @Test
  void resumesWhatAnotherProcessLeft() throws IOException {
    byte[] whole = hub.files.get(WEIGHTS);
    Path partial = partial();
    Files.createDirectories(partial.getParent());
    Files.write(partial, Arrays.copyOf(whole, 30_000));
    List<DownloadProgress> seen = new ArrayList<>();
    assertComplete(Hub.resolve(ID, options.withListener(seen::add)));
    assertThat(hub.requests("range=bytes=30000-")).isEqualTo(1);
    assertThat(partial).doesNotExist();
    DownloadProgress last = seen.get(seen.size() - 1);
    assertThat(last.done()).isEqualTo(last.total());
    assertThat(last.bytesPerSecond()).isPositive();
  }

  @Test
  void startsAgainWhereAPartialFileIsDamaged() throws IOException {
    Path partial = partial();
    Files.createDirectories(partial.getParent());
    for (int length : new int[] {30_000, hub.files.get(WEIGHTS).length, 500_000}) {
      Files.write(partial, new byte[length]);
      assertComplete(Hub.resolve(ID, options));
      new HubCache(options.cache()).remove(ID);
      Files.createDirectories(partial.getParent());
    }
  }

  @Test
  void startsAgainWhereTheServerKnowsNoRanges() throws IOException {
    hub.ranges = false;
    FakeHub.Sender cut = FakeHub.cut(40_000);
    hub.sender =
        (exchange, body, from) -> {
          if (hub.requests(WEIGHTS) == 1) {
            cut.send(exchange, body, from);
          } else {
            FakeHub.whole(exchange, body, from);
          }
        };
    assertComplete(Hub.resolve(ID, options));
  }

  @Test
  void givesUpOnAServerThatSendsNothing() {
    hub.sender = FakeHub.cut(0);
    assertThatThrownBy(() -> Hub.resolve(ID, options))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("config.json of owner/name cannot be fetched");
    assertThat(hub.requests("config.json")).isEqualTo(4);
    assertThat(storage().resolve("refs/main")).doesNotExist();
  }

  @Test
  void takesASlowDripForABrokenConnection() {
    hub.sender =
        (exchange, body, from) -> {
          FakeHub.start(exchange, body.length, from);
          OutputStream out = exchange.getResponseBody();
          for (int i = from; i < body.length; i++) {
            out.write(body[i]);
            out.flush();
            pause(50);
          }
        };
    hub.file("config.json", " ".repeat(5000) + "{}");
    assertThatThrownBy(
            () ->
                Hub.resolve(
                    ID, options.withPatience(Duration.ofSeconds(1), 1, Duration.ofMillis(1))))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("less than 1024 bytes came in 1000 ms");
    // It counts as a try that brought nothing, though the second went on where the first was.
    assertThat(hub.requests("config.json")).isEqualTo(2);
    assertThat(hub.requests("config.json range=bytes=")).isEqualTo(1);
  }

  @Test
  void givesUpOnAServerThatNeverAnswers() {
    hub.sender = (exchange, body, from) -> hang();
    assertThatThrownBy(
            () ->
                Hub.resolve(
                    ID, options.withPatience(Duration.ofMillis(400), 1, Duration.ofMillis(1))))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("timed out");
  }

  @Test
  void waitsAsLongAsTheHubAsks() throws IOException {
    hub.refuse("/api/", 429, "Retry-After", "1");
    hub.refuse("config.json", 503);
    hub.refuse(WEIGHTS, 500);
    hub.refuse(WEIGHTS, 502);
    hub.refuse(WEIGHTS, 504);
    long start = System.nanoTime();
    assertComplete(
        Hub.resolve(ID, options.withPatience(Duration.ofSeconds(30), 3, Duration.ofMillis(40))));
    // A second as asked for; 40 ms for the config; 40, 80 and 160 for the weights.
    assertThat(System.nanoTime() - start).isGreaterThan(1_320_000_000L);
    assertThat(hub.requests(WEIGHTS)).isEqualTo(4);
  }

  @Test
  void givesUpOnAHubThatIsBusyForever() {
    for (int i = 0; i < 4; i++) {
      hub.refuse("/api/", 429);
    }
    assertThatThrownBy(() -> Hub.resolve(ID, options))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("429 (too many requests)");
  }

  @Test
  void fallsBackOnTheCache() throws IOException {
    Hub.resolve(ID, options);
    hub.refuse("/api/", 503);
    assertComplete(Hub.resolve(ID, options));
    hub.close();
    assertComplete(Hub.resolve(ID, options));
    assertThatThrownBy(() -> Hub.resolve("owner/other", options))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("the list of files of owner/other cannot be fetched from")
        .hasMessageContaining("it cannot be reached")
        .hasMessageContaining("HF_ENDPOINT");
  }

  @Test
  void stopsWhenCancelledAndKeepsWhatItHas() throws IOException {
    Cancellation cancellation = new Cancellation();
    hub.sender =
        (exchange, body, from) -> {
          if (body == hub.files.get(WEIGHTS) && from == 0) {
            FakeHub.start(exchange, body.length, from);
            exchange.getResponseBody().write(body, 0, 60_000);
            exchange.getResponseBody().flush();
            awaitPartial(60_000);
            cancellation.cancel();
            hang();
          } else {
            FakeHub.whole(exchange, body, from);
          }
        };
    assertThatThrownBy(() -> Hub.resolve(ID, options.withCancellation(cancellation)))
        .isInstanceOf(CancelledException.class);
    assertComplete(Hub.resolve(ID, options));
    assertThat(hub.requests("range=bytes=60000-")).isEqualTo(1);
  }

  @Test
  void stopsWhenInterrupted() throws Exception {
    hub.sender = (exchange, body, from) -> hang();
    Throwable[] thrown = new Throwable[1];
    boolean[] flag = new boolean[1];
    Thread thread =
        new Thread(
            () -> {
              try {
                Hub.resolve(ID, options);
              } catch (RuntimeException e) {
                thrown[0] = e;
                flag[0] = Thread.currentThread().isInterrupted();
              }
            });
    thread.start();
    while (hub.requests("/resolve/") == 0) {
      Thread.sleep(10);
    }
    thread.interrupt();
    thread.join();
    assertThat(thrown[0]).isInstanceOf(CancelledException.class);
    assertThat(flag[0]).isTrue();
  }
}
