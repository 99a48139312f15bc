package dev.lmm.qwenvl.internal;

import dev.lmm.Cancellation;
import dev.lmm.Image;
import dev.lmm.core.engine.Program;
import dev.lmm.core.engine.RunOptions;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.graph.DType;
import dev.lmm.qwenvl.internal.QwenConfig.VisionConfig;
import java.nio.ByteBuffer;
import java.nio.LongBuffer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Looks at pictures and videos. Thread-safe. */
final class VisionTower implements AutoCloseable {
  /** A long video is looked at in parts of so many patches: no step of time sees another. */
  private static final int MOST_PATCHES = 1 << 15;

  private final VisionConfig config;
  private final PictureInput input;
  private final Program program;
  private final float[] frequencies;

  VisionTower(VisionConfig config, PictureInput input, Program program) {
    this.config = config;
    this.input = input;
    this.program = program;
    int quarter = config.headSize() / 4;
    this.frequencies = new float[quarter];
    for (int i = 0; i < quarter; i++) {
      // In single precision, as the reference has it.
      float exponent = 2f * i / (2 * quarter);
      frequencies[i] = 1 / (float) Math.pow(10000, exponent);
    }
  }

  PictureInput input() {
    return input;
  }

  /** How many frames a step of time has. */
  int framesPerStep() {
    return config.temporalPatchSize();
  }

  Program program() {
    return program;
  }

  /**
   * What the language model gets of a picture or video.
   *
   * @return F32 [entries, width]
   */
  Tensor features(List<Image> frames, Grid grid, @Nullable Cancellation cancellation) {
    int each = grid.rows() * grid.columns();
    int width = config.outHiddenSize();
    int cells = each / config.cell();
    Tensor all = Tensor.zeros(DType.F32, (long) grid.times() * cells, width);
    ByteBuffer target = all.data();
    int most = Math.max(1, MOST_PATCHES / each);
    for (int from = 0; from < grid.times(); from += most) {
      if (cancellation != null) {
        cancellation.check();
      }
      int to = Math.min(from + most, grid.times());
      Tensor part =
          run(
              input.patches(frames, grid, from, to),
              new Grid(to - from, grid.rows(), grid.columns()),
              cancellation);
      target.put(part.data());
    }
    return all;
  }

  /**
   * Runs the tower.
   *
   * @param patches F32 [times, cells, cell * patch]
   * @return F32 [times, cells, width]
   */
  Tensor run(Tensor patches, Grid grid, @Nullable Cancellation cancellation) {
    Map<String, Tensor> inputs = new LinkedHashMap<>();
    inputs.put("pixels", patches);
    rotation(grid, inputs);
    if (config.windowed()) {
      windows(grid, inputs);
    }
    return program
        .run(inputs, Set.of("features"), RunOptions.cancelledBy(cancellation))
        .get("features");
  }

  /** Angles of each patch: half of a head's pairs turn with the row, half with the column. */
  private void rotation(Grid grid, Map<String, Tensor> inputs) {
    int merge = config.mergeSize();
    int quarter = frequencies.length;
    int cells = grid.rows() * grid.columns() / config.cell();
    float[] cos = new float[cells * config.cell() * 2 * quarter];
    float[] sin = new float[cos.length];
    int at = 0;
    for (int cell = 0; cell < cells; cell++) {
      int top = cell / (grid.columns() / merge) * merge;
      int left = cell % (grid.columns() / merge) * merge;
      for (int patch = 0; patch < config.cell(); patch++) {
        int row = top + patch / merge;
        int column = left + patch % merge;
        for (int i = 0; i < 2 * quarter; i++, at++) {
          float angle = (i < quarter ? row : column) * frequencies[i % quarter];
          cos[at] = (float) Math.cos(angle);
          sin[at] = (float) Math.sin(angle);
        }
      }
    }
    long width = (long) config.cell() * 2 * quarter;
    inputs.put("cos", Tensor.of(cos, cells, width));
    inputs.put("sin", Tensor.of(sin, cells, width));
  }

  /** How many windows a picture or video has; 0 where no block has any. */
  static int windows(VisionConfig config, Grid grid) {
    if (!config.windowed()) {
      return 0;
    }
    int edge = config.windowCells() * config.mergeSize();
    int down = (grid.rows() + edge - 1) / edge;
    int across = (grid.columns() + edge - 1) / edge;
    return grid.times() * down * across;
  }

  /** Which patches each window holds. Windows at the right and lower edges may not be full. */
  private void windows(Grid grid, Map<String, Tensor> inputs) {
    int side = config.windowCells();
    int cell = config.cell();
    int rows = grid.rows() / config.mergeSize();
    int columns = grid.columns() / config.mergeSize();
    int length = side * side * cell;
    int count = windows(config, grid);
    Tensor windows = Tensor.zeros(DType.I64, count, length);
    Tensor real = Tensor.zeros(DType.BOOL, count, 1, 1, length);
    Tensor back = Tensor.zeros(DType.I64, grid.times(), (long) rows * columns, cell);
    LongBuffer patches = windows.longs();
    ByteBuffer there = real.data();
    LongBuffer places = back.longs();
    int window = 0;
    for (int time = 0; time < grid.times(); time++) {
      for (int top = 0; top < rows; top += side) {
        for (int left = 0; left < columns; left += side, window++) {
          int at = window * length;
          for (int row = top; row < Math.min(top + side, rows); row++) {
            for (int column = left; column < Math.min(left + side, columns); column++) {
              int first = ((time * rows + row) * columns + column) * cell;
              for (int i = 0; i < cell; i++, at++) {
                patches.put(at, first + i);
                there.put(at, (byte) 1);
                places.put(first + i, at);
              }
            }
          }
        }
      }
    }
    inputs.put("windows", windows);
    inputs.put("real", real);
    inputs.put("back", back);
  }

  @Override
  public void close() {
    program.close();
  }
}
