package dev.lmm;

import java.util.List;

/** A generator that owns its model. */
final class OwningGenerator implements Generator {
  private final Model model;
  private final Generator role;

  OwningGenerator(Model model, Generator role) {
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
  public List<String> schedulers() {
    return role.schedulers();
  }

  @Override
  public GenerateRequest generate(String prompt) {
    return role.generate(prompt);
  }

  @Override
  public void close() {
    model.close();
  }
}
