package dev.lmm;

/**
 * How well a text matches a picture.
 *
 * @param text the text, as it was given
 * @param probability that they belong together, by the model that looks at both at once (image-text
 *     matching); 0 to 1
 * @param similarity of picture and text, each looked at alone (image-text contrast): the cosine of
 *     the text and the query that fits best; -1 to 1
 */
public record Match(String text, double probability, double similarity) {}
