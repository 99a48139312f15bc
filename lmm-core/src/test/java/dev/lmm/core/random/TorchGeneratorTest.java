package dev.lmm.core.random;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.lmm.core.checkpoint.CheckpointWeights;
import dev.lmm.core.engine.StoredTensor;
import dev.lmm.core.json.Json;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

class TorchGeneratorTest {
  private static final Path FOLDER = Path.of("src/test/resources/golden");
  private static final CheckpointWeights GOLDEN =
      CheckpointWeights.ofSafetensors("golden", List.of(FOLDER.resolve("random.safetensors")));
  private static final Json INDEX = Json.parse(FOLDER.resolve("random.json"));

  @AfterAll
  static void close() {
    GOLDEN.close();
  }

  private static ByteBuffer golden(String name) {
    StoredTensor tensor = GOLDEN.locate(name);
    return GOLDEN.map(name, 0, (int) tensor.length());
  }

  @Test
  void normalsEqualTorchs() {
    List<Json> seeds = INDEX.at("seeds").elements();
    List<Json> counts = INDEX.at("counts").elements();
    for (int i = 0; i < seeds.size(); i++) {
      TorchGenerator generator = new TorchGenerator(seeds.get(i).asLong());
      for (int j = 0; j < counts.size(); j++) {
        float[] drawn = generator.randn((int) counts.get(j).asLong());
        float[] expected = new float[drawn.length];
        golden(i + "." + j).asFloatBuffer().get(expected);
        assertThat(drawn).as("seed %d, draw %d", i, j).containsExactly(expected, within(1e-6f));
      }
    }
  }

  @Test
  void integersEqualTorchsBitForBit() {
    List<Json> seeds = INDEX.at("seeds").elements();
    for (int i = 0; i < seeds.size(); i++) {
      TorchGenerator generator = new TorchGenerator(seeds.get(i).asLong());
      ByteBuffer expected = golden(i + ".bits");
      for (int k = 0; k < expected.capacity(); k += 8) {
        // torch draws 64 bits where the range has more than 32 and takes the remainder.
        assertThat(generator.nextLong() & 0xFFFFFFFFL).isEqualTo(expected.getLong(k));
      }
      generator = new TorchGenerator(seeds.get(i).asLong());
      ByteBuffer uniform = golden(i + ".uniform");
      for (int k = 0; k < uniform.capacity(); k += 4) {
        assertThat(generator.nextFloat()).isEqualTo(uniform.getFloat(k));
      }
    }
  }

  @Test
  void nothingIsDrawnForNothing() {
    TorchGenerator generator = new TorchGenerator(5);
    assertThat(generator.randn(0)).isEmpty();
    assertThat(generator.nextInt()).isEqualTo(new TorchGenerator(5).nextInt());
  }
}
