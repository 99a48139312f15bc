/**
 * Models as beans of a Spring Boot application. With {@code
 * lmm.encoder.model=google/siglip2-base-patch16-224} in the application's properties there is a
 * bean of type {@link dev.lmm.Encoder}; likewise {@code chat}, {@code generator}, {@code
 * captioner}, {@code matcher} and {@code grounder}.
 */
@NullMarked
package dev.lmm.spring.boot;

import org.jspecify.annotations.NullMarked;
