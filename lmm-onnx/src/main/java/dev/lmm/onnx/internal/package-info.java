/** How the ONNX engine works inside; not exported. */
@NullMarked
package dev.lmm.onnx.internal;

import org.jspecify.annotations.NullMarked;
