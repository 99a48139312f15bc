package dev.lmm.qwenvl.internal;

import dev.lmm.CheckpointException;
import dev.lmm.Image;
import dev.lmm.InvalidRequestException;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.graph.DType;
import dev.lmm.core.json.Json;
import dev.lmm.core.vision.Preprocessing;
import dev.lmm.core.vision.ResizeFilter;
import dev.lmm.qwenvl.internal.QwenConfig.VisionConfig;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Cuts pictures and frames into patches, as preprocessor_config.json says. */
final class PictureInput {
  private static final double[] MEAN = {0.48145466, 0.4578275, 0.40821073};
  private static final double[] STD = {0.26862954, 0.26130258, 0.27577711};
  private static final int MOST_PIXELS = 1 << 28;

  private final VisionConfig config;
  private final boolean resize;
  private final ResizeFilter filter;
  private final Limits limits;
  private final float[][] levels;

  /**
   * How many pixels a picture may have after resizing.
   *
   * @param min smaller ones are enlarged
   * @param max larger ones are reduced
   */
  record Limits(int min, double max) {
    /** Of a frame that shares a video's pixels with the others, as qwen-vl-utils has it. */
    static Limits shared(long total, int frames, int min, int max) {
      int least = min > 0 ? min : 128 * 28 * 28;
      double most =
          Math.max(Math.min(768 * 28 * 28, (double) total / frames * 2), (int) (least * 1.05));
      return new Limits(least, max > 0 ? Math.max(least, Math.min(max, most)) : most);
    }
  }

  private PictureInput(
      VisionConfig config, boolean resize, ResizeFilter filter, Limits limits, float[][] levels) {
    this.config = config;
    this.resize = resize;
    this.filter = filter;
    this.limits = limits;
    this.levels = levels;
  }

  static PictureInput read(Path folder, VisionConfig config) {
    Path file = folder.resolve("preprocessor_config.json");
    if (!Files.isRegularFile(file)) {
      throw new CheckpointException(
          file + ": no such file; the model's pictures are prepared as it says");
    }
    Json json = Json.parse(file);
    same(json, "patch_size", config.patchSize());
    same(json, "merge_size", config.mergeSize());
    same(json, "temporal_patch_size", config.temporalPatchSize());
    // Old files have the two numbers, new ones a size of two edges.
    Json size = json.objectOrEmpty("size");
    int min = pixels(json, "min_pixels", pixels(size, "shortest_edge", 56 * 56));
    int max = pixels(json, "max_pixels", pixels(size, "longest_edge", 28 * 28 * 1280));
    if (min > max) {
      throw new CheckpointException(
          file + ": the fewest pixels are " + min + ", the most " + max + "; expected fewer");
    }
    boolean normalize = json.boolAt("do_normalize", true);
    Preprocessing steps =
        steps(
            28,
            28,
            ResizeFilter.BICUBIC,
            json.boolAt("do_rescale", true) ? json.doubleAt("rescale_factor", 1 / 255.0) : 1,
            normalize ? three(json, "image_mean", MEAN) : new double[3],
            normalize ? three(json, "image_std", STD) : new double[] {1, 1, 1});
    return new PictureInput(
        config,
        json.boolAt("do_resize", true),
        json.hasValue("resample")
            ? ResizeFilter.ofCode(json.intAt("resample"))
            : ResizeFilter.BICUBIC,
        new Limits(min, max),
        steps.levels());
  }

  private static Preprocessing steps(
      int width, int height, ResizeFilter filter, double factor, double[] mean, double[] std) {
    return new Preprocessing(true, width, height, 0, filter, false, 0, 0, factor, mean, std);
  }

  private static void same(Json json, String key, int expected) {
    if (json.intAt(key, expected) != expected) {
      throw json.at(key).unexpected(expected + ", as config.json says");
    }
  }

  private static int pixels(Json json, String key, int absent) {
    if (!json.hasValue(key)) {
      return absent;
    }
    long value = json.at(key).asLong();
    if (value < 1 || value > MOST_PIXELS) {
      throw json.at(key).unexpected("a number from 1 to " + MOST_PIXELS);
    }
    return (int) value;
  }

  private static double[] three(Json json, String key, double[] absent) {
    if (!json.hasValue(key)) {
      return absent;
    }
    double[] values = json.at(key).doubles();
    if (values.length != 3) {
      throw json.at(key).unexpected("three numbers");
    }
    return values;
  }

  int patchSize() {
    return config.patchSize();
  }

  /** The checkpoint's limits, where the caller does not choose others. */
  Limits limits(int min, int max) {
    int least = min == 0 ? limits.min() : min;
    double most = max == 0 ? limits.max() : max;
    if (least > most) {
      // Only one side was chosen.
      return min == 0 ? new Limits((int) most, most) : new Limits(least, least);
    }
    return new Limits(least, most);
  }

  /** The size a picture is resized to. */
  int[] resizedSize(int width, int height, Limits within) {
    int factor = config.patchSize() * config.mergeSize();
    if (!resize) {
      if (width % factor != 0 || height % factor != 0) {
        throw new InvalidRequestException(
            "image: has "
                + width
                + "x"
                + height
                + " pixels; this checkpoint resizes nothing and takes multiples of "
                + factor);
      }
      return new int[] {width, height};
    }
    return smartResize(width, height, factor, within);
  }

  /**
   * The reference's rule: both sides become multiples of the factor, the pixels stay within the
   * limits, the aspect is kept as far as that goes. A side that rounds to nothing makes the product
   * nothing, so that the enlarging branch runs.
   */
  static int[] smartResize(int width, int height, int factor, Limits within) {
    double aspect = Math.max(width, height) / (double) Math.min(width, height);
    if (aspect > 200) {
      throw new InvalidRequestException(
          "image: has "
              + width
              + "x"
              + height
              + " pixels, one side is more than 200 times the other; cut it into parts");
    }
    long h = (long) Math.rint(height / (double) factor) * factor;
    long w = (long) Math.rint(width / (double) factor) * factor;
    double area = (double) height * width;
    if (h * w > within.max()) {
      double beta = Math.sqrt(area / within.max());
      h = Math.max(factor, (long) Math.floor(height / beta / factor) * factor);
      w = Math.max(factor, (long) Math.floor(width / beta / factor) * factor);
    } else if (h * w < within.min()) {
      double beta = Math.sqrt(within.min() / area);
      h = (long) Math.ceil(height * beta / factor) * factor;
      w = (long) Math.ceil(width * beta / factor) * factor;
    }
    return new int[] {Math.toIntExact(w), Math.toIntExact(h)};
  }

  /** The patches that so many frames of a size become. */
  Grid grid(int frames, int width, int height, Limits within) {
    int[] size = resizedSize(width, height, within);
    int pair = config.temporalPatchSize();
    return new Grid(
        (frames + pair - 1) / pair, size[1] / config.patchSize(), size[0] / config.patchSize());
  }

  /**
   * The patches of some steps of time.
   *
   * @param frames one picture, or the frames of a video; the last is repeated to fill a step
   * @param grid as {@link #grid} gives it
   * @param from first step
   * @param to the step after the last
   * @return F32 [to - from, cells, cell * patch]: within a patch channel, time, row, column
   */
  Tensor patches(List<Image> frames, Grid grid, int from, int to) {
    int cells = grid.rows() * grid.columns() / config.cell();
    Tensor tensor =
        Tensor.zeros(DType.F32, to - from, cells, (long) config.cell() * config.patch());
    FloatBuffer target = tensor.floats();
    int pair = config.temporalPatchSize();
    for (int time = from; time < to; time++) {
      for (int slot = 0; slot < pair; slot++) {
        int index = Math.min(time * pair + slot, frames.size() - 1);
        boolean again = slot > 0 && index == Math.min(time * pair + slot - 1, frames.size() - 1);
        if (again) {
          repeat(target, grid, time - from, slot);
        } else {
          write(target, resized(frames.get(index), grid), grid, time - from, slot);
        }
      }
    }
    return tensor;
  }

  private Image resized(Image image, Grid grid) {
    int width = grid.columns() * config.patchSize();
    int height = grid.rows() * config.patchSize();
    return steps(width, height, filter, 1, new double[3], new double[] {1, 1, 1}).pixels(image);
  }

  private void write(FloatBuffer target, Image image, Grid grid, int time, int slot) {
    byte[] rgb = image.rgb();
    int side = config.patchSize();
    float[] line = new float[side];
    for (int row = 0; row < grid.rows(); row++) {
      for (int column = 0; column < grid.columns(); column++) {
        int at = start(grid, time, row, column) + slot * side * side;
        for (int c = 0; c < 3; c++, at += config.temporalPatchSize() * side * side) {
          float[] level = levels[c];
          for (int y = 0; y < side; y++) {
            int p = ((row * side + y) * image.width() + column * side) * 3 + c;
            for (int x = 0; x < side; x++, p += 3) {
              line[x] = level[rgb[p] & 0xFF];
            }
            target.put(at + y * side, line);
          }
        }
      }
    }
  }

  /** A picture fills all slots of time; so does the last of an odd number of frames. */
  private void repeat(FloatBuffer target, Grid grid, int time, int slot) {
    int plane = config.patchSize() * config.patchSize();
    float[] values = new float[plane];
    int first = start(grid, time, 0, 0);
    int planes = grid.rows() * grid.columns() * 3;
    for (int i = 0; i < planes; i++) {
      int at = first + i * config.temporalPatchSize() * plane;
      target.get(at + (slot - 1) * plane, values);
      target.put(at + slot * plane, values);
    }
  }

  /** Where a patch begins: cells row by row, within a cell its patches row by row. */
  private int start(Grid grid, int time, int row, int column) {
    int merge = config.mergeSize();
    int cell = (row / merge) * (grid.columns() / merge) + column / merge;
    int index = cell * config.cell() + (row % merge) * merge + column % merge;
    return (time * grid.rows() * grid.columns() + index) * config.patch();
  }
}
