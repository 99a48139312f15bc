/** Qwen2.5-VL. */
module dev.lmm.qwenvl {
  requires transitive dev.lmm.api;
  requires dev.lmm.core;
  requires static org.jspecify;

  exports dev.lmm.qwenvl;

  provides dev.lmm.core.family.ModelFamily with
      dev.lmm.qwenvl.internal.QwenFamily;
}
