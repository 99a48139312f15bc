package dev.lmm;

/**
 * A loaded model, which plays one or several roles. Thread-safe. Close it when done; closing twice
 * is harmless, and using it or one of its roles afterwards throws {@link ClosedException}.
 */
public interface Model extends AutoCloseable {
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
   * What it sees of texts and pictures.
   *
   * @return the view
   */
  Inspection inspect();

  /**
   * The model as one that embeds pictures and texts. Roles share the model's weights and end with
   * it; closing such a role closes nothing.
   *
   * @return the role
   * @throws UnsupportedModelException if it cannot play this role
   */
  default Encoder encoder() {
    throw new UnsupportedModelException(info().id() + " embeds nothing: it has no encoder");
  }

  /**
   * The model as one that makes pictures. Roles share the model's weights and end with it; closing
   * such a role closes nothing.
   *
   * @return the role
   * @throws UnsupportedModelException if it cannot play this role
   */
  default Generator generator() {
    throw new UnsupportedModelException(info().id() + " makes no pictures: it has no generator");
  }

  /**
   * The model as one that writes about pictures. Roles share the model's weights and end with it;
   * closing such a role closes nothing.
   *
   * @return the role
   * @throws UnsupportedModelException if it cannot play this role
   */
  default Captioner captioner() {
    throw new UnsupportedModelException(info().id() + " writes nothing: it has no captioner");
  }

  /**
   * The model as one that says whether pictures and texts belong together. Roles share the model's
   * weights and end with it; closing such a role closes nothing.
   *
   * @return the role
   * @throws UnsupportedModelException if it cannot play this role
   */
  default Matcher matcher() {
    throw new UnsupportedModelException(info().id() + " matches nothing: it has no matcher");
  }

  /**
   * The model as one whose queries can be watched. Roles share the model's weights and end with it.
   *
   * @return the role
   * @throws UnsupportedModelException if it cannot play this role
   */
  default Queries queries() {
    throw new UnsupportedModelException(info().id() + " has no queries that look at pictures");
  }

  /**
   * The model as one whose attention can be watched. Roles share the model's weights and end with
   * it.
   *
   * @return the role
   * @throws UnsupportedModelException if it cannot play this role
   */
  default Attention attention() {
    throw new UnsupportedModelException(info().id() + " does not show what it attends to");
  }

  /**
   * The model as one that talks about pictures and videos. Roles share the model's weights and end
   * with it; closing such a role closes nothing.
   *
   * @return the role
   * @throws UnsupportedModelException if it cannot play this role
   */
  default Chat chat() {
    throw new UnsupportedModelException(info().id() + " does not talk: it has no chat");
  }

  /**
   * The model as one that finds things in pictures and videos. Roles share the model's weights and
   * end with it; closing such a role closes nothing.
   *
   * @return the role
   * @throws UnsupportedModelException if it cannot play this role
   */
  default Grounder grounder() {
    throw new UnsupportedModelException(
        info().id() + " finds nothing in pictures: it has no grounder");
  }

  @Override
  void close();
}
