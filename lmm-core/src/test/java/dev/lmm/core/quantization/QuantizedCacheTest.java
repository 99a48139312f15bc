package dev.lmm.core.quantization;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lmm.CheckpointException;
import dev.lmm.InvalidRequestException;
import dev.lmm.LmmException;
import dev.lmm.core.checkpoint.CheckpointWeights;
import dev.lmm.core.engine.QuantizedTensor;
import dev.lmm.core.engine.QuantizedTensor.Layout;
import dev.lmm.core.engine.StoredTensor;
import dev.lmm.core.graph.DType;
import dev.lmm.core.graph.WeightRef;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class QuantizedCacheTest {
  private static final int ROWS = 37;
  private static final int COLUMNS = 100;

  @TempDir private Path folder;

  private static float[] normal(long seed, int count) {
    Random random = new Random(seed);
    float[] x = new float[count];
    for (int i = 0; i < count; i++) {
      // A multiple of 1/64 below 4: the same number in every floating point type.
      x[i] = Math.max(-255, Math.min(255, Math.round(random.nextGaussian() * 64))) / 64f;
    }
    return x;
  }

  private Path file(String name, DType type, float[] x, int... shape) throws IOException {
    String header =
        "{\"w\":{\"dtype\":\"%s\",\"shape\":[%d,%d],\"data_offsets\":[0,%d]}}"
            .formatted(type, shape[0], shape[1], x.length * type.bytes());
    byte[] text = header.getBytes(StandardCharsets.UTF_8);
    ByteBuffer out =
        ByteBuffer.allocate(8 + text.length + x.length * type.bytes())
            .order(ByteOrder.LITTLE_ENDIAN);
    out.putLong(text.length).put(text);
    for (float value : x) {
      int bits = Float.floatToRawIntBits(value);
      switch (type) {
        case F32 -> out.putFloat(value);
        case F64 -> out.putDouble(value);
        case BF16 -> out.putShort((short) (bits >>> 16));
        case F16 ->
            out.putShort(
                value == 0
                    ? 0
                    : (short)
                        ((bits >>> 16 & 0x8000)
                            | ((bits >>> 23 & 0xff) - 112) << 10
                            | (bits >>> 13 & 0x3ff)));
        default -> throw new IllegalArgumentException(type.toString());
      }
    }
    return Files.write(folder.resolve(name), out.array());
  }

  private static CheckpointWeights open(Path file) {
    return CheckpointWeights.ofSafetensors(file.toString(), List.of(file));
  }

  private QuantizedCache cache() {
    return new QuantizedCache(folder.resolve("cache"));
  }

  private static WeightRef whole() {
    return WeightRef.whole("w", ROWS, COLUMNS);
  }

  /** What the codes stand for, and in a second array the scale of each element. */
  private static float[][] decoded(QuantizedWeights weights, WeightRef ref) {
    QuantizedTensor tensor = weights.quantized(ref);
    assertThat(tensor).isNotNull();
    int rows = (int) tensor.rows();
    int columns = (int) tensor.columns();
    ByteBuffer codes = bytes(weights, tensor.codes());
    ByteBuffer scales = bytes(weights, tensor.scales());
    ByteBuffer zeros = tensor.zeros() == null ? null : bytes(weights, tensor.zeros());
    int blocks = (int) tensor.blocks();
    int bits = tensor.bits();
    float[][] out = new float[2][rows * columns];
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < columns; c++) {
        int block = c / tensor.block();
        float scale = scales.getFloat((r * blocks + block) * 4);
        int code;
        int zero = tensor.middle();
        if (tensor.layout() == Layout.COLUMNS) {
          code = codes.get(c * rows + r);
        } else {
          code = packed(codes, r * blocks * tensor.block() * bits / 8, c, bits);
          if (zeros != null) {
            zero = packed(zeros, r * ((blocks * bits + 7) / 8), block, bits);
          }
        }
        out[0][r * columns + c] = scale * (code - zero);
        out[1][r * columns + c] = Math.abs(scale);
      }
    }
    return out;
  }

  private static ByteBuffer bytes(QuantizedWeights weights, StoredTensor piece) {
    return weights.map(piece, 0, (int) piece.length()).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static int packed(ByteBuffer bytes, int from, int index, int bits) {
    return bits == 8
        ? bytes.get(from + index) & 0xff
        : bytes.get(from + index / 2) >> (index % 2 * 4) & 0xf;
  }

  private static double squares(float[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (a[i] - b[i]) * (double) (a[i] - b[i]);
    }
    return sum;
  }

  private static final List<Recipe> RECIPES =
      List.of(
          Recipe.COLUMNS,
          Recipe.blocks(4, 32),
          Recipe.blocks(8, 16),
          Recipe.blocks(4, 128),
          new Recipe(Layout.BLOCKS, 4, 32, true, false),
          new Recipe(Layout.BLOCKS, 8, 64, true, false));

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"F32", "F64", "F16", "BF16"})
  void everyWeightIsWithinHalfAStepOfItsCode(DType type) throws IOException {
    float[] x = normal(1, ROWS * COLUMNS);
    for (int c = 0; c < COLUMNS; c++) {
      x[3 * COLUMNS + c] = 0;
      x[4 * COLUMNS + c] = Math.abs(x[4 * COLUMNS + c]);
    }
    try (CheckpointWeights checkpoint = open(file("m.safetensors", type, x, ROWS, COLUMNS))) {
      for (Recipe recipe : RECIPES) {
        try (QuantizedWeights weights = cache().open(checkpoint, Map.of(whole(), recipe))) {
          float[][] found = decoded(weights, whole());
          for (int i = 0; i < x.length; i++) {
            // Of the largest of the other sign, 4 bits without zero points reach 7/8.
            double reach = recipe.bits() == 4 && !recipe.zeroPoints() ? 1 : 0.501;
            if (recipe.zeroPoints()) {
              reach = 1.001; // the zero point is rounded too
            }
            assertThat((double) Math.abs(found[0][i] - x[i]))
                .as("%s of %s, element %d = %f, scale %f", recipe.id(), type, i, x[i], found[1][i])
                .isLessThanOrEqualTo(reach * found[1][i] + 1e-6);
          }
          assertThat(weights.quantized(whole()).bytes())
              .as(recipe.id())
              .isEqualTo(recipe.bytes(ROWS, COLUMNS))
              .isEqualTo(weights.bytes());
        }
      }
    }
  }

  @Test
  void fourBitsTakeTheCodesThatThePaperGives() throws IOException {
    // One block; the largest magnitude, -8 steps, takes code 0.
    float[] x = new float[32];
    x[0] = -2;
    x[1] = 1.75f;
    x[2] = 0.25f;
    x[3] = -0.125f; // half a step: rounded up
    x[4] = 0.12f;
    try (CheckpointWeights checkpoint = open(file("m.safetensors", DType.F32, x, 1, 32));
        QuantizedWeights weights =
            cache().open(checkpoint, Map.of(WeightRef.whole("w", 1, 32), Recipe.blocks(4, 32)))) {
      QuantizedTensor tensor = weights.quantized(WeightRef.whole("w", 1, 32));
      assertThat(bytes(weights, tensor.scales()).getFloat(0)).isEqualTo(0.25f);
      ByteBuffer codes = bytes(weights, tensor.codes());
      assertThat(codes.get(0) & 0xff).isEqualTo(0xf0);
      assertThat(codes.get(1) & 0xff).isEqualTo(0x89);
      assertThat(codes.get(2) & 0xff).isEqualTo(0x88);
      assertThat(tensor.codes().shape()).containsExactly(1, 1, 16);
    }
  }

  @Test
  void zeroPointsAndTheSearchMakeErrorsSmaller() throws IOException {
    float[] x = normal(2, ROWS * COLUMNS);
    float[] shifted = x.clone();
    for (int i = 0; i < shifted.length; i++) {
      shifted[i] = Math.abs(shifted[i]);
    }
    try (CheckpointWeights centred = open(file("a.safetensors", DType.F32, x, ROWS, COLUMNS));
        CheckpointWeights positive =
            open(file("b.safetensors", DType.F32, shifted, ROWS, COLUMNS))) {
      double plain = error(centred, x, Recipe.blocks(4, 32));
      double searched = error(centred, x, new Recipe(Layout.BLOCKS, 4, 32, false, true));
      double coarse = error(centred, x, Recipe.blocks(4, 128));
      assertThat(searched).isLessThan(0.95 * plain);
      assertThat(plain).isLessThan(coarse);
      double symmetric = error(positive, shifted, Recipe.blocks(4, 32));
      double zeroPoints = error(positive, shifted, new Recipe(Layout.BLOCKS, 4, 32, true, false));
      assertThat(zeroPoints).isLessThan(0.4 * symmetric);
    }
  }

  private double error(CheckpointWeights checkpoint, float[] x, Recipe recipe) {
    try (QuantizedWeights weights = cache().open(checkpoint, Map.of(whole(), recipe))) {
      return squares(decoded(weights, whole())[0], x);
    }
  }

  @Test
  void aRangeAndATransposedMatrixAreReadAsTheLayerSeesThem() throws IOException {
    float[] x = normal(3, ROWS * COLUMNS);
    WeightRef range =
        new WeightRef("w", new long[] {ROWS, COLUMNS}, 5, 20, false, new long[] {20, COLUMNS});
    WeightRef turned =
        new WeightRef("w", new long[] {ROWS, COLUMNS}, 2, 33, true, new long[] {COLUMNS, 33});
    try (CheckpointWeights checkpoint = open(file("m.safetensors", DType.BF16, x, ROWS, COLUMNS))) {
      for (Recipe recipe : List.of(Recipe.COLUMNS, Recipe.blocks(8, 32))) {
        try (QuantizedWeights weights =
            cache().open(checkpoint, Map.of(range, recipe, turned, recipe))) {
          float[] found = decoded(weights, range)[0];
          for (int i = 0; i < found.length; i++) {
            assertThat(found[i]).isCloseTo(x[5 * COLUMNS + i], within());
          }
          found = decoded(weights, turned)[0];
          for (int c = 0; c < COLUMNS; c++) {
            for (int r = 0; r < 33; r++) {
              assertThat(found[c * 33 + r]).isCloseTo(x[(2 + r) * COLUMNS + c], within());
            }
          }
          assertThat(weights.quantized(whole())).isNull();
        }
      }
    }
  }

  private static Offset<Float> within() {
    return Offset.offset(0.02f);
  }

  @Test
  void isMadeOnceAndAgainWhenTheFileOrTheRecipeChanges() throws IOException {
    Path file = file("m.safetensors", DType.F32, normal(4, ROWS * COLUMNS), ROWS, COLUMNS);
    try (CheckpointWeights checkpoint = open(file)) {
      Path first = path(checkpoint, Recipe.blocks(4, 32));
      FileTime made = Files.getLastModifiedTime(first);
      assertThat(path(checkpoint, Recipe.blocks(4, 32))).isEqualTo(first);
      assertThat(Files.getLastModifiedTime(first)).isEqualTo(made);
      assertThat(path(checkpoint, Recipe.blocks(8, 32))).isNotEqualTo(first);
      Files.setLastModifiedTime(file, FileTime.fromMillis(1_000_000));
      assertThat(path(checkpoint, Recipe.blocks(4, 32))).isNotEqualTo(first);
      assertThat(cache().list()).hasSize(3);
    }
  }

  private Path path(CheckpointWeights checkpoint, Recipe recipe) {
    try (QuantizedWeights weights = cache().open(checkpoint, Map.of(whole(), recipe))) {
      return weights.quantized(whole()).codes().file();
    }
  }

  @Test
  void aBlobOfAHubsCacheIsKnownByItsHash() throws IOException {
    Path blobs = Files.createDirectories(folder.resolve("blobs"));
    Path file = file("m.safetensors", DType.F32, normal(5, ROWS * COLUMNS), ROWS, COLUMNS);
    Path blob = Files.copy(file, blobs.resolve("0123456789abcdef".repeat(4)));
    Path snapshot = Files.createDirectories(folder.resolve("snapshots"));
    Path link = Files.createSymbolicLink(snapshot.resolve("model.safetensors"), blob);
    Path first;
    try (CheckpointWeights checkpoint = open(link)) {
      first = path(checkpoint, Recipe.COLUMNS);
    }
    Files.setLastModifiedTime(blob, FileTime.fromMillis(1_000_000));
    try (CheckpointWeights checkpoint = open(link)) {
      assertThat(path(checkpoint, Recipe.COLUMNS)).isEqualTo(first);
    }
  }

  @Test
  void removesWhatCameFromAFolder() throws IOException {
    Path one = Files.createDirectories(folder.resolve("one"));
    Path two = Files.createDirectories(folder.resolve("two"));
    for (Path each : List.of(one, two)) {
      Path file = file("m.safetensors", DType.F32, normal(6, ROWS * COLUMNS), ROWS, COLUMNS);
      Files.move(file, each.resolve("model.safetensors"));
      try (CheckpointWeights checkpoint = open(each.resolve("model.safetensors"))) {
        path(checkpoint, Recipe.blocks(4, 32));
      }
    }
    QuantizedCache.Entry first =
        cache().list().stream()
            .filter(entry -> entry.sources().get(0).endsWith("one/model.safetensors"))
            .findFirst()
            .orElseThrow();
    assertThat(cache().remove(one)).isEqualTo(first.bytes()).isPositive();
    assertThat(first.folder()).doesNotExist();
    assertThat(cache().list()).hasSize(1);
    assertThat(cache().remove(folder.resolve("three"))).isZero();
    assertThat(new QuantizedCache(folder.resolve("nowhere")).list()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"cut", "header", "empty"})
  void aDamagedEntryIsMadeAgain(String damage) throws IOException {
    float[] x = normal(7, ROWS * COLUMNS);
    try (CheckpointWeights checkpoint = open(file("m.safetensors", DType.F32, x, ROWS, COLUMNS))) {
      Path made = path(checkpoint, Recipe.blocks(8, 32));
      byte[] bytes = Files.readAllBytes(made);
      switch (damage) {
        case "cut" -> Files.write(made, Arrays.copyOf(bytes, bytes.length - 1));
        case "header" -> {
          bytes[9] = 'x';
          Files.write(made, bytes);
        }
        default -> Files.write(made, new byte[0]);
      }
      assertThat(error(checkpoint, x, Recipe.blocks(8, 32))).isLessThan(0.1);
      assertThat(path(checkpoint, Recipe.blocks(8, 32))).isEqualTo(made);
    }
  }

  @Test
  void severalThreadsGetTheSameAndLeaveNothingBeside() throws IOException {
    float[] x = normal(8, ROWS * COLUMNS);
    try (CheckpointWeights checkpoint = open(file("m.safetensors", DType.F32, x, ROWS, COLUMNS))) {
      List<CompletableFuture<Path>> all = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        all.add(CompletableFuture.supplyAsync(() -> path(checkpoint, Recipe.blocks(4, 64))));
      }
      assertThat(all.stream().map(CompletableFuture::join).distinct()).hasSize(1);
      try (var entries = Files.list(folder.resolve("cache"))) {
        assertThat(entries).hasSize(1);
      }
    }
  }

  @Test
  void whatCannotBeQuantizedIsSaid() throws IOException {
    float[] x = normal(9, ROWS * COLUMNS);
    x[7 * COLUMNS + 1] = Float.NaN;
    try (CheckpointWeights checkpoint = open(file("m.safetensors", DType.F32, x, ROWS, COLUMNS))) {
      for (Recipe recipe : List.of(Recipe.COLUMNS, Recipe.blocks(4, 32))) {
        Map<WeightRef, Recipe> recipes = new LinkedHashMap<>(Map.of(whole(), recipe));
        assertThatThrownBy(() -> cache().open(checkpoint, recipes))
            .isInstanceOf(CheckpointException.class)
            .hasMessageContaining("m.safetensors: w holds NaN or an infinity in row 7");
      }
      assertThat(cache().list()).isEmpty();
      try (var entries = Files.list(folder.resolve("cache"))) {
        assertThat(entries).isEmpty();
      }
      Path occupied = Files.writeString(folder.resolve("occupied"), "a file");
      x[7 * COLUMNS + 1] = 0;
      assertThatThrownBy(
              () -> new QuantizedCache(occupied).open(checkpoint, Map.of(whole(), Recipe.COLUMNS)))
          .isInstanceOf(LmmException.class)
          .hasMessageContaining("occupied")
          .hasMessageContaining("LMM_CACHE");
    }
    assertThatThrownBy(() -> Recipe.blocks(4, 48))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("block is 48; expected 16, 32, 64, 128 or 256");
    assertThatThrownBy(() -> Recipe.blocks(5, 32))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("bits is 5; expected 4 or 8");
    assertThatThrownBy(() -> new Recipe(Layout.COLUMNS, 4, 0, false, false))
        .isInstanceOf(InvalidRequestException.class);
  }
}
