package dev.lmm.pytorch;

import dev.lmm.qwenvl.internal.QwenParity;

/** Qwen2.5-VL on this engine: features, logits and answers of transformers. */
class QwenOnPyTorchTest extends QwenParity {
  QwenOnPyTorchTest() {
    super("pytorch");
  }
}
