/** Models as LangChain4j knows them. */
module dev.lmm.langchain4j {
  requires transitive dev.lmm.api;
  // An automatic module whose name is its file's: langchain4j-core gives itself none.
  requires transitive langchain4j.core;
  requires static transitive org.jspecify;

  exports dev.lmm.langchain4j;
}
