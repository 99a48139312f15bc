/**
 * Models as LangChain4j knows them. Each adapter stands on a role of lmm that the caller loads and
 * closes.
 */
@NullMarked
package dev.lmm.langchain4j;

import org.jspecify.annotations.NullMarked;
