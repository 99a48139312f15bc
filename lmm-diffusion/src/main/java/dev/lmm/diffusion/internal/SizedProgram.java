package dev.lmm.diffusion.internal;

import dev.lmm.core.engine.Program;
import org.jspecify.annotations.Nullable;

/**
 * A program compiled for one size of pictures, made when a size is first asked for and made anew
 * for another one: its weights would otherwise lie in memory once for each size. Not thread-safe.
 */
final class SizedProgram implements AutoCloseable {
  /** Makes a program. */
  @FunctionalInterface
  interface Maker {
    Program make(int height, int width);
  }

  private final Maker maker;
  private @Nullable Program program;
  private int height;
  private int width;

  SizedProgram(Maker maker) {
    this.maker = maker;
  }

  /** The program for a size. */
  Program of(int newHeight, int newWidth) {
    Program known = program;
    if (known != null && height == newHeight && width == newWidth) {
      return known;
    }
    close();
    Program made = maker.make(newHeight, newWidth);
    program = made;
    height = newHeight;
    width = newWidth;
    return made;
  }

  @Override
  public void close() {
    if (program != null) {
      program.close();
      program = null;
    }
  }
}
