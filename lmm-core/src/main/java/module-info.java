/** What model families and engines are made of. */
module dev.lmm.core {
  requires transitive dev.lmm.api;
  requires static transitive org.jspecify;
  requires org.slf4j;
  requires com.fasterxml.jackson.core;

  exports dev.lmm.core.graph;
  exports dev.lmm.core.engine;
  exports dev.lmm.core.checkpoint;
}
