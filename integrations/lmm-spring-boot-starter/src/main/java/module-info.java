/** Models as beans of a Spring Boot application. */
module dev.lmm.spring.boot {
  requires transitive dev.lmm.api;
  requires transitive spring.beans;
  requires transitive spring.context;
  requires transitive spring.boot;
  requires transitive spring.boot.autoconfigure;
  requires org.slf4j;
  // Only where the application has them.
  requires static com.fasterxml.jackson.annotation;
  requires static transitive micrometer.core;
  requires static transitive spring.boot.health;
  requires static transitive org.jspecify;

  exports dev.lmm.spring.boot;

  // Spring makes the beans and binds the properties by reflection.
  opens dev.lmm.spring.boot;
}
