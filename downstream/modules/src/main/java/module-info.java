module com.example.modules {
  requires dev.lmm.api;
  requires dev.lmm.clip;
  requires dev.lmm.onnx;
  requires dev.lmm.search;
  requires dev.lmm.tiny;
}
