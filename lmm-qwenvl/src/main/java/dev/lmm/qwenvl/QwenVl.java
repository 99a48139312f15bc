package dev.lmm.qwenvl;

import dev.lmm.Chat;
import dev.lmm.LoadRequest;
import dev.lmm.Models;
import java.nio.file.Path;

/**
 * Qwen2.5-VL by name. The same as {@link Models#chat}, for those who know which family they want.
 */
public final class QwenVl {
  private QwenVl() {}

  /**
   * A model of this family.
   *
   * @param id a hub id, a folder, or the name of a bundled model
   * @return the request, to be loaded
   */
  public static LoadRequest<Chat> from(String id) {
    return Models.chat(id);
  }

  /**
   * A model of this family.
   *
   * @param folder with config, tokenizer and weights
   * @return the request, to be loaded
   */
  public static LoadRequest<Chat> from(Path folder) {
    return Models.chat(folder);
  }
}
