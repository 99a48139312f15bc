package dev.lmm.blip2;

import dev.lmm.Captioner;
import dev.lmm.LoadRequest;
import dev.lmm.Matcher;
import dev.lmm.Models;
import java.nio.file.Path;

/**
 * BLIP-2 by name. The same as {@link Models#captioner} and {@link Models#matcher}, for those who
 * know which family they want.
 */
public final class Blip2 {
  private Blip2() {}

  /**
   * A model of this family that writes (the second stage).
   *
   * @param id a hub id, a folder, or the name of a bundled model
   * @return the request, to be loaded
   */
  public static LoadRequest<Captioner> from(String id) {
    return Models.captioner(id);
  }

  /**
   * A model of this family that writes (the second stage).
   *
   * @param folder with config, tokenizer and weights
   * @return the request, to be loaded
   */
  public static LoadRequest<Captioner> from(Path folder) {
    return Models.captioner(folder);
  }

  /**
   * A model of this family that matches (the first stage).
   *
   * @param id a hub id, a folder, or the name of a bundled model
   * @return the request, to be loaded
   */
  public static LoadRequest<Matcher> matcher(String id) {
    return Models.matcher(id);
  }

  /**
   * A model of this family that matches (the first stage).
   *
   * @param folder with config, tokenizer and weights
   * @return the request, to be loaded
   */
  public static LoadRequest<Matcher> matcher(Path folder) {
    return Models.matcher(folder);
  }
}
