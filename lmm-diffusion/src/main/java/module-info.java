/** Stable Diffusion. */
module dev.lmm.diffusion {
  requires transitive dev.lmm.api;
  requires dev.lmm.core;
  requires static org.jspecify;
  requires org.slf4j;

  exports dev.lmm.diffusion;

  provides dev.lmm.core.family.ModelFamily with
      dev.lmm.diffusion.internal.DiffusionFamily;
}
