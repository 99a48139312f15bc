package dev.lmm.diffusion.internal;

/** Stable Diffusion in the interpreter: states, noise and pictures of diffusers. */
class DiffusionReferenceParityTest extends DiffusionParity {
  DiffusionReferenceParityTest() {
    super("reference");
  }
}
