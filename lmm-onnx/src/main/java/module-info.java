/** The ONNX Runtime engine. */
module dev.lmm.onnx {
  requires transitive dev.lmm.core;
  requires com.microsoft.onnxruntime;
  requires java.management;
  requires org.slf4j;

  exports dev.lmm.onnx;

  provides dev.lmm.core.engine.Engine with
      dev.lmm.onnx.OnnxEngine;
}
