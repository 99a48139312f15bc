package dev.lmm.pytorch;

import dev.lmm.core.engine.Engine;
import dev.lmm.core.engine.contract.EngineContractTest;

/** The PyTorch engine does what every engine must. */
class PyTorchContractTest extends EngineContractTest {
  @Override
  protected Engine engine() {
    return new PyTorchEngine();
  }

  /** One less than others: see Products. */
  @Override
  protected int activationBits() {
    return 7;
  }
}
