/** CLIP, SigLIP and SigLIP 2. */
module dev.lmm.clip {
  requires transitive dev.lmm.api;
  requires dev.lmm.core;
  requires static org.jspecify;
  requires org.slf4j;

  exports dev.lmm.clip;

  provides dev.lmm.core.family.ModelFamily with
      dev.lmm.clip.internal.ClipFamily;
}
