package dev.lmm;

import java.util.List;
import java.util.Locale;

/**
 * The memory a model will take, found from its config and the shapes of its tensors without loading
 * it. All sizes are bytes of memory that belongs to the process alone; what is mapped from files
 * and can be given back at any time stands apart.
 *
 * @param info the model, and the engine, device and precision the estimate is for
 * @param parts in the order they compute
 * @param parameters that such a request reads; a tensor that two parts share counts once
 * @param mapped bytes that stay in the mapped file, for instance tables of which a run reads a few
 *     rows
 * @param runtime what Java and the engine's own code take, whatever the model; 0 on a GPU
 * @param total weights, caches, the largest part's activations, and the runtime
 * @param available bytes free on the device at this time, or -1 if that is not known
 */
public record Estimate(
    ModelInfo info,
    List<Part> parts,
    long parameters,
    long mapped,
    long runtime,
    long total,
    long available) {
  /**
   * One part.
   *
   * @param name as {@link Summary} lists it, for instance {@code vision}
   * @param device where it computes
   * @param precision what it computes in
   * @param parameters number of its parameters
   * @param weights bytes of its weights, as the engine holds them
   * @param cache bytes kept of what was read, for a model that writes
   * @param activations most bytes of a run's intermediate results
   */
  public record Part(
      String name,
      String device,
      Precision precision,
      long parameters,
      long weights,
      long cache,
      long activations) {}

  /**
   * Copies the list.
   *
   * @param info the model
   * @param parts in the order they compute
   * @param parameters of all parts
   * @param mapped bytes that stay in the mapped file
   * @param runtime what Java and the engine take
   * @param total all together
   * @param available bytes free, or -1
   */
  public Estimate {
    parts = List.copyOf(parts);
  }

  /**
   * Whether it fits into what is free now.
   *
   * @return true if {@link #total} is at most {@link #available}; false if that is not known
   */
  public boolean fits() {
    return fits(available);
  }

  /**
   * Whether it fits into so much memory.
   *
   * @param bytes of memory, for instance {@code 24L << 30}
   * @return true if {@link #total} is at most that
   */
  public boolean fits(long bytes) {
    return total <= bytes;
  }

  /**
   * A table of the parts.
   *
   * @return several lines
   */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    text.append(
        String.format(
            Locale.ROOT,
            "%s in %s on %s (%s), %,d parameters%n%-16s %-6s %12s %12s %12s%n",
            info.id(),
            info.precision().label(),
            info.device(),
            info.engine(),
            parameters,
            "part",
            "",
            "weights",
            "cache",
            "activations"));
    for (Part part : parts) {
      text.append(
          String.format(
              Locale.ROOT,
              "%-16s %-6s %12s %12s %12s%n",
              part.name(),
              part.precision().label(),
              megabytes(part.weights()),
              megabytes(part.cache()),
              megabytes(part.activations())));
    }
    text.append(
        String.format(
            Locale.ROOT,
            "%s in all, of which the runtime takes %s; %s more stay in the file",
            megabytes(total),
            megabytes(runtime),
            megabytes(mapped)));
    if (available >= 0) {
      text.append(
          String.format(
              Locale.ROOT,
              "; %s are free: %s",
              megabytes(available),
              fits() ? "it fits" : "it does not fit"));
    }
    return text.append('\n').toString().replace(System.lineSeparator(), "\n");
  }

  private static String megabytes(long bytes) {
    return String.format(Locale.ROOT, "%,.1f MB", bytes / 1e6);
  }
}
