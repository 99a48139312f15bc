package dev.lmm;

/** A grounder that owns its model. */
final class OwningGrounder implements Grounder {
  private final Model model;
  private final Grounder role;

  OwningGrounder(Model model, Grounder role) {
    this.model = model;
    this.role = role;
  }

  @Override
  public ModelInfo info() {
    return role.info();
  }

  @Override
  public Summary summary() {
    return role.summary();
  }

  @Override
  public LocateRequest locate(Image picture, String query) {
    return role.locate(picture, query);
  }

  @Override
  public void close() {
    model.close();
  }
}
