package dev.lmm.cli;

import dev.lmm.Image;
import dev.lmm.Inspection;
import dev.lmm.LmmException;
import dev.lmm.Model;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code lmm preprocess}. */
@Command(name = "preprocess", description = "The tensor the model sees, as a NumPy file.")
final class PreprocessCommand extends ModelCommand {
  @Option(names = "--image", paramLabel = "FILE", required = true, description = "A picture.")
  String image = "";

  @Option(
      names = "--out",
      paramLabel = "FILE.npy",
      required = true,
      description = "Where the tensor goes.")
  String out = "";

  @Override
  public Integer call() {
    try (Model loaded = load()) {
      Inspection.Pixels pixels = loaded.inspect().preprocess(Image.read(path(image)));
      Path file = path(out);
      try {
        Npy.write(file, pixels.shape(), pixels.values());
      } catch (IOException e) {
        throw new LmmException(file + ": cannot be written: " + e.getMessage(), e);
      }
      Map<String, Object> document = document(loaded.info());
      document.put("shape", pixels.shape());
      document.put("dtype", "float32");
      return print(document, () -> output().line(out + ": float32 " + pixels.shape()));
    }
  }
}
