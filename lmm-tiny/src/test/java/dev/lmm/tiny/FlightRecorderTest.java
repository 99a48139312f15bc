package dev.lmm.tiny;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lmm.Answer;
import dev.lmm.Model;
import dev.lmm.Models;
import dev.lmm.Precision;
import dev.lmm.core.hub.BundledModels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What Java's flight recorder sees of a load and an answer. */
class FlightRecorderTest {
  @TempDir Path folder;

  @Test
  void seesLoadCompileQuantizeRunAndToken() throws IOException {
    Path file = folder.resolve("recording.jfr");
    Answer answer;
    try (Recording recording = new Recording()) {
      for (String event : List.of("ModelLoad", "Compile", "Quantize", "Run", "Token")) {
        recording.enable("dev.lmm." + event).withoutThreshold();
      }
      recording.start();
      // A copy: its quantized weights are in nobody's cache.
      try (Model model =
          Models.model(copy("tiny-qwen2.5-vl").toString()).precision(Precision.INT4).load()) {
        answer = model.chat().ask("Hello").maxTokens(4).run();
      }
      recording.stop();
      recording.dump(file);
    }
    List<RecordedEvent> events = RecordingFile.readAllEvents(file);

    RecordedEvent load = named(events, "ModelLoad").get(0);
    assertThat(load.getString("type")).isEqualTo("qwen2_5_vl");
    assertThat(load.getString("precision")).isEqualTo("int4");
    assertThat(load.getDuration()).isPositive();

    List<RecordedEvent> compiles = named(events, "Compile");
    assertThat(compiles)
        .extracting(event -> event.getString("part") + " " + event.getString("precision"))
        .containsExactlyInAnyOrder("vision fp32", "text int4");
    assertThat(compiles)
        .allSatisfy(event -> assertThat(event.getString("device")).isEqualTo("cpu"))
        .allSatisfy(event -> assertThat(event.getLong("weightBytes")).isGreaterThan(1 << 20))
        .allSatisfy(event -> assertThat(event.getDuration()).isLessThan(load.getDuration()));

    RecordedEvent quantize = named(events, "Quantize").get(0);
    assertThat(quantize.getInt("weights")).isGreaterThan(20);
    assertThat(quantize.getLong("bytes")).isGreaterThan(100_000);

    assertThat(named(events, "Run"))
        .isNotEmpty()
        .allSatisfy(event -> assertThat(event.getString("program")).isEqualTo("graph qwenvl.text"));
    assertThat(named(events, "Token"))
        .extracting(event -> event.getInt("id"))
        .containsExactlyElementsOf(answer.tokens().stream().map(token -> token.id()).toList());
  }

  private static List<RecordedEvent> named(List<RecordedEvent> events, String name) {
    return events.stream()
        .filter(event -> event.getEventType().getName().equals("dev.lmm." + name))
        .toList();
  }

  private Path copy(String id) throws IOException {
    Path copy = Files.createDirectory(folder.resolve("model"));
    Path bundled = BundledModels.find(id);
    try (Stream<Path> files = Files.list(bundled)) {
      for (Path each : (Iterable<Path>) files::iterator) {
        Files.copy(each, copy.resolve(each.getFileName()));
      }
    }
    return copy;
  }
}
