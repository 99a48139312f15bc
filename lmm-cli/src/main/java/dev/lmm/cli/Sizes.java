package dev.lmm.cli;

import java.util.Locale;

/** Numbers of bytes, for people. */
final class Sizes {
  private static final String[] UNITS = {"B", "KB", "MB", "GB", "TB"};

  private Sizes() {}

  static String of(long bytes) {
    double number = (double) bytes;
    int unit = 0;
    while (number >= 1000 && unit < UNITS.length - 1) {
      number /= 1000;
      unit++;
    }
    return String.format(Locale.ROOT, unit == 0 ? "%.0f %s" : "%.1f %s", number, UNITS[unit]);
  }
}
