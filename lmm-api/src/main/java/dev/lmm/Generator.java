package dev.lmm;

import java.util.List;

/**
 * Makes pictures from text. Thread-safe; requests of several threads are worked on one after the
 * other. Close it when done; closing twice is harmless, and using it afterwards throws {@link
 * ClosedException}.
 *
 * <pre>{@code
 * try (Generator sd = Models.generator("stable-diffusion-v1-5/stable-diffusion-v1-5").load()) {
 *   sd.generate("a lighthouse at dusk").steps(25).seed(42).run().get(0).image().save(file);
 * }
 * }</pre>
 */
public interface Generator extends AutoCloseable {
  /**
   * What was loaded.
   *
   * @return id, type, engine, device, precision
   */
  ModelInfo info();

  /**
   * Its layers and parameters.
   *
   * @return the summary
   */
  Summary summary();

  /**
   * The names {@link GenerateRequest#scheduler} takes.
   *
   * @return for instance {@code euler}
   */
  List<String> schedulers();

  /**
   * Begins a request.
   *
   * @param prompt what the picture shows; may be empty
   * @return the request, to be run
   */
  GenerateRequest generate(String prompt);

  @Override
  void close();
}
