/** Examples: an application that uses lmm on the module path. */
module dev.lmm.examples {
  requires dev.lmm.api;
  requires dev.lmm.clip; // the families
  requires dev.lmm.diffusion;
  requires dev.lmm.qwenvl;
  requires dev.lmm.blip2;
  requires dev.lmm.search; // the index of pictures
  requires dev.lmm.onnx; // an engine
  requires dev.lmm.tiny; // small models, for the tests
  requires static org.jspecify;

  exports dev.lmm.examples;
}
