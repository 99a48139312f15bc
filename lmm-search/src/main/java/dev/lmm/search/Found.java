package dev.lmm.search;

/**
 * A picture that was found.
 *
 * @param photo the picture
 * @param similarity cosine between its embedding and that of what was looked for, -1 to 1. Pictures
 *     lie near to each other: 0.9 and more is common there. Texts lie farther off: with CLIP 0.2 to
 *     0.35 is a good match, with SigLIP 0.05 to 0.2
 */
public record Found(Photo photo, double similarity) {}
