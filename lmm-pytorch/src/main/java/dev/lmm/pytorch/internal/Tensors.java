package dev.lmm.pytorch.internal;

import ai.djl.Device;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.ndarray.types.SparseFormat;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import dev.lmm.EngineException;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.graph.DType;
import java.nio.ByteBuffer;

/** Tensors over Java's memory. */
final class Tensors {
  private Tensors() {}

  /** A handle, to be closed; the memory is not copied and stays referenced by it. */
  static PtNDArray wrap(TorchRuntime runtime, Tensor tensor) {
    return wrap(runtime, tensor.data(), tensor.dtype(), tensor.shape());
  }

  static PtNDArray wrap(TorchRuntime runtime, ByteBuffer data, DType type, long... shape) {
    return JniUtils.createNdFromByteBuffer(
        runtime.manager(),
        data,
        new Shape(shape),
        dataType(type),
        SparseFormat.DENSE,
        Device.cpu());
  }

  /** Only types that DJL can hand over: others end the process. */
  private static DataType dataType(DType type) {
    return switch (type) {
      case F32 -> DataType.FLOAT32;
      // The script sees the bits and knows better.
      case F16, BF16 -> DataType.FLOAT16;
      case I64 -> DataType.INT64;
      case I32 -> DataType.INT32;
      case I8 -> DataType.INT8;
      case U8 -> DataType.UINT8;
      case BOOL -> DataType.BOOLEAN;
      default -> throw new EngineException("engine pytorch takes no tensors of type " + type);
    };
  }
}
