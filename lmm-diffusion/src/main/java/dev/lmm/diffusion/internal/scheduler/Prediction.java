package dev.lmm.diffusion.internal.scheduler;

/** What the model predicts, {@code prediction_type}. */
enum Prediction {
  /** The noise. */
  EPSILON,
  /** The clean sample. */
  SAMPLE,
  /** The velocity (arXiv 2202.00512). */
  V
}
