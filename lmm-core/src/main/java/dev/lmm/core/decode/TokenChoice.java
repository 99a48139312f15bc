package dev.lmm.core.decode;

/**
 * A token and how likely the model itself held it: the logarithm of its probability before penalty,
 * grammar and temperature.
 *
 * @param id the token
 * @param logProbability natural logarithm, at most 0
 */
public record TokenChoice(int id, float logProbability) {}
