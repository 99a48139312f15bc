package dev.lmm.core.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.lmm.CheckpointException;
import dev.lmm.core.engine.StoredTensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.io.TempDir;

/**
 * Files that were damaged at random, with fixed seeds: the outcome is a checkpoint or a {@link
 * CheckpointException}, without much memory. {@code -Dlmm.mutations=N} runs more.
 */
// No round is timed: machines differ. This only ends a reader that never comes back.
@Timeout(value = 10, unit = TimeUnit.MINUTES, threadMode = ThreadMode.SEPARATE_THREAD)
class MutationTest {
  private static final int ROUNDS = Integer.getInteger("lmm.mutations", 1000);
  private static final long MAX_BYTES = 64L << 20;
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  @TempDir Path folder;

  /** What reads a file. */
  private interface Reader {
    void read(Path file);
  }

  private record Outcome(int opened, int refused) {}

  private Outcome attack(String name, List<byte[]> seeds, String[] words, Reader reader)
      throws IOException {
    Random random = new Random(42);
    Path file = folder.resolve(name);
    int opened = 0;
    int refused = 0;
    for (int round = 0; round < ROUNDS; round++) {
      byte[] bytes = mutated(seeds.get(random.nextInt(seeds.size())), seeds, words, random);
      Files.write(file, bytes);
      long memory = THREADS.getThreadAllocatedBytes(Thread.currentThread().getId());
      try {
        reader.read(file);
        opened++;
      } catch (CheckpointException e) {
        assertThat(e.getMessage()).contains(folder.toString()).hasSizeLessThan(2000);
        refused++;
      } catch (RuntimeException | Error e) {
        Path kept = Files.createTempFile("lmm-" + name, ".broken");
        Files.write(kept, bytes);
        throw new AssertionError("round " + round + " of " + name + ", kept in " + kept, e);
      }
      memory = THREADS.getThreadAllocatedBytes(Thread.currentThread().getId()) - memory;
      assertThat(memory).as("bytes in round " + round).isLessThan(4L * bytes.length + MAX_BYTES);
    }
    return new Outcome(opened, refused);
  }

  private static byte[] mutated(byte[] seed, List<byte[]> seeds, String[] words, Random random) {
    byte[] bytes = seed.clone();
    int changes = 1 + random.nextInt(6);
    for (int i = 0; i < changes && bytes.length > 0; i++) {
      int at = random.nextInt(bytes.length);
      switch (random.nextInt(8)) {
        case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
        case 1 -> bytes[at] = (byte) random.nextInt(256);
        case 2 -> bytes = Arrays.copyOf(bytes, at);
        case 3 -> {
          // A long, small, huge or negative.
          long value = new long[] {0, 1, -1, Long.MAX_VALUE, 1L << 31, 1L << 40}[random.nextInt(6)];
          for (int b = 0; b < 8 && at + b < bytes.length; b++) {
            bytes[at + b] = (byte) (value >> (8 * b));
          }
        }
        case 4 -> {
          int end = Math.min(bytes.length, at + random.nextInt(64));
          bytes = splice(bytes, at, end, new byte[0]);
        }
        case 5 -> {
          int end = Math.min(bytes.length, at + random.nextInt(64));
          bytes = splice(bytes, at, at, Arrays.copyOfRange(bytes, at, end));
        }
        case 6 -> {
          byte[] word = words[random.nextInt(words.length)].getBytes(StandardCharsets.ISO_8859_1);
          bytes =
              splice(bytes, at, Math.min(bytes.length, at + random.nextInt(word.length + 1)), word);
        }
        default -> {
          byte[] other = seeds.get(random.nextInt(seeds.size()));
          int from = random.nextInt(other.length);
          bytes =
              splice(
                  bytes,
                  at,
                  Math.min(bytes.length, at + random.nextInt(32)),
                  Arrays.copyOfRange(other, from, Math.min(other.length, from + 64)));
        }
      }
    }
    return bytes;
  }

  private static byte[] splice(byte[] bytes, int from, int to, byte[] part) {
    byte[] out = new byte[bytes.length - (to - from) + part.length];
    System.arraycopy(bytes, 0, out, 0, from);
    System.arraycopy(part, 0, out, from, part.length);
    System.arraycopy(bytes, to, out, from + part.length, bytes.length - to);
    return out;
  }

  private static List<byte[]> golden(String... names) throws IOException {
    List<byte[]> seeds = new ArrayList<>();
    for (String name : names) {
      seeds.add(Files.readAllBytes(TorchCheckpointTest.golden(name)));
    }
    return seeds;
  }

  private static void openAndRead(CheckpointWeights weights) {
    try (weights) {
      for (String name : weights.names()) {
        StoredTensor tensor = weights.locate(name);
        assertThat(tensor.offset()).isNotNegative();
        assertThat(tensor.length()).isNotNegative();
        assertThat(tensor.offset() + tensor.length()).isLessThanOrEqualTo(size(tensor.file()));
      }
      weights.names().stream()
          .findFirst()
          .ifPresent(name -> TorchCheckpointTest.bytes(weights, name));
    }
  }

  private static long size(Path file) {
    try {
      return Files.size(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void safetensors() throws IOException {
    Outcome outcome =
        attack(
            "x.safetensors",
            golden("types.safetensors", "views.safetensors", "net.safetensors"),
            new String[] {
              "{",
              "}",
              "[",
              "]",
              "\"",
              ",",
              ":",
              "-1",
              "9223372036854775807",
              "1e9",
              "null",
              "\"dtype\":\"F64\"",
              "\"shape\":[0]",
              "\"data_offsets\":[0,0]",
              "__metadata__",
              "\\u0000",
              "[".repeat(300)
            },
            file -> openAndRead(CheckpointWeights.ofSafetensors(file.toString(), List.of(file))));
    assertThat(outcome.refused()).isGreaterThan(ROUNDS / 2);
    assertThat(outcome.opened()).isPositive();
  }

  private static final String[] PICKLE_WORDS = {
    ".",
    "N",
    "(",
    "t",
    "]",
    "}",
    "e",
    "u",
    "s",
    "a",
    "R",
    "b",
    "Q",
    "q\0",
    "h\0",
    "\u0085",
    "\u0086",
    "\u0087",
    "\u0094",
    "K\1",
    "K\u00ff",
    "J\u00ff\u00ff\u00ff\u00ff",
    "\u008a\10\0\0\0\0\0\0\0\u0080",
    "\u008b\u00ff\u00ff\u00ff\u007f",
    "X\u00ff\u00ff\u00ff\u007f",
    "r\u00ff\u00ff\u00ff\u00ff",
    "cos\nsystem\n",
    "ctorch\nHalfStorage\n",
    "ctorch._utils\n_rebuild_tensor_v2\n",
    "ccollections\nOrderedDict\n",
    "\u0080\4",
    "PK\1\2",
    "PK\3\4",
    "PK\5\6",
    "PK\6\6"
  };

  @Test
  void zippedPickles() throws IOException {
    Outcome outcome =
        attack(
            "x.bin",
            golden("views.bin", "types.bin", "net.bin", "wrapped.bin", "views_protocol5.bin"),
            PICKLE_WORDS,
            file -> openAndRead(CheckpointWeights.ofTorch(file)));
    assertThat(outcome.refused()).isGreaterThan(ROUNDS / 2);
    assertThat(outcome.opened()).isPositive();
  }

  @Test
  void legacyPickles() throws IOException {
    Outcome outcome =
        attack(
            "x.pth",
            golden("legacy.bin", "legacy_net.bin", "legacy_types.bin"),
            PICKLE_WORDS,
            file -> openAndRead(CheckpointWeights.ofTorch(file)));
    assertThat(outcome.refused()).isGreaterThan(ROUNDS / 2);
    assertThat(outcome.opened()).isPositive();
  }

  @Test
  void indexes() throws IOException {
    Files.copy(TorchCheckpointTest.golden("net.safetensors"), folder.resolve("a.safetensors"));
    Files.copy(TorchCheckpointTest.golden("views.safetensors"), folder.resolve("b.safetensors"));
    String index =
        "{\"metadata\":{\"total_size\":1.5},\"weight_map\":{\"embed.weight\":\"a.safetensors\","
            + "\"whole\":\"b.safetensors\",\"rows\":\"b.safetensors\"}}";
    Outcome outcome =
        attack(
            "model.safetensors.index.json",
            List.of(index.getBytes(StandardCharsets.UTF_8)),
            new String[] {
              "{",
              "}",
              "[",
              "]",
              "\"",
              ",",
              ":",
              "../",
              "/etc/passwd",
              "\\u0000",
              "null",
              "1",
              "weight_map",
              ".bin",
              "NaN",
              "[".repeat(300),
              "{\"a\":".repeat(300)
            },
            file -> openAndRead(CheckpointFiles.open(folder)));
    assertThat(outcome.refused()).isGreaterThan(ROUNDS / 2);
    assertThat(outcome.opened()).isPositive();
  }
}
