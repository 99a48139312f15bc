/** Small trained models, and pictures to try them on. */
module dev.lmm.tiny {
  requires transitive dev.lmm.api;
  requires dev.lmm.core;
  requires dev.lmm.tiny.clip;
  requires dev.lmm.tiny.siglip2;
  requires dev.lmm.tiny.sd;
  requires dev.lmm.tiny.qwenvl;
  requires dev.lmm.tiny.blip2;
  requires dev.lmm.tiny.blip2itm;
  requires static org.jspecify;

  exports dev.lmm.tiny;
}
