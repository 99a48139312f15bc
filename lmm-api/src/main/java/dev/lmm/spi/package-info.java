/** What an implementation of the API provides; found with {@link java.util.ServiceLoader}. */
@NullMarked
package dev.lmm.spi;

import org.jspecify.annotations.NullMarked;
