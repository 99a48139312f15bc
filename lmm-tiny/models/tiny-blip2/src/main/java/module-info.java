/** A small trained checkpoint: {@code tiny-blip2}. */
module dev.lmm.tiny.blip2 {
  requires dev.lmm.core;
  requires static org.jspecify;

  provides dev.lmm.core.hub.BundledModel with
      dev.lmm.tiny.blip2.TinyBlip2;
}
