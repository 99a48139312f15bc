/** Benchmarks, not published. */
@SuppressWarnings("requires-automatic") // JMH has no descriptor
module dev.lmm.bench {
  requires dev.lmm.api;
  requires dev.lmm.clip;
  requires dev.lmm.core;
  requires dev.lmm.search;
  requires dev.lmm.tiny;
  requires java.desktop;
  requires java.management;
  requires jdk.unsupported; // what JMH generates
  requires jmh.core;
  requires static org.jspecify;
}
