package dev.lmm;

import org.jspecify.annotations.Nullable;

/** A chat that owns its model. */
final class OwningChat implements Chat {
  private final Model model;
  private final Chat role;

  OwningChat(Model model, Chat role) {
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
  public Conversation conversation(@Nullable String system) {
    return role.conversation(system);
  }

  @Override
  public ChatRequest ask(String text) {
    return role.ask(text);
  }

  @Override
  public AnswersRequest answers() {
    return role.answers();
  }

  @Override
  public void close() {
    model.close();
  }
}
