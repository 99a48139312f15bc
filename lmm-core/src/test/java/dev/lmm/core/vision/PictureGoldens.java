package dev.lmm.core.vision;

import dev.lmm.core.checkpoint.Safetensors;
import dev.lmm.core.engine.StoredTensor;
import dev.lmm.core.json.Json;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;

/** What reference/picture_goldens.py wrote: Pillow's and transformers' results. */
public final class PictureGoldens {
  public static final Path FOLDER = Path.of("src/test/resources/golden/pictures");

  private PictureGoldens() {}

  public static Json json(String name) {
    return Json.parse(FOLDER.resolve(name));
  }

  /** Each tensor as it lies in the file. */
  public static Map<String, byte[]> tensors(String name) {
    Path file = FOLDER.resolve(name);
    Map<String, byte[]> tensors = new HashMap<>();
    byte[] all = bytes(file);
    for (StoredTensor t : Safetensors.read(file)) {
      int from = (int) t.offset();
      tensors.put(t.name(), Arrays.copyOfRange(all, from, from + (int) t.length()));
    }
    return tensors;
  }

  public static Map<String, long[]> shapes(String name) {
    Map<String, long[]> shapes = new HashMap<>();
    for (StoredTensor t : Safetensors.read(FOLDER.resolve(name))) {
      shapes.put(t.name(), t.shape());
    }
    return shapes;
  }

  public static byte[] bytes(Path file) {
    try {
      return Files.readAllBytes(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public static String sha256(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }
}
