package dev.lmm.onnx;

import dev.lmm.core.engine.Engine;
import dev.lmm.core.engine.contract.EngineContractTest;

/** The ONNX engine does what every engine must. */
class OnnxContractTest extends EngineContractTest {
  @Override
  protected Engine engine() {
    return new OnnxEngine();
  }
}
