/** A small trained checkpoint: {@code tiny-qwen2.5-vl}. */
module dev.lmm.tiny.qwenvl {
  requires dev.lmm.core;
  requires static org.jspecify;

  provides dev.lmm.core.hub.BundledModel with
      dev.lmm.tiny.qwenvl.TinyQwenVl;
}
