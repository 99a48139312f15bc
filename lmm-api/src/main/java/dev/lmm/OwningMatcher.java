package dev.lmm;

import java.util.List;

/** A matcher that owns its model. */
final class OwningMatcher implements Matcher {
  private final Model model;
  private final Matcher role;

  OwningMatcher(Model model, Matcher role) {
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
  public Inspection inspect() {
    return role.inspect();
  }

  @Override
  public MatchRequest match(List<Image> images, List<String> texts) {
    return role.match(images, texts);
  }

  @Override
  public RetrieveRequest retrieve(String text, List<Image> images) {
    return role.retrieve(text, images);
  }

  @Override
  public RetrieveRequest retrieve(Image image, List<String> texts) {
    return role.retrieve(image, texts);
  }

  @Override
  public void close() {
    model.close();
  }
}
