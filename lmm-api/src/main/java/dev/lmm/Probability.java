package dev.lmm;

/** How logits become probabilities. */
public enum Probability {
  /** As the family was trained: softmax for CLIP, sigmoid for SigLIP. */
  FAMILY,
  /** Softmax over the texts of one call: they share 1. */
  SOFTMAX,
  /** A sigmoid for each text alone. */
  SIGMOID
}
