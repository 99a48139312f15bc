package dev.lmm;

import java.nio.file.Path;
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

  /**
   * The request that a PNG file carries; adapters and learned words are looked for in its folder.
   *
   * @param png a picture that {@link GeneratedImage#save} wrote, or another tool in the same form
   * @return the request, see {@link #again(Path, Path)}
   * @throws ImageException if the file is no PNG, or carries no such text
   * @throws InvalidRequestException if the text cannot be understood
   */
  default GenerateRequest again(Path png) {
    Path folder = png.toAbsolutePath().getParent();
    return again(png, folder == null ? png : folder);
  }

  /**
   * The request that a PNG file carries. With the same model it makes the same picture again, if
   * this library made it. Start pictures and masks are not in the file: {@link GenerateRequest#run}
   * tells that they are missing until they are given. Of what other tools write, the prompts with
   * their weights, adapters, steps, sampler, guidance, seed, size and clip skip are taken; they
   * draw their noise in other ways, so their picture comes out another one.
   *
   * @param png a picture that {@link GeneratedImage#save} wrote, or another tool in the same form
   * @param files the folder of the adapters and learned words that the text names
   * @return the request
   * @throws ImageException if the file is no PNG, or carries no such text
   * @throws InvalidRequestException if the text cannot be understood
   */
  default GenerateRequest again(Path png, Path files) {
    return RequestText.read(PngText.read(png, "parameters"), png.toString(), files, this);
  }

  @Override
  void close();
}
