package dev.lmm.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Collection;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/** Every benchmark runs; how fast it is does not matter here. */
class BenchmarksTest {
  @Test
  void runOnce() throws RunnerException {
    Collection<RunResult> results =
        new Runner(
                new OptionsBuilder()
                    .include("dev\\.lmm\\.bench\\..*Benchmark")
                    .param("width", "640")
                    .forks(0)
                    .warmupIterations(0)
                    .measurementIterations(1)
                    .measurementTime(TimeValue.milliseconds(1))
                    .shouldFailOnError(true)
                    .verbosity(VerboseMode.SILENT)
                    .build())
            .run();
    // One call, three steps of a picture, images and texts at two sizes.
    assertThat(results).hasSize(1 + 3 + 4);
  }

  @Test
  void photoSearchRunTellsTimesAndRecall(@TempDir Path folder) throws IOException {
    PrintStream before = System.out;
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8)) {
      System.setOut(out);
      PhotoSearchRun.main(new String[] {"300", "16", folder.toString(), "photos", "20"});
    } finally {
      System.setOut(before);
    }
    String printed = bytes.toString(StandardCharsets.UTF_8);
    assertThat(printed).contains("(300 added, 0 removed, 0 unchanged)", "(3 added, ");
    assertThat(printed.lines().filter(line -> line.matches(".*recall@10 (1\\.0|0\\.9[89]).*")))
        .as(printed)
        .hasSize(6);
  }
}
