package dev.lmm.diffusion.internal;

import dev.lmm.UnsupportedModelException;
import dev.lmm.core.json.Json;
import java.util.ArrayList;
import java.util.List;

/** Reads what several configs have: small positive numbers, and numbers for each block. */
final class Configs {
  private Configs() {}

  static int positive(Json config, String key, int absent) {
    return check(config.hasValue(key) ? config.at(key).asLong() : absent, config, key);
  }

  private static int check(long value, Json config, String key) {
    if (value < 1 || value > 1 << 20) {
      throw config.at(key).unexpected("a number from 1 to " + (1 << 20));
    }
    return (int) value;
  }

  /** A list of at least one small positive number, one for each block. */
  static List<Integer> list(Json config, String key) {
    List<Integer> values = new ArrayList<>();
    for (Json value : config.at(key).elements()) {
      long number = value.asLong();
      if (number < 1 || number > 1 << 16) {
        throw value.unexpected("a number from 1 to " + (1 << 16));
      }
      values.add((int) number);
    }
    if (values.isEmpty() || values.size() > 16) {
      throw config.at(key).unexpected("a number from 1 to 65536 for each of up to 16 blocks");
    }
    return List.copyOf(values);
  }

  /** A list, or one number for all. */
  static List<Integer> each(Json config, String key, int absent, int count) {
    if (!config.hasValue(key) || !config.at(key).isArray()) {
      int same = positive(config, key, absent);
      return java.util.Collections.nCopies(count, same);
    }
    List<Integer> values = new ArrayList<>();
    for (Json value : config.at(key).elements()) {
      values.add(check(value.asLong(), config, key));
    }
    if (values.size() != count) {
      throw config.at(key).unexpected("as many numbers as there are blocks, " + count);
    }
    return values;
  }

  /** Refuses what is set to something this library does not compute. */
  static void only(Json config, String key, Object expected) {
    if (config.hasValue(key) && !config.at(key).raw().equals(expected)) {
      throw new UnsupportedModelException(
          config.at(key).unexpected("nothing else than " + expected).getMessage());
    }
  }
}
