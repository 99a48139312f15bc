package dev.lmm.clip.internal;

import dev.lmm.core.graph.Op;

/**
 * {@code vision_config} of config.json; components mirror its keys. Absent keys have the defaults
 * of the family's configuration class.
 *
 * @param hiddenSize width of the tower
 * @param intermediateSize width of the feed-forward layers
 * @param numHiddenLayers number of layers
 * @param numAttentionHeads number of heads, divides the width
 * @param numChannels channels of the picture
 * @param imageSize side of the square picture in pixels; 0 where patches vary (NaFlex)
 * @param patchSize side of a patch in pixels
 * @param numPatches entries of the position table
 * @param hiddenAct activation
 * @param layerNormEps epsilon of the layer norms
 */
record VisionConfig(
    int hiddenSize,
    int intermediateSize,
    int numHiddenLayers,
    int numAttentionHeads,
    int numChannels,
    int imageSize,
    int patchSize,
    int numPatches,
    Op hiddenAct,
    double layerNormEps) {
  TransformerLayers layers() {
    return new TransformerLayers(
        hiddenSize, intermediateSize, numHiddenLayers, numAttentionHeads, hiddenAct, layerNormEps);
  }
}
