package dev.lmm.core.family;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lmm.EngineException;
import dev.lmm.Models;
import dev.lmm.UnsupportedModelException;
import dev.lmm.core.engine.Engines;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An application that has forgotten a family or an engine, as these tests have neither. */
class NothingOnTheClassPathTest {
  @TempDir Path folder;

  @Test
  void saysWhichFamilyToAdd() throws IOException {
    Files.writeString(folder.resolve("config.json"), "{\"model_type\": \"clip\"}");
    assertThatThrownBy(
            () -> Models.encoder(folder.toString()).engine("reference").device("cpu").load())
        .isInstanceOf(UnsupportedModelException.class)
        .hasMessageContaining("model_type is clip")
        .hasMessageContaining(
            "the families on the class path load nothing (add for instance dev.lmm:lmm-clip)");
  }

  @Test
  void saysWhichEngineToAdd() {
    assertThatThrownBy(() -> Engines.choose("auto"))
        .isInstanceOf(EngineException.class)
        .hasMessageContaining("No engine can run here: none is on the class path")
        .hasMessageContaining("add the artifact dev.lmm:lmm-onnx")
        .hasMessageContaining("The slow interpreter is there if asked for by its name, reference");
  }
}
