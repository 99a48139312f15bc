package dev.lmm;

/** What weights and arithmetic are held in. */
public enum Precision {
  /** What fits and is fastest on the device; on the CPU single precision. */
  AUTO,
  /** Single precision. */
  FP32
}
