package dev.lmm;

import java.util.List;

/** A captioner that owns its model. */
final class OwningCaptioner implements Captioner {
  private final Model model;
  private final Captioner role;

  OwningCaptioner(Model model, Captioner role) {
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
  public CaptionRequest caption(Image image) {
    return role.caption(image);
  }

  @Override
  public CaptionRequest ask(Image image, String question) {
    return role.ask(image, question);
  }

  @Override
  public CaptionsRequest captions(List<Image> images) {
    return role.captions(images);
  }

  @Override
  public void close() {
    model.close();
  }
}
