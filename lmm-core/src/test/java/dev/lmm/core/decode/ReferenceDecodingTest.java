package dev.lmm.core.decode;

import dev.lmm.core.decode.contract.DecodingContractTest;
import dev.lmm.core.engine.Engine;
import dev.lmm.core.engine.reference.ReferenceEngine;

class ReferenceDecodingTest extends DecodingContractTest {
  @Override
  protected Engine engine() {
    return new ReferenceEngine();
  }
}
