package dev.lmm.clip.internal;

import dev.lmm.Image;
import dev.lmm.Inspection.Pixels;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.graph.DType;
import dev.lmm.core.vision.NaflexPatches;
import dev.lmm.core.vision.Preprocessing;
import dev.lmm.core.vision.ResizeFilter;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.Map;

/**
 * Pictures of any aspect as patches: {@code patches} [batch, n, patch*patch*3], {@code positions}
 * [batch, n, table] and {@code mask} [batch, n], n being the most patches of the batch (padding is
 * masked, so how much of it there is does not matter).
 */
final class NaflexInput implements ImageInput {
  private final int patch;
  private final int maxPatches;
  private final int tableSide;
  private final ResizeFilter filter;
  private final float[][] levels;

  /**
   * Makes the input.
   *
   * @param patch side of a patch in pixels
   * @param maxPatches the most patches of a picture
   * @param table entries of the square table of position embeddings
   * @param filter how to resize
   * @param levels what each level of each channel becomes
   */
  NaflexInput(int patch, int maxPatches, int table, ResizeFilter filter, float[][] levels) {
    this.patch = patch;
    this.maxPatches = maxPatches;
    this.tableSide = (int) Math.round(Math.sqrt(table));
    this.filter = filter;
    this.levels = levels;
  }

  @Override
  public Image prepare(Image image) {
    int[] size = NaflexPatches.size(image.width(), image.height(), patch, maxPatches);
    return new Preprocessing(
            true,
            size[0],
            size[1],
            0,
            filter,
            false,
            0,
            0,
            1,
            new double[3],
            new double[] {1, 1, 1})
        .pixels(image);
  }

  @Override
  public int maxPatches() {
    return maxPatches;
  }

  private int patches(Image prepared) {
    return prepared.width() / patch * (prepared.height() / patch);
  }

  @Override
  public Map<String, Tensor> tensors(List<Image> prepared) {
    int n = prepared.stream().mapToInt(this::patches).max().orElseThrow();
    return tensors(prepared, n);
  }

  private Map<String, Tensor> tensors(List<Image> prepared, int n) {
    int batch = prepared.size();
    int values = patch * patch * 3;
    int table = tableSide * tableSide;
    Tensor patches = Tensor.zeros(DType.F32, batch, n, values);
    Tensor positions = Tensor.zeros(DType.F32, batch, n, table);
    Tensor mask = Tensor.zeros(DType.BOOL, batch, n);
    FloatBuffer patchTarget = patches.floats();
    FloatBuffer positionTarget = positions.floats();
    ByteBuffer maskTarget = mask.data();
    for (int b = 0; b < batch; b++) {
      Image image = prepared.get(b);
      NaflexPatches.write(image, patch, levels, patchTarget.position(b * n * values));
      PositionTable.write(
          tableSide,
          image.height() / patch,
          image.width() / patch,
          positionTarget.position(b * n * table));
      for (int i = 0; i < patches(image); i++) {
        maskTarget.put(b * n + i, (byte) 1);
      }
    }
    return Map.of("patches", patches, "positions", positions, "mask", mask);
  }

  @Override
  public Pixels inspect(Image image) {
    float[] values = tensors(List.of(prepare(image)), maxPatches).get("patches").toFloats();
    return new Pixels(List.of(1, maxPatches, patch * patch * 3), values);
  }
}
