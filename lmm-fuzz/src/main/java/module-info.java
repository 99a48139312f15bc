/** Fuzz targets, not published. */
module dev.lmm.fuzz {
  requires dev.lmm.api;
  requires dev.lmm.blip2;
  requires dev.lmm.clip;
  requires dev.lmm.core;
  requires dev.lmm.diffusion;
  requires dev.lmm.qwenvl;
  requires jazzer; // its jar has no descriptor
  requires jdk.management;
  requires org.slf4j;
  requires static org.jspecify;
}
