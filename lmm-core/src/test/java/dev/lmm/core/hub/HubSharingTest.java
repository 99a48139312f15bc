package dev.lmm.core.hub;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/** One cache for several threads and processes. */
class HubSharingTest extends HubTesting {
  @Test
  void letsSeveralThreadsAskAtOnce() throws Exception {
    hub.sender =
        (exchange, body, from) -> {
          pause(20);
          FakeHub.whole(exchange, body, from);
        };
    ExecutorService threads = Executors.newFixedThreadPool(6);
    List<Future<Path>> results = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      results.add(threads.submit(() -> Hub.resolve(ID, options)));
    }
    for (Future<Path> result : results) {
      assertComplete(result.get());
    }
    threads.shutdown();
    // Each file was sent once.
    assertThat(hub.requests("/resolve/")).isEqualTo(4);
  }

  @Test
  void letsSeveralProcessesAskAtOnce() throws Exception {
    hub.sender =
        (exchange, body, from) -> {
          // The first file comes only when both have read the list: each wants every file.
          while (hub.requests("/api/") < 2) {
            pause(10);
          }
          pause(50);
          FakeHub.whole(exchange, body, from);
        };
    List<Process> processes = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      processes.add(process("ok"));
    }
    for (Process process : processes) {
      assertThat(process.waitFor()).isZero();
    }
    assertComplete(Hub.resolve(ID, options.withOffline(true)));
    assertThat(hub.requests("/api/")).isEqualTo(2);
    assertThat(hub.requests("/resolve/")).isEqualTo(4);
  }

  @Test
  void goesOnAfterAProcessWasKilled() throws Exception {
    CountDownLatch half = new CountDownLatch(1);
    hub.sender =
        (exchange, body, from) -> {
          if (body != hub.files.get(WEIGHTS) || half.getCount() == 0) {
            FakeHub.whole(exchange, body, from);
            return;
          }
          FakeHub.start(exchange, body.length, from);
          exchange.getResponseBody().write(body, 0, 60_000);
          exchange.getResponseBody().flush();
          half.countDown();
          hang();
        };
    Process process = process("killed");
    half.await();
    awaitPartial(60_000);
    process.destroyForcibly().waitFor();
    assertComplete(Hub.resolve(ID, options));
    assertThat(hub.requests("range=bytes=60000-")).isEqualTo(1);
  }

  private Process process(String name) throws IOException {
    ProcessBuilder builder = new ProcessBuilder(java(HubProcess.class, ID));
    builder.environment().put("HF_ENDPOINT", hub.address().toString());
    builder.environment().put("HF_HUB_CACHE", options.cache().toString());
    // One waits while the other starts, which takes as long as the machine is busy.
    builder.environment().put("HF_HUB_DOWNLOAD_TIMEOUT", "120");
    builder.redirectErrorStream(true);
    builder.redirectOutput(folder.resolve(name + System.nanoTime() + ".txt").toFile());
    return builder.start();
  }
}
