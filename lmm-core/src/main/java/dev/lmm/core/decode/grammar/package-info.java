/**
 * Answers that keep to a form: regular expressions and JSON schemas, compiled to automata over
 * bytes and from there to masks over a vocabulary. Start at {@link
 * dev.lmm.core.decode.grammar.Grammar}.
 */
@NullMarked
package dev.lmm.core.decode.grammar;

import org.jspecify.annotations.NullMarked;
