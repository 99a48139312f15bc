/** A small trained checkpoint: {@code tiny-sd}. */
module dev.lmm.tiny.sd {
  requires dev.lmm.core;
  requires static org.jspecify;

  provides dev.lmm.core.hub.BundledModel with
      dev.lmm.tiny.sd.TinySd;
}
