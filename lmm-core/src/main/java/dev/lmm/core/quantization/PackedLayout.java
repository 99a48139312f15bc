package dev.lmm.core.quantization;

import dev.lmm.CheckpointException;
import dev.lmm.UnsupportedModelException;
import dev.lmm.core.json.Json;
import java.util.Locale;

/**
 * How codes of four bits lie in integers of 32.
 *
 * <p>Source: the packing routines that AutoAWQ and AutoGPTQ publish.
 */
enum PackedLayout {
  /** AWQ's gemm: eight outputs of an input in the order 0, 2, 4, 6, 1, 3, 5, 7. */
  AWQ,
  /** GPTQ: eight inputs of an output, in order; zero points are stored less one. */
  GPTQ,
  /** The same with zero points as they are. */
  GPTQ_V2;

  /** The place in an integer, in codes from the lowest, of each of eight neighbours. */
  private static final int[] INTERLEAVED = {0, 4, 1, 5, 2, 6, 3, 7};

  /** Whether eight columns (inputs) lie in an integer, not eight rows. */
  boolean alongColumns() {
    return this != AWQ;
  }

  /** How far a code lies from the lowest bit, by its index in the integer's eight. */
  int shift(int index) {
    return 4 * (this == AWQ ? INTERLEAVED[index] : index);
  }

  /**
   * A zero point as it counts. Stored less one, 0 has become 15, for the writers cut it to four
   * bits; so do the readers.
   */
  int zero(int stored) {
    return this == GPTQ ? stored + 1 & 15 : stored;
  }

  /**
   * What a config says.
   *
   * @param layout how codes lie
   * @param group columns that share a scale; -1 for all
   */
  record Config(PackedLayout layout, int group) {}

  /**
   * Reads {@code quantization_config}.
   *
   * @param config a config.json that has it
   * @return layout and group size
   * @throws UnsupportedModelException if it is another quantization than these
   * @throws CheckpointException if a field is missing or makes no sense
   */
  static Config of(Json config) {
    Json quantization = config.at("quantization_config");
    String method = quantization.stringAt("quant_method").toLowerCase(Locale.ROOT);
    PackedLayout layout =
        switch (method) {
          case "awq" -> awq(quantization);
          case "gptq" -> gptq(quantization);
          default -> throw unsupported(quantization, "quant_method", "awq or gptq");
        };
    String bits = quantization.hasValue("w_bit") ? "w_bit" : "bits";
    if (quantization.longAt(bits) != 4) {
      throw unsupported(quantization, bits, "4");
    }
    int group =
        quantization.intAt(quantization.hasValue("q_group_size") ? "q_group_size" : "group_size");
    if (group != -1 && group < 1) {
      throw quantization.at("group_size").unexpected("-1 or a number of columns");
    }
    return new Config(layout, group);
  }

  private static PackedLayout awq(Json quantization) {
    if (!quantization.stringAt(field(quantization, "version"), "gemm").equalsIgnoreCase("gemm")) {
      throw unsupported(quantization, field(quantization, "version"), "gemm");
    }
    if (!quantization.boolAt("zero_point", true)) {
      throw unsupported(quantization, "zero_point", "true");
    }
    return AWQ;
  }

  private static PackedLayout gptq(Json quantization) {
    String field = field(quantization, "checkpoint_format");
    return switch (quantization.stringAt(field, "gptq").toLowerCase(Locale.ROOT)) {
      case "gptq" -> GPTQ;
      case "gptq_v2" -> GPTQ_V2;
      default -> throw unsupported(quantization, field, "gptq or gptq_v2");
    };
  }

  /** The field under its old name, which counts where both stand, or under the new one. */
  private static String field(Json quantization, String old) {
    return quantization.hasValue(old) ? old : "format";
  }

  private static UnsupportedModelException unsupported(Json config, String field, String expected) {
    return new UnsupportedModelException(
        config.at(field).unexpected(expected + "; other forms are not read").getMessage());
  }
}
