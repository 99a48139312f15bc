package dev.lmm.core.quantization;

import dev.lmm.CheckpointException;
import dev.lmm.core.engine.QuantizedTensor;
import dev.lmm.core.engine.StoredTensor;
import dev.lmm.core.engine.WeightStore;
import dev.lmm.core.graph.DType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The matrix of a linear layer in four bits, as AWQ and GPTQ publish it: integers of 32 bits with
 * eight codes each, zero points packed alike, one scale for a group of inputs and an output.
 *
 * @param name of the matrix that it stands for, [rows, columns]
 * @param layout how codes lie in the integers
 * @param rows outputs of the layer
 * @param columns inputs of the layer
 * @param group how many columns share a scale; all of them, if there is one group
 * @param codes I32: AWQ [columns, rows / 8], GPTQ [columns / 8, rows]
 * @param zeros I32: [groups, rows / 8]
 * @param scales F16, BF16 or F32: [groups, rows]
 * @param groupOf I32 [columns], the group of each column, or null if they follow each other
 */
record PackedMatrix(
    String name,
    PackedLayout layout,
    int rows,
    int columns,
    int group,
    StoredTensor codes,
    StoredTensor zeros,
    StoredTensor scales,
    @Nullable StoredTensor groupOf) {
  static final String CODES = ".qweight";
  static final String ZEROS = ".qzeros";
  static final String SCALES = ".scales";
  static final String GROUP_OF = ".g_idx";

  /** Eight codes in an integer. */
  private static final int PACKED = 8;

  private static final int LARGEST_BLOCK = 256;
  private static final int SMALLEST_BLOCK = 16;

  /**
   * Finds the tensors of a matrix and checks that they fit each other.
   *
   * @param store the checkpoint
   * @param module what the names of its tensors begin with
   * @param layout how codes lie
   * @param group columns that share a scale; -1 for all
   * @return the matrix
   * @throws CheckpointException if a tensor is missing or misshapen; names file and tensor
   */
  static PackedMatrix of(WeightStore store, String module, PackedLayout layout, int group) {
    StoredTensor codes = tensor(store, module + CODES, 2, DType.I32);
    long columns = codes.shape()[0] * (layout.alongColumns() ? PACKED : 1);
    long rows = codes.shape()[1] * (layout.alongColumns() ? 1 : PACKED);
    if (rows < 1 || columns < 1 || rows > Integer.MAX_VALUE || columns > Integer.MAX_VALUE) {
      throw wrong(codes, "is " + Arrays.toString(codes.shape()), "lengths of 1 to 2^31");
    }
    if (rows % PACKED != 0) {
      throw wrong(codes, "has " + rows + " outputs", "a multiple of 8, as zero points are packed");
    }
    int size = group < 0 || group > columns ? (int) columns : group;
    long groups = (columns + size - 1) / size;
    StoredTensor zeros = tensor(store, module + ZEROS, 2, DType.I32);
    StoredTensor scales = tensor(store, module + SCALES, 2, DType.F16, DType.BF16, DType.F32);
    shape(zeros, codes, group, groups, rows / PACKED);
    shape(scales, codes, group, groups, rows);
    StoredTensor groupOf = null;
    if (layout != PackedLayout.AWQ && store.shape(module + GROUP_OF) != null) {
      groupOf = tensor(store, module + GROUP_OF, 1, DType.I32, DType.I64);
      shape(groupOf, codes, group, columns);
      if (inOrder(store, groupOf, size)) {
        groupOf = null;
      }
    }
    PackedMatrix matrix =
        new PackedMatrix(
            module + ".weight",
            layout,
            (int) rows,
            (int) columns,
            size,
            codes,
            zeros,
            scales,
            groupOf);
    if (groups > 1 && matrix.block() < SMALLEST_BLOCK) {
      throw wrong(
          codes,
          "is in groups of " + group + " by quantization_config.group_size",
          "a multiple of " + SMALLEST_BLOCK + ", or -1");
    }
    return matrix;
  }

  private static StoredTensor tensor(WeightStore store, String name, int rank, DType... types) {
    if (store.shape(name) == null) {
      throw new CheckpointException(
          store.description()
              + ": "
              + name
              + " is missing beside the other tensors of its layer; is the download complete?");
    }
    StoredTensor tensor = store.locate(name);
    if (tensor.shape().length != rank || !Arrays.asList(types).contains(tensor.dtype())) {
      throw wrong(
          tensor,
          "is " + tensor.dtype() + Arrays.toString(tensor.shape()),
          rank + " axes of " + Arrays.toString(types));
    }
    return tensor;
  }

  private static void shape(StoredTensor tensor, StoredTensor codes, int group, long... expected) {
    if (!Arrays.equals(tensor.shape(), expected)) {
      throw wrong(
          tensor,
          "is " + Arrays.toString(tensor.shape()),
          Arrays.toString(expected)
              + " beside "
              + codes.name()
              + Arrays.toString(codes.shape())
              + " and quantization_config.group_size "
              + group);
    }
  }

  /** Without act-order, columns are in the group that their place says. */
  private static boolean inOrder(WeightStore store, StoredTensor groupOf, int group) {
    if (groupOf.length() > Integer.MAX_VALUE) {
      throw wrong(groupOf, "has " + groupOf.length() + " bytes", "less than 2^31");
    }
    ByteBuffer bytes =
        store.map(groupOf.name(), 0, (int) groupOf.length()).order(ByteOrder.LITTLE_ENDIAN);
    for (int c = 0; bytes.hasRemaining(); c++) {
      if ((groupOf.dtype() == DType.I64 ? bytes.getLong() : bytes.getInt()) != c / group) {
        return false;
      }
    }
    return true;
  }

  static CheckpointException wrong(StoredTensor tensor, String found, String expected) {
    return new CheckpointException(
        tensor.file() + ": " + tensor.name() + " " + found + "; expected " + expected);
  }

  /** How many groups of columns have a scale of their own. */
  int groups() {
    return (columns + group - 1) / group;
  }

  /**
   * Columns of a block in the library's own form: as many as a group has, or a part of it, in which
   * case its scale is repeated.
   */
  int block() {
    if (group == columns) {
      // One group: the last block may reach over the end.
      return Math.min(128, Math.max(SMALLEST_BLOCK, Integer.highestOneBit(columns)));
    }
    return Math.min(LARGEST_BLOCK, Integer.lowestOneBit(group));
  }

  /** The tensors that it is stored in. */
  List<StoredTensor> stored() {
    List<StoredTensor> all = new ArrayList<>(List.of(codes, zeros, scales));
    if (groupOf != null) {
      all.add(groupOf);
    }
    return all;
  }

  /** Its part of a cache's key: equal for equal results from equal files. */
  String id() {
    return layout + " " + rows + " x " + columns + " in " + group;
  }

  // Its own form.

  private String piece(String kind) {
    return name + "." + kind;
  }

  String codesPiece() {
    return piece("codes");
  }

  String scalesPiece() {
    return piece("scales");
  }

  String zerosPiece() {
    return piece("zeros");
  }

  String orderPiece() {
    return piece("order");
  }

  long blocks() {
    return ((long) columns + block() - 1) / block();
  }

  /** The tensors of {@link QuantizedTensor}. */
  Map<String, CacheEntry.Piece> codePieces() {
    long blocks = blocks();
    int width = block() / 2;
    Map<String, CacheEntry.Piece> pieces = new LinkedHashMap<>();
    pieces.put(
        codesPiece(),
        new CacheEntry.Piece("U8", new long[] {rows, blocks, width}, rows * blocks * width));
    pieces.put(
        scalesPiece(),
        new CacheEntry.Piece("F32", new long[] {rows, blocks}, rows * blocks * Float.BYTES));
    long bytes = (blocks + 1) / 2;
    pieces.put(zerosPiece(), new CacheEntry.Piece("U8", new long[] {rows, bytes}, rows * bytes));
    if (groupOf != null) {
      pieces.put(
          orderPiece(),
          new CacheEntry.Piece("I32", new long[] {columns}, (long) columns * Integer.BYTES));
    }
    return pieces;
  }

  /** The matrix in whole numbers. */
  Map<String, CacheEntry.Piece> wholePieces() {
    return Map.of(
        name,
        new CacheEntry.Piece(
            "F32", new long[] {rows, columns}, (long) rows * columns * Float.BYTES));
  }

  /** The matrix in the library's own form. */
  QuantizedTensor tensor(WeightStore cached) {
    return new QuantizedTensor(
        QuantizedTensor.Layout.BLOCKS,
        4,
        rows,
        columns,
        block(),
        cached.locate(codesPiece()),
        cached.locate(scalesPiece()),
        cached.locate(zerosPiece()),
        groupOf == null ? null : cached.locate(orderPiece()));
  }
}
