package dev.lmm.qwenvl.internal;

class QwenOnnxParityTest extends QwenParity {
  QwenOnnxParityTest() {
    super("onnx");
  }
}
