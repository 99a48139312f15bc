/** The engine that runs graphs in ONNX Runtime. It knows no model family. */
@NullMarked
package dev.lmm.onnx;

import org.jspecify.annotations.NullMarked;
