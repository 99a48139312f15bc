package dev.lmm.search;

import dev.lmm.Encoder;
import dev.lmm.Image;
import dev.lmm.ModelInfo;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What made the vectors of an index: the model's name and precision, and the embedding of one
 * picture, which tells when another checkpoint lies under the same name and the same one under
 * another.
 *
 * @param id the model as it was named
 * @param type its {@code model_type}
 * @param precision what it computes in
 * @param probe embedding of the picture, of length 1
 */
@SuppressWarnings("ArrayRecordComponent") // never compared as a whole
record ModelStamp(String id, String type, String precision, float[] probe) {
  private static final String FORMAT = "lmm.search.format";
  private static final String CURRENT = "1";
  private static final String MODEL = "lmm.search.model";
  private static final String TYPE = "lmm.search.type";
  private static final String PRECISION = "lmm.search.precision";
  private static final String PROBE = "lmm.search.probe";
  private static final String FOLDER = "lmm.search.folder";

  /** Engines differ by 1e-10 here, quantized ones by 1e-5, models by more than 0.01. */
  private static final double SAME = 0.9999;

  private static final int PROBE_SIDE = 96;

  static ModelStamp of(Encoder encoder) {
    ModelInfo info = encoder.info();
    String precision = info.precision().name().toLowerCase(Locale.ROOT);
    return new ModelStamp(info.id(), info.modelType(), precision, encoder.embed(picture()));
  }

  /** Slopes and edges in colour, the same in every version of this library. */
  private static Image picture() {
    byte[] rgb = new byte[PROBE_SIDE * PROBE_SIDE * 3];
    int at = 0;
    for (int y = 0; y < PROBE_SIDE; y++) {
      for (int x = 0; x < PROBE_SIDE; x++) {
        boolean inside = (x - 40) * (x - 40) + (y - 52) * (y - 52) < 24 * 24;
        rgb[at++] = (byte) (inside ? 230 : 2 * x);
        rgb[at++] = (byte) (inside ? 40 : 2 * y);
        rgb[at++] = (byte) ((x / 12 + y / 12) % 2 == 0 ? 60 : 180);
      }
    }
    return Image.ofRgb(PROBE_SIDE, PROBE_SIDE, rgb);
  }

  /** As an index keeps it. */
  Map<String, String> written(Path folder) {
    ByteBuffer bytes = ByteBuffer.allocate(probe.length * 4).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(probe);
    Map<String, String> data = new LinkedHashMap<>();
    data.put(FORMAT, CURRENT);
    data.put(MODEL, id);
    data.put(TYPE, type);
    data.put(PRECISION, precision);
    data.put(PROBE, Base64.getEncoder().encodeToString(bytes.array()));
    data.put(FOLDER, folder.toString());
    return data;
  }

  /**
   * Refuses what was not made with this model from this folder.
   *
   * @param index where it lies
   * @param data what it keeps
   * @param folder the folder of pictures
   */
  void check(Path index, Map<String, String> data, Path folder) {
    String format = data.get(FORMAT);
    if (format == null) {
      throw new IndexException(
          index
              + ": is a Lucene index of something else than pictures; give a new or empty folder"
              + " for the index");
    }
    if (!format.equals(CURRENT)) {
      throw new IndexException(
          index
              + ": is of format "
              + format
              + ", this version reads "
              + CURRENT
              + "; delete it to have it made again");
    }
    String madeWith = data.getOrDefault(MODEL, "?");
    String madeIn = data.getOrDefault(PRECISION, "?");
    double cosine = cosine(decoded(index, data.get(PROBE)));
    if (!type.equals(data.get(TYPE)) || !precision.equals(madeIn) || !(cosine >= SAME)) {
      boolean sameName = madeWith.equals(id) && precision.equals(madeIn);
      throw new IndexException(
          String.format(
              Locale.ROOT,
              "%s: was made with %s in %s, this is %s in %s%s; their vectors cannot be compared:"
                  + " use that model, give this one an index of its own, or delete the folder to"
                  + " have it made again",
              index,
              madeWith,
              madeIn,
              id,
              precision,
              sameName ? " with other weights" : ""));
    }
    String other = data.getOrDefault(FOLDER, "");
    if (!other.equals(folder.toString()) && isThere(other)) {
      throw new IndexException(
          index
              + ": is the index of "
              + other
              + ", not of "
              + folder
              + "; give each folder an index of its own");
    }
  }

  private static boolean isThere(String folder) {
    try {
      return !folder.isEmpty() && Files.isDirectory(Path.of(folder));
    } catch (InvalidPathException e) {
      return false; // of another system
    }
  }

  private static float[] decoded(Path index, @Nullable String probe) {
    byte[] bytes;
    try {
      bytes = Base64.getDecoder().decode(probe == null ? "" : probe);
    } catch (IllegalArgumentException e) {
      throw new IndexException(
          index + ": is broken: its model's stamp cannot be read; delete it to have it made again",
          e);
    }
    float[] vector = new float[bytes.length / 4];
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(vector);
    return vector;
  }

  /** NaN for vectors of different lengths. */
  private double cosine(float[] other) {
    if (other.length != probe.length) {
      return Double.NaN;
    }
    double dot = 0;
    for (int i = 0; i < probe.length; i++) {
      dot += (double) probe[i] * other[i];
    }
    return dot;
  }
}
