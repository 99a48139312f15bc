/** The PyTorch engine. */
module dev.lmm.pytorch {
  requires transitive dev.lmm.core;
  requires ai.djl.api;
  requires ai.djl.pytorch_engine;
  requires org.slf4j;

  exports dev.lmm.pytorch;

  provides dev.lmm.core.engine.Engine with
      dev.lmm.pytorch.PyTorchEngine;
}
