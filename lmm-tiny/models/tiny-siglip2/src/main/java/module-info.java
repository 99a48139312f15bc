/** A small trained checkpoint: {@code tiny-siglip2}. */
module dev.lmm.tiny.siglip2 {
  requires dev.lmm.core;
  requires static org.jspecify;

  provides dev.lmm.core.hub.BundledModel with
      dev.lmm.tiny.siglip2.TinySiglip2;
}
