/** BLIP-2. */
module dev.lmm.blip2 {
  requires transitive dev.lmm.api;
  requires dev.lmm.core;
  requires static org.jspecify;

  exports dev.lmm.blip2;

  provides dev.lmm.core.family.ModelFamily with
      dev.lmm.blip2.internal.Blip2Family;
}
