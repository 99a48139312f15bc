/** Models as Spring AI knows them. */
module dev.lmm.spring.ai {
  requires transitive dev.lmm.api;
  // Automatic modules, these two by their files' names: Spring AI gives itself none.
  requires transitive spring.ai.commons;
  requires transitive spring.ai.model;
  requires transitive reactor.core;
  requires spring.core;
  // What Spring AI's classes are annotated with.
  requires static com.fasterxml.jackson.annotation;
  // Only where the application is one of Spring Boot.
  requires static transitive spring.boot.autoconfigure;
  requires static transitive spring.context;
  requires static transitive org.jspecify;

  exports dev.lmm.spring.ai;

  // Spring makes the beans by reflection.
  opens dev.lmm.spring.ai;
}
