package dev.lmm.examples;

import dev.lmm.Models;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * A hub's cache in which tiny models lie under the names of published ones, so that what the pages
 * show runs to the letter. The build sets HF_HUB_CACHE to it and forbids the network.
 */
final class TinyHub {
  private static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";
  private static final String BLIP2 = "../lmm-blip2/src/test/resources/golden/";
  private static final Map<String, String> MODELS =
      Map.of(
          "openai/clip-vit-base-patch32", "tiny-clip",
          "google/siglip2-base-patch16-224", "tiny-siglip2",
          "stable-diffusion-v1-5/stable-diffusion-v1-5", "tiny-sd",
          "Qwen/Qwen2.5-VL-3B-Instruct", "tiny-qwen2.5-vl",
          "Qwen/Qwen2.5-VL-7B-Instruct", "tiny-qwen2.5-vl",
          "Salesforce/blip2-opt-2.7b", BLIP2 + "blip2-opt",
          "Salesforce/blip2-itm-vit-g", BLIP2 + "blip2-itm");

  private TinyHub() {}

  /** Puts the models there; to be called before the first load by such a name. */
  static synchronized void prepare() {
    try {
      Path hub = Files.createDirectories(Path.of(System.getenv("HF_HUB_CACHE")));
      for (Map.Entry<String, String> model : MODELS.entrySet()) {
        Path repository = hub.resolve("models--" + model.getKey().replace("/", "--"));
        if (!Files.exists(repository.resolve("refs/main"))) {
          unpack(model.getValue(), repository);
        }
      }
    } catch (IOException e) {
      throw new AssertionError("The hub of the tests cannot be made", e);
    }
  }

  /**
   * The folder of a model.
   *
   * @param id under which it is published
   * @return the snapshot
   */
  static Path folder(String id) {
    prepare();
    return Path.of(System.getenv("HF_HUB_CACHE"))
        .resolve("models--" + id.replace("/", "--") + "/snapshots/" + COMMIT);
  }

  private static void unpack(String model, Path repository) throws IOException {
    Path file = Files.createTempFile("tiny", ".lmm");
    Models.bundle(model).natives(false).write(file);
    try (ZipFile zip = new ZipFile(file.toFile())) {
      for (ZipEntry entry : Collections.list(zip.entries())) {
        if (entry.getName().startsWith("models/0/")) {
          Path target =
              repository
                  .resolve("snapshots/" + COMMIT)
                  .resolve(entry.getName().substring("models/0/".length()));
          Files.createDirectories(target.getParent());
          try (InputStream in = zip.getInputStream(entry)) {
            Files.copy(in, target);
          }
        }
      }
    } finally {
      Files.deleteIfExists(file);
    }
    Files.createDirectories(repository.resolve("refs"));
    Files.writeString(repository.resolve("refs/main"), COMMIT);
  }
}
