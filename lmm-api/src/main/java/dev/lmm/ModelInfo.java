package dev.lmm;

/**
 * What was loaded.
 *
 * @param id the id or folder, as it was given
 * @param modelType {@code model_type} of config.json, for instance {@code clip}
 * @param engine the engine that computes, for instance {@code onnx}
 * @param device where it computes, for instance {@code cpu}
 * @param precision what it computes in
 * @param randomWeights whether the weights are random (asked for at loading), not the checkpoint's
 */
public record ModelInfo(
    String id,
    String modelType,
    String engine,
    String device,
    Precision precision,
    boolean randomWeights) {}
