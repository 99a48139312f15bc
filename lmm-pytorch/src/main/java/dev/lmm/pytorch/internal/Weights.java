package dev.lmm.pytorch.internal;

import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValue;
import dev.lmm.CheckpointException;
import dev.lmm.core.engine.StoredTensor;
import dev.lmm.core.engine.WeightStore;
import dev.lmm.core.graph.DType;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.Value;
import dev.lmm.core.graph.WeightRef;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Weights and constants of a graph as lists of tensors. A file is mapped once for each element type
 * in it, and weights in the type they are computed in are views of that map: no copy. Others are
 * converted, and those in few bits packed as their kernel wants them.
 */
final class Weights implements AutoCloseable {
  private static final String SCRIPT =
      String.join(
          "\n",
          "class M(Module):",
          "  __parameters__ = []",
          "  __buffers__ = []",
          // The path comes as bytes: nothing in it is ever read as code or in another charset.
          "  def open(self: __torch__.M, path: List[int], count: int, type: int) -> Tensor:",
          "    p = \"\"",
          "    for i in range(torch.len(path)):",
          "      p = torch.add(p, torch.chr(path[i]))",
          "    return torch.from_file(p, False, count, dtype=type)",
          "  def weight(self: __torch__.M, file: Tensor, start: int, range_: List[int],"
              + " turned: bool, shape: List[int], type: int) -> Tensor:",
          "    n = 1",
          "    for i in range(torch.len(range_)):",
          "      n = torch.mul(n, range_[i])",
          "    t = torch.narrow(file, 0, start, n)",
          "    r = torch.reshape(t, range_)",
          "    if turned:",
          "      r1 = torch.reshape(torch.transpose(r, 0, 1), shape)",
          "    else:",
          "      r1 = torch.reshape(r, shape)",
          "    if torch.eq(type, 0):",
          "      r2 = r1",
          "    else:",
          "      r2 = torch.to(r1, type)",
          "    return r2",
          "  def unaligned(self: __torch__.M, file: Tensor, start: int, bytes: int, type: int)"
              + " -> Tensor:",
          "    return torch.view_copy(torch.clone(torch.narrow(file, 0, start, bytes)),"
              + " dtype=type)",
          "");

  private final List<AutoCloseable> handles = new ArrayList<>();
  private final IValue list;
  private final FewBits fewBits;

  Weights(TorchRuntime runtime, Graph graph, WeightStore store, LinearWeights forms) {
    List<IValue> all = new ArrayList<>();
    Map<String, IValue> maps = new HashMap<>();
    // Random weights come into being, and their file grows, by being located.
    graph.weights().stream()
        .filter(forms::isPlain)
        .forEach(weight -> store.locate(weight.weight().name()));
    boolean done = false;
    try (PtSymbolBlock script = runtime.module(SCRIPT)) {
      for (Value weight : Lowering.fixed(graph, forms)) {
        if (weight.kind() == Value.Kind.WEIGHT) {
          all.add(keep(read(runtime, script, graph, weight, store, forms, maps)));
        } else {
          PtNDArray array =
              keep(Tensors.wrap(runtime, weight.data(), weight.dtype(), weight.shape().fixed()));
          all.add(keep(IValue.from(array)));
        }
      }
      if (all.isEmpty()) {
        list = keep(IValue.listFrom(new PtNDArray[0]));
      } else {
        list = keep(IValue.listFrom(all.toArray(IValue[]::new)));
      }
      fewBits = keep(new FewBits(runtime, store, forms));
      done = true;
    } finally {
      // Views keep the maps they look into.
      maps.values().forEach(IValue::close);
      if (!done) {
        close();
      }
    }
  }

  private <T extends AutoCloseable> T keep(T handle) {
    handles.add(handle);
    return handle;
  }

  /** The tensors, in the order of {@link Lowering#fixed}. */
  IValue list() {
    return list;
  }

  /** What linear layers in few bits multiply with. */
  FewBits fewBits() {
    return fewBits;
  }

  private static IValue read(
      TorchRuntime runtime,
      PtSymbolBlock script,
      Graph graph,
      Value value,
      WeightStore store,
      LinearWeights forms,
      Map<String, IValue> maps) {
    WeightRef ref = value.weight();
    StoredTensor stored = store.locate(ref.name());
    int width = stored.dtype().bytes();
    long start = stored.offset() + ref.rowStart() * ref.rowElements() * width;
    long end = stored.offset() + stored.length();
    boolean aligned = start % width == 0;
    int type = Lowering.code(stored.dtype());
    IValue file =
        maps.computeIfAbsent(
            stored.file() + " " + (aligned ? type : 0),
            key -> map(runtime, script, store, stored, end, aligned ? stored.dtype() : DType.U8));
    IValue source = file;
    long first = start / width;
    if (!aligned) {
      source =
          call(
              runtime,
              script,
              "unaligned",
              file,
              IValue.from(start),
              IValue.from(ref.elements() * width),
              IValue.from((long) type));
      first = 0;
    }
    try {
      boolean table = Lowering.isTable(graph, value) && stored.dtype().isFloat();
      int wanted = forms.isHalved(value) ? forms.half() : 6;
      return call(
          runtime,
          script,
          "weight",
          source,
          IValue.from(first),
          IValue.listFrom(
              ref.transpose() ? new long[] {ref.rows(), ref.rowElements()} : ref.view()),
          IValue.from(ref.transpose()),
          IValue.listFrom(ref.view()),
          IValue.from((long) (type == wanted || table ? 0 : wanted)));
    } finally {
      if (!aligned) {
        source.close();
      }
    }
  }

  private static IValue map(
      TorchRuntime runtime,
      PtSymbolBlock script,
      WeightStore store,
      StoredTensor stored,
      long end,
      DType type) {
    Path file = stored.file();
    try {
      Path real = file.toRealPath();
      long size = Files.size(real);
      if (size < end) {
        throw new CheckpointException(
            file + ": " + stored.name() + " ends at byte " + end + ", the file has " + size);
      }
      byte[] bytes = real.toString().getBytes(StandardCharsets.UTF_8);
      long[] path = new long[bytes.length];
      for (int i = 0; i < path.length; i++) {
        path[i] = bytes[i] & 0xff;
      }
      return call(
          runtime,
          script,
          "open",
          IValue.listFrom(path),
          IValue.from(size / type.bytes()),
          IValue.from((long) Lowering.code(type)));
    } catch (IOException e) {
      throw new CheckpointException(
          store.description() + ": " + file + ": cannot be read: " + e, e);
    } catch (ai.djl.engine.EngineException e) {
      throw new CheckpointException(file + ": cannot be mapped: " + e.getMessage(), e);
    }
  }

  /** Calls a method and closes the arguments, but for a tensor that comes first. */
  private static IValue call(
      TorchRuntime runtime, PtSymbolBlock script, String method, IValue... arguments) {
    try {
      return runtime.call(script, method, arguments);
    } finally {
      for (int i = method.equals("open") ? 0 : 1; i < arguments.length; i++) {
        arguments[i].close();
      }
    }
  }

  @Override
  public void close() {
    for (AutoCloseable handle : handles) {
      try {
        handle.close();
      } catch (Exception e) {
        throw new IllegalStateException("a handle of the engine cannot be closed", e);
      }
    }
    handles.clear();
  }
}
