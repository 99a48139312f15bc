package dev.lmm.core.engine.reference;

import dev.lmm.core.engine.Engine;
import dev.lmm.core.engine.contract.EngineContractTest;

class ReferenceContractTest extends EngineContractTest {
  @Override
  protected Engine engine() {
    return new ReferenceEngine();
  }

  @Override
  protected double tolerance() {
    return 2e-6;
  }
}
