package dev.lmm.core.decode;

import java.util.List;

/**
 * One token as it comes.
 *
 * @param id the token
 * @param text what is certain now and was not before; empty while a character or a possible stop
 *     string is held back, or if there is no tokenizer
 * @param logProbability the model's own, natural logarithm
 * @param alternatives the likeliest tokens at this place by the model's own probabilities, in
 *     falling order; as many as asked for
 */
public record Piece(int id, String text, float logProbability, List<TokenChoice> alternatives) {}
