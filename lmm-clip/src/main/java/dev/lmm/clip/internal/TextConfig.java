package dev.lmm.clip.internal;

import dev.lmm.core.graph.Op;

/**
 * {@code text_config} of config.json; components mirror its keys. Absent keys have the defaults of
 * the family's configuration class.
 *
 * @param vocabSize rows of the token table
 * @param hiddenSize width of the tower
 * @param intermediateSize width of the feed-forward layers
 * @param numHiddenLayers number of layers
 * @param numAttentionHeads number of heads, divides the width
 * @param maxPositionEmbeddings longest text in tokens
 * @param hiddenAct activation
 * @param layerNormEps epsilon of the layer norms
 * @param eosTokenId where CLIP reads the text's embedding; 2 stands for the largest id (older
 *     files)
 * @param projectionSize width of the embedding
 */
record TextConfig(
    int vocabSize,
    int hiddenSize,
    int intermediateSize,
    int numHiddenLayers,
    int numAttentionHeads,
    int maxPositionEmbeddings,
    Op hiddenAct,
    double layerNormEps,
    int eosTokenId,
    int projectionSize) {
  TransformerLayers layers() {
    return new TransformerLayers(
        hiddenSize, intermediateSize, numHiddenLayers, numAttentionHeads, hiddenAct, layerNormEps);
  }
}
