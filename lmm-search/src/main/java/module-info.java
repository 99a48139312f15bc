/** Picture search on Apache Lucene's vector index. */
module dev.lmm.search {
  requires transitive dev.lmm.api;
  requires org.apache.lucene.core;
  requires static transitive org.jspecify;

  exports dev.lmm.search;
}
