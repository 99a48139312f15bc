package dev.lmm.pytorch;

import dev.lmm.core.decode.contract.DecodingContractTest;
import dev.lmm.core.engine.Engine;

/** The PyTorch engine writes the answers that transformers writes. */
class PyTorchDecodingTest extends DecodingContractTest {
  @Override
  protected Engine engine() {
    return new PyTorchEngine();
  }
}
