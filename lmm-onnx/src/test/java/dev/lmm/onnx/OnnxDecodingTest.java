package dev.lmm.onnx;

import dev.lmm.core.decode.contract.DecodingContractTest;
import dev.lmm.core.engine.Engine;

class OnnxDecodingTest extends DecodingContractTest {
  @Override
  protected Engine engine() {
    return new OnnxEngine();
  }
}
