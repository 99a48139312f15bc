package dev.lmm.diffusion.internal;

import dev.lmm.core.engine.Program;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The program of one part: made when it is first asked for, and made anew when it is asked for with
 * another key (size of pictures, ranks of adapters). Only the last one is kept, for its weights
 * would otherwise lie in memory once for each key. Not thread-safe.
 *
 * @param <K> what a program is compiled for
 */
final class KeptProgram<K> implements AutoCloseable {
  private final Function<K, Program> maker;
  private @Nullable Program program;
  private @Nullable K key;

  KeptProgram(Function<K, Program> maker) {
    this.maker = maker;
  }

  /** The program for a key. */
  Program of(K wanted) {
    Program known = program;
    if (known != null && wanted.equals(key)) {
      return known;
    }
    close();
    Program made = maker.apply(wanted);
    program = made;
    key = wanted;
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
