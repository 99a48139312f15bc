package dev.lmm.qwenvl.internal;

class QwenReferenceParityTest extends QwenParity {
  QwenReferenceParityTest() {
    super("reference");
  }
}
