/** A small trained checkpoint: {@code tiny-blip2-itm}. */
module dev.lmm.tiny.blip2itm {
  requires dev.lmm.core;
  requires static org.jspecify;

  provides dev.lmm.core.hub.BundledModel with
      dev.lmm.tiny.blip2itm.TinyBlip2Itm;
}
