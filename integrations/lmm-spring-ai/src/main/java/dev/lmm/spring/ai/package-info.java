/**
 * Models as Spring AI knows them. Each adapter stands on a role of lmm that the caller loads and
 * closes; in an application of Spring Boot the roles that {@code lmm-spring-boot-starter} makes
 * have their adapters as beans.
 */
@NullMarked
package dev.lmm.spring.ai;

import org.jspecify.annotations.NullMarked;
