package dev.lmm.clip;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lmm.Image;
import dev.lmm.core.checkpoint.CheckpointWeights;
import dev.lmm.core.json.Json;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A tiny checkpoint in a published layout, with what transformers computes from it. */
final class Golden implements AutoCloseable {
  private static final Path ROOT = Path.of("src/test/resources/golden");

  final String name;
  final Path folder;
  final List<Path> pictures;
  final List<String> texts;
  private final Json json;
  private final CheckpointWeights tensors;

  Golden(String name) {
    this.name = name;
    this.folder = ROOT.resolve(name);
    this.json = Json.parse(folder.resolve("golden.json"));
    this.pictures =
        json.at("pictures").elements().stream()
            .map(p -> ROOT.resolve("pictures").resolve(p.string()))
            .toList();
    this.texts = json.at("texts").elements().stream().map(Json::string).toList();
    Path own = folder.resolve("golden.safetensors");
    // The .bin layout holds the same model as the safetensors one.
    Path file =
        Files.exists(own)
            ? own
            : ROOT.resolve(json.stringAt("checkpoint")).resolve("golden.safetensors");
    this.tensors = CheckpointWeights.ofSafetensors(name, List.of(file));
  }

  List<Image> images() {
    return pictures.stream().map(Image::read).toList();
  }

  /** Token ids of a text as the model gets them. */
  List<Integer> ids(int text) {
    return json.at("ids").elements().get(text).elements().stream().map(Json::asInt).toList();
  }

  float[] floats(String tensor) {
    ByteBuffer bytes = tensors.map(tensor, 0, (int) tensors.locate(tensor).length());
    float[] values = new float[bytes.remaining() / 4];
    bytes.asFloatBuffer().get(values);
    return values;
  }

  /** Fails unless all numbers are within the tolerance; NaN never is. */
  static void assertClose(String what, float[] found, float[] expected, double tolerance) {
    assertThat(found).as(what).hasSameSizeAs(expected);
    double worst = 0;
    for (int i = 0; i < found.length; i++) {
      double difference = Math.abs((double) found[i] - expected[i]);
      if (!(difference <= tolerance)) {
        assertThat(found[i]).as("%s [%d]", what, i).isEqualTo(expected[i]);
      }
      worst = Math.max(worst, difference);
    }
    assertThat(worst).as(what).isLessThanOrEqualTo(tolerance);
  }

  @Override
  public void close() {
    tensors.close();
  }
}
