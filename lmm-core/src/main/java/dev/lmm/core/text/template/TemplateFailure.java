package dev.lmm.core.text.template;

/** Something went wrong at some line, which whoever evaluates it adds. Never leaves the package. */
final class TemplateFailure extends RuntimeException {
  private static final long serialVersionUID = 1L;
  private final boolean unsupported;

  TemplateFailure(String message) {
    this(message, false);
  }

  TemplateFailure(String message, boolean unsupported) {
    super(message, null, false, false);
    this.unsupported = unsupported;
  }

  /** Whether it is this library that lacks something. */
  boolean unsupported() {
    return unsupported;
  }
}
