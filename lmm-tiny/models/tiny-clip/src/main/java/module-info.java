/** A small trained checkpoint: {@code tiny-clip}. */
module dev.lmm.tiny.clip {
  requires dev.lmm.core;
  requires static org.jspecify;

  provides dev.lmm.core.hub.BundledModel with
      dev.lmm.tiny.clip.TinyClip;
}
