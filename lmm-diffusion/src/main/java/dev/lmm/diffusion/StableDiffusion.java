package dev.lmm.diffusion;

import dev.lmm.Generator;
import dev.lmm.LoadRequest;
import dev.lmm.Models;
import java.nio.file.Path;

/**
 * Stable Diffusion by name. The same as {@link Models#generator}, for those who know which family
 * they want.
 */
public final class StableDiffusion {
  private StableDiffusion() {}

  /**
   * A model of this family.
   *
   * @param id a hub id, a folder, or the name of a bundled model
   * @return the request, to be loaded
   */
  public static LoadRequest<Generator> from(String id) {
    return Models.generator(id);
  }

  /**
   * A model of this family.
   *
   * @param folder in diffusers' layout
   * @return the request, to be loaded
   */
  public static LoadRequest<Generator> from(Path folder) {
    return Models.generator(folder);
  }
}
