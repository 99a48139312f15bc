package dev.lmm.clip;

import dev.lmm.Encoder;
import dev.lmm.LoadRequest;
import dev.lmm.Models;
import java.nio.file.Path;

/**
 * CLIP, SigLIP and SigLIP 2 by name. The same as {@link Models#encoder}, for those who know which
 * family they want.
 */
public final class Clip {
  private Clip() {}

  /**
   * A model of this family.
   *
   * @param id a hub id, a folder, or the name of a bundled model
   * @return the request, to be loaded
   */
  public static LoadRequest<Encoder> from(String id) {
    return Models.encoder(id);
  }

  /**
   * A model of this family.
   *
   * @param folder with config, tokenizer and weights
   * @return the request, to be loaded
   */
  public static LoadRequest<Encoder> from(Path folder) {
    return Models.encoder(folder);
  }
}
