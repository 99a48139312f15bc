"""What torch computes for every operator of the graph: odd shapes, broadcasts, padding, masks.

Writes ``lmm-core/src/test/resources/golden/ops.safetensors`` (whole inputs and outputs) and
``ops.json`` (operator, attributes, names of inputs and outputs of each case). Every engine is
compared with them, and the interpreter first of all. Run it as it is: no arguments, no network.
"""

from __future__ import annotations

import json
import math
import zlib
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import save_file

torch.set_num_threads(1)
OUT = Path(__file__).resolve().parent.parent / "lmm-core/src/test/resources/golden"
tensors: dict[str, np.ndarray] = {}
cases: list[dict] = []


class Case:
    """One case; its random numbers depend on its name only, so that adding one changes no other."""

    def __init__(self, name: str, op: str, **attributes):
        self.name = name
        self.random = torch.Generator().manual_seed(zlib.crc32(name.encode()))
        self.case = {"name": name, "op": op, "attributes": attributes, "inputs": [], "outputs": []}

    def input(self, value):
        """Adds an input, or None for an optional one that is absent."""
        if value is None:
            self.case["inputs"].append("")
            return None
        key = f"{self.name}/in{len(self.case['inputs'])}"
        tensors[key] = value.contiguous().numpy()
        self.case["inputs"].append(key)
        # In double precision the reference has no rounding of its own worth speaking of.
        return value.double() if value.dtype == torch.float32 else value

    def normal(self, *shape, scale=1.0):
        return self.input(torch.randn(shape, generator=self.random) * scale)

    def uniform(self, *shape, low=0.0, high=1.0):
        return self.input(torch.rand(shape, generator=self.random) * (high - low) + low)

    def integers(self, *shape, low=0, high=10, dtype=torch.int64):
        return self.input(torch.randint(low, high, shape, generator=self.random).to(dtype))

    def bools(self, *shape, chance=0.5):
        return self.input(torch.rand(shape, generator=self.random) < chance)

    def output(self, *values):
        for value in values:
            key = f"{self.name}/out{len(self.case['outputs'])}"
            value = value.float() if value.is_floating_point() else value
            assert not value.is_floating_point() or torch.isfinite(value).all(), key
            tensors[key] = value.contiguous().numpy()
            self.case["outputs"].append(key)
        cases.append(self.case)


def elementwise():
    functions = {
        "NEG": torch.neg, "ABS": torch.abs, "EXP": torch.exp, "SIN": torch.sin, "COS": torch.cos,
        "TANH": torch.tanh, "FLOOR": torch.floor, "ERF": torch.erf, "SIGMOID": torch.sigmoid,
        "RELU": torch.relu, "SILU": F.silu, "GELU": F.gelu,
        "GELU_TANH": lambda x: F.gelu(x, approximate="tanh"),
        "QUICK_GELU": lambda x: x * torch.sigmoid(1.702 * x),
    }
    for op, f in functions.items():
        c = Case(op.lower(), op)
        c.output(f(c.normal(3, 7, 5, scale=3)))
    for op, f in {"LOG": torch.log, "SQRT": torch.sqrt, "RSQRT": torch.rsqrt}.items():
        c = Case(op.lower(), op)
        c.output(f(c.uniform(11, 3, low=1e-3, high=9)))
    for op, f in {"NEG": torch.neg, "ABS": torch.abs}.items():
        c = Case(f"{op.lower()}-integers", op)
        c.output(f(c.integers(7, low=-9)))
    c = Case("not", "NOT")
    c.output(~c.bools(5, 2))
    binary = {"ADD": torch.add, "SUB": torch.sub, "MUL": torch.mul, "DIV": torch.div,
              "MINIMUM": torch.minimum, "MAXIMUM": torch.maximum}
    for op, f in binary.items():
        c = Case(op.lower(), op)
        c.output(f(c.normal(2, 1, 5), c.uniform(3, 1, low=0.5, high=2)))
        c = Case(f"{op.lower()}-scalar", op)
        c.output(f(c.normal(13), c.uniform(low=0.5, high=2)))
    c = Case("pow", "POW")
    c.output(torch.pow(c.uniform(5, 3, low=0.1, high=3), c.normal(3)))
    c = Case("add-integers", "ADD")
    c.output(c.integers(3, 1, low=-5) + c.integers(4))
    c = Case("div-integers", "DIV")
    c.output(torch.div(c.integers(11, low=-20, high=20), c.integers(1, low=3, high=4),
                       rounding_mode="trunc"))
    compare = {"EQUAL": torch.eq, "LESS": torch.lt, "LESS_OR_EQUAL": torch.le}
    for op, f in compare.items():
        c = Case(f"{op.lower()}-integers", op)
        c.output(f(c.integers(5, 1, high=4), c.integers(7, high=4)))
        c = Case(f"{op.lower()}-floats", op)
        x = torch.tensor([0.5, -0.0, 1.0, 2.0])
        c.output(f(c.input(x), c.input(torch.tensor([0.5, 0.0, 2.0, 1.0]))))
    for op, f in {"AND": torch.logical_and, "OR": torch.logical_or}.items():
        c = Case(op.lower(), op)
        c.output(f(c.bools(3, 1), c.bools(5)))
    c = Case("where", "WHERE")
    c.output(torch.where(c.bools(3, 1), c.normal(2, 1, 5), c.normal(5)))
    c = Case("where-integers", "WHERE")
    c.output(torch.where(c.bools(4), c.integers(4), c.integers(1)))
    c = Case("clamp", "CLAMP", min=-0.5, max=0.75)
    c.output(c.normal(17).clamp(-0.5, 0.75))
    for dtype, to in {"I64": torch.int64, "I32": torch.int32, "BOOL": torch.bool}.items():
        c = Case(f"cast-{dtype.lower()}", "CAST", dtype=dtype)
        c.output(c.input(torch.tensor([-2.7, -0.5, 0.0, 0.5, 3.9])).to(to))
    c = Case("cast-floats", "CAST", dtype="F32")
    c.output(c.integers(5, low=-9).to(torch.float32))
    c = Case("cast-bools", "CAST", dtype="F32")
    c.output(c.bools(5).to(torch.float32))


def products():
    for name, shape, bias in (("linear", (2, 3, 7), True), ("linear-no-bias", (1, 7), False),
                              ("linear-vector", (7,), True), ("linear-4d", (2, 1, 3, 7), True)):
        c = Case(name, "LINEAR")
        c.output(F.linear(c.normal(*shape), c.normal(5, 7), c.normal(5) if bias else None))
    c = Case("matmul", "MATMUL", transposeA=False, transposeB=False)
    c.output(c.normal(3, 5, 7) @ c.normal(3, 7, 2))
    c = Case("matmul-broadcast", "MATMUL", transposeA=False, transposeB=False)
    c.output(c.normal(2, 1, 5, 7) @ c.normal(3, 7, 2))
    c = Case("matmul-transposed", "MATMUL", transposeA=True, transposeB=True)
    c.output(c.normal(3, 7, 5).mT @ c.normal(2, 7).mT)
    c = Case("matmul-one", "MATMUL", transposeA=False, transposeB=True)
    c.output(c.normal(1, 1) @ c.normal(2, 1, 1).mT)
    c = Case("embedding", "EMBEDDING")
    c.output(F.embedding(c.integers(2, 3, high=11), c.normal(11, 5)))
    for activation, f in (("SILU", F.silu), ("GELU", F.gelu)):
        c = Case(f"experts-{activation.lower()}", "EXPERTS", activation=activation)
        x = c.normal(5, 7)
        routing = torch.rand(5, 3, generator=c.random)
        routing[torch.arange(5), torch.arange(5) % 3] = 0
        routing = c.input(routing)
        gate, up, down = c.normal(3, 11, 7), c.normal(3, 11, 7), c.normal(3, 7, 11, scale=0.3)
        y = torch.zeros_like(x)
        for e in range(3):
            y += routing[:, e : e + 1] * ((f(x @ gate[e].T) * (x @ up[e].T)) @ down[e].T)
        c.output(y)


def convolutions():
    def conv(name, x, w, bias=True, stride=1, dilation=1, before=0, after=None, groups=1):
        n = len(x) - 2
        lists = [[v] * n if isinstance(v, int) else list(v)
                 for v in (stride, dilation, before, before if after is None else after)]
        c = Case(name, "CONV", strides=lists[0], dilations=lists[1], padBefore=lists[2],
                 padAfter=lists[3], groups=groups)
        vx, vw = c.normal(*x), c.normal(*w)
        vb = c.normal(w[0]) if bias else None
        pad = [p for b, a in reversed(list(zip(lists[2], lists[3]))) for p in (b, a)]
        f = (F.conv1d, F.conv2d, F.conv3d)[n - 1]
        c.output(f(F.pad(vx, pad), vw, vb, tuple(lists[0]), 0, tuple(lists[1]), groups))

    conv("conv2d", (2, 3, 7, 5), (4, 3, 3, 3), before=1)
    conv("conv2d-patches", (1, 3, 8, 12), (5, 3, 4, 4), bias=False, stride=4)
    conv("conv2d-asymmetric", (1, 2, 5, 6), (3, 2, 3, 3), stride=2, before=(0, 0), after=(1, 1))
    conv("conv2d-lopsided", (1, 2, 5, 7), (3, 2, 2, 3), stride=(1, 2), before=(1, 0), after=(0, 2))
    conv("conv2d-dilated", (1, 2, 9, 7), (2, 2, 3, 2), dilation=(2, 3), before=1)
    conv("conv2d-groups", (2, 6, 5, 5), (4, 3, 3, 3), groups=2, before=1)
    conv("conv2d-depthwise", (1, 5, 4, 3), (5, 1, 3, 3), groups=5, before=1)
    conv("conv2d-1x1", (1, 3, 1, 1), (2, 3, 1, 1))
    conv("conv1d", (2, 3, 11), (5, 3, 3), stride=2, before=1)
    conv("conv1d-causal", (1, 4, 7), (4, 2, 3), groups=2, dilation=2, before=4, after=0)
    conv("conv3d", (1, 3, 4, 6, 5), (4, 3, 2, 3, 3), stride=(2, 1, 2), before=(0, 1, 1))

    def transposed(name, x, w, stride=1, padding=0, extra=0, groups=1, bias=True):
        n = len(x) - 2
        lists = [[v] * n if isinstance(v, int) else list(v) for v in (stride, padding, extra)]
        c = Case(name, "CONV_TRANSPOSE", strides=lists[0], padding=lists[1],
                 outputPadding=lists[2], groups=groups)
        vx, vw = c.normal(*x), c.normal(*w)
        vb = c.normal(w[1] * groups) if bias else None
        f = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)[n - 1]
        c.output(f(vx, vw, vb, tuple(lists[0]), tuple(lists[1]), tuple(lists[2]), groups))

    transposed("conv-transpose1d", (2, 3, 5), (3, 4, 4), stride=2, padding=1)
    transposed("conv-transpose2d", (1, 4, 3, 5), (4, 3, 3, 2), stride=(2, 3), padding=(1, 0),
               extra=(1, 2))
    transposed("conv-transpose2d-groups", (1, 4, 3, 3), (4, 2, 2, 2), stride=2, groups=2,
               bias=False)
    transposed("conv-transpose3d", (1, 2, 2, 3, 2), (2, 3, 2, 2, 3), stride=(1, 2, 1))


def norms():
    for name, weight, bias in (("", True, True), ("-no-bias", True, False), ("-bare", False, False)):
        c = Case("layer-norm" + name, "LAYER_NORM", epsilon=1e-5)
        x = c.normal(2, 3, 13, scale=3) + 0
        c.output(F.layer_norm(x, (13,), c.normal(13) if weight else None,
                              c.normal(13) if bias else None, 1e-5))
    for name, weight in (("", True), ("-bare", False)):
        c = Case("rms-norm" + name, "RMS_NORM", epsilon=1e-6)
        x = c.normal(5, 7, scale=2)
        c.output(F.rms_norm(x, (7,), c.normal(7) if weight else None, 1e-6))
    c = Case("layer-norm-large-epsilon", "LAYER_NORM", epsilon=0.5)
    c.output(F.layer_norm(c.normal(3, 5, scale=0.5), (5,), None, None, 0.5))
    for name, shape, groups, affine in (("group-norm", (2, 6, 3, 5), 3, True),
                                        ("group-norm-one", (1, 4, 7), 1, True),
                                        ("group-norm-each", (2, 4, 2, 3, 2), 4, False)):
        c = Case(name, "GROUP_NORM", groups=groups, epsilon=1e-5)
        x = c.normal(*shape, scale=2)
        w, b = (c.normal(shape[1]), c.normal(shape[1])) if affine else (None, None)
        c.output(F.group_norm(x, groups, w, b, 1e-5))
    for axis in (0, 1, 2):
        c = Case(f"softmax-{axis}", "SOFTMAX", axis=axis)
        c.output(torch.softmax(c.normal(3, 7, 5, scale=4), axis))
        c = Case(f"log-softmax-{axis}", "LOG_SOFTMAX", axis=axis)
        c.output(torch.log_softmax(c.normal(3, 7, 5, scale=4), axis))
    c = Case("softmax-large", "SOFTMAX", axis=0)
    c.output(torch.softmax(c.input(torch.tensor([1e4, 1e4 - 1, -1e4])), 0))


def attentions():
    def attention(name, b=2, q=5, k=5, heads=2, kv=2, d=4, dv=4, scale=None, causal=False, window=0,
                  probabilities=False, mask=None, bias=None):
        scale = 1 / math.sqrt(d) if scale is None else scale
        c = Case(name, "ATTENTION", heads=heads, kvHeads=kv, scale=scale, causal=causal,
                 window=window, probabilities=probabilities)
        vq, vk, vv = c.normal(b, q, heads * d), c.normal(b, k, kv * d), c.normal(b, k, kv * dv)
        vm = c.input(mask(c.random)) if mask else (c.input(None) if bias else None)
        vb = c.normal(*bias) if bias else None
        split = lambda x, n: x.unflatten(-1, (n, -1)).transpose(1, 2)
        grouped = lambda x: split(x, kv).repeat_interleave(heads // kv, 1)
        scores = split(vq, heads) @ grouped(vk).mT * scale
        if vb is not None:
            scores = scores + vb
        allowed = torch.ones(b, heads, q, k, dtype=torch.bool)
        position = torch.arange(q)[:, None] + k - q
        if causal:
            allowed = allowed & (torch.arange(k) <= position)
        if window:
            allowed = allowed & (torch.arange(k) > position - window)
        if vm is not None:
            allowed = allowed & vm
        p = torch.softmax(scores.masked_fill(~allowed, -math.inf), -1).nan_to_num(0)
        y = (p @ grouped(vv)).transpose(1, 2).flatten(2)
        if vm is None and vb is None and not window and (q == k or not causal):
            own = F.scaled_dot_product_attention(split(vq, heads), grouped(vk), grouped(vv),
                                                 is_causal=causal, scale=scale)
            assert torch.allclose(own.transpose(1, 2).flatten(2), y)
        c.output(*([y, p] if probabilities else [y]))

    attention("attention")
    attention("attention-causal", causal=True)
    attention("attention-one", b=1, q=1, k=1, heads=1, kv=1)
    attention("attention-cross", q=3, k=7, dv=3)
    attention("attention-late-queries", q=3, k=7, causal=True)
    attention("attention-early-queries", q=5, k=3, causal=True)
    attention("attention-grouped", heads=6, kv=2, q=5, k=5, causal=True)
    attention("attention-one-kv-head", heads=3, kv=1, d=5, dv=2)
    attention("attention-window", q=7, k=7, causal=True, window=3)
    attention("attention-own-scale", scale=1.0)
    attention("attention-probabilities", probabilities=True, q=3, k=5, causal=True)
    attention("attention-bias", scale=1.0, bias=(1, 2, 5, 5))
    attention("attention-bias-keys", bias=(2, 1, 1, 5), causal=True)
    padding = torch.tensor([[1, 1, 1, 0, 0], [1, 0, 0, 0, 0]], dtype=torch.bool)
    attention("attention-padding", mask=lambda r: padding[:, None, None, :])
    attention("attention-padding-causal", mask=lambda r: padding[:, None, None, :], causal=True)
    attention("attention-nothing", probabilities=True, mask=lambda r: torch.tensor(
        [[1, 0, 1, 1, 1], [0, 0, 0, 0, 0]], dtype=torch.bool)[:, None, None, :])
    attention("attention-mask-queries", mask=lambda r: torch.rand(5, 5, generator=r) < 0.6)
    attention("attention-mask-heads", mask=lambda r: torch.rand(2, 2, 5, 5, generator=r) < 0.6,
              bias=(2, 5, 5))

    def cached(name, past, s, capacity=7, heads=4, kv=2, d=4, dv=4, window=0, bias=None):
        b = len(past)
        c = Case(name, "CACHED_ATTENTION", heads=heads, kvHeads=kv, scale=0.4, window=window)
        vq, vk, vv = c.normal(b, s, heads * d), c.normal(b, s, kv * d), c.normal(b, s, kv * dv)
        keys, values = c.normal(b, kv, capacity, d), c.normal(b, kv, capacity, dv)
        c.input(torch.tensor(past, dtype=torch.int32))
        vb = c.normal(*bias) if bias else None
        keys, values = keys.clone(), values.clone()
        y = torch.zeros(b, s, heads * dv, dtype=torch.float64)
        for i, p in enumerate(past):
            keys[i, :, p : p + s] = vk[i].unflatten(-1, (kv, d)).transpose(0, 1)
            values[i, :, p : p + s] = vv[i].unflatten(-1, (kv, dv)).transpose(0, 1)
            for j in range(s):
                first = max(0, p + j + 1 - window) if window else 0
                span = slice(first, p + j + 1)
                for h in range(heads):
                    k, v = keys[i, h * kv // heads, span], values[i, h * kv // heads, span]
                    score = k @ vq[i, j, h * d : (h + 1) * d] * 0.4
                    if vb is not None:
                        score = score + vb.broadcast_to(b, heads, s, capacity)[i, h, j, span]
                    y[i, j, h * dv : (h + 1) * dv] = torch.softmax(score, -1) @ v
        c.output(y, keys, values)

    cached("cached-prefill", [0, 0], 5)
    cached("cached-step", [5, 2], 1)
    cached("cached-rows-differ", [4, 0], 3)
    cached("cached-full", [6], 1, heads=2)
    cached("cached-window", [4, 3], 2, window=3)
    cached("cached-bias", [3], 2, bias=(1, 4, 2, 7))

    def rotary(name, heads, d, half, interleaved, batched=False):
        c = Case(name, "ROTARY", heads=heads, interleaved=interleaved)
        x = c.normal(2, 5, heads * d)
        angles = torch.randn(*((2, 5, half) if batched else (5, half)), generator=c.random)
        cos, sin = c.input(angles.cos()), c.input(angles.sin())
        y = x.unflatten(-1, (heads, d)).clone()
        cos, sin = (cos if batched else cos[None])[:, :, None], (sin if batched else sin[None])[:, :, None]
        if interleaved:
            one, two = y[..., 0 : 2 * half : 2].clone(), y[..., 1 : 2 * half : 2].clone()
            y[..., 0 : 2 * half : 2], y[..., 1 : 2 * half : 2] = one * cos - two * sin, two * cos + one * sin
        else:
            one, two = y[..., :half].clone(), y[..., half : 2 * half].clone()
            y[..., :half], y[..., half : 2 * half] = one * cos - two * sin, two * cos + one * sin
        c.output(y.flatten(2))

    rotary("rotary-halves", 3, 8, 4, False)
    rotary("rotary-interleaved", 3, 8, 4, True)
    rotary("rotary-partial", 2, 10, 3, False, batched=True)
    rotary("rotary-partial-interleaved", 2, 10, 3, True, batched=True)


def shapes():
    c = Case("reshape", "RESHAPE", shape=[5, 6])
    c.output(c.normal(2, 3, 5).reshape(5, 6))
    c = Case("reshape-scalar", "RESHAPE", shape=[])
    c.output(c.normal(1, 1).reshape(()))
    c = Case("transpose", "TRANSPOSE", permutation=[2, 0, 3, 1])
    c.output(c.normal(2, 3, 5, 1).permute(2, 0, 3, 1))
    c = Case("transpose-bools", "TRANSPOSE", permutation=[1, 0])
    c.output(c.bools(3, 5).permute(1, 0))
    c = Case("expand", "EXPAND", shape=[3, 2, 5])
    c.output(c.normal(2, 1).expand(3, 2, 5))
    c = Case("concat", "CONCAT", axis=1)
    c.output(torch.cat([c.normal(2, 1, 3), c.normal(2, 4, 3), c.normal(2, 0, 3)], 1))
    c = Case("concat-integers", "CONCAT", axis=0)
    c.output(torch.cat([c.integers(2), c.integers(3)], 0))
    for name, start, end, step in (("slice", 1, 5, 1), ("slice-step", 1, 7, 3), ("slice-none", 2, 2, 1)):
        c = Case(name, "SLICE", axis=1, start=start, end=end, step=step)
        c.output(c.normal(2, 7, 3)[:, start:end:step])
    pads = {"CONSTANT": "constant", "REFLECT": "reflect", "EDGE": "replicate"}
    for mode, name in pads.items():
        c = Case(f"pad-{name}", "PAD", before=[0, 0, 2, 1], after=[0, 0, 1, 3], mode=mode, value=-1.5)
        x = c.normal(1, 2, 4, 5)
        c.output(F.pad(x, (1, 3, 2, 1), name, -1.5 if mode == "CONSTANT" else None))
    for mode, name in (("LINEAR", "bilinear"), ("CUBIC", "bicubic")):
        for size, into in ((("up"), [9, 11]), (("down"), [3, 2]), (("one"), [1, 1]), (("mixed"), [5, 13])):
            for corners, antialias in ((False, False), (True, False), (False, True)):
                c = Case(f"resize-{name}-{size}{'-corners' if corners else ''}"
                         f"{'-antialias' if antialias else ''}", "RESIZE", size=into, mode=mode,
                         alignCorners=corners, antialias=antialias)
                x = c.normal(1, 2, 5, 7)
                c.output(F.interpolate(x, into, mode=name, align_corners=corners, antialias=antialias))
    for into in ([10, 14], [3, 5], [7, 3]):
        c = Case(f"resize-nearest-{into[0]}x{into[1]}", "RESIZE", size=into, mode="NEAREST",
                 alignCorners=False, antialias=False)
        c.output(F.interpolate(c.normal(2, 1, 5, 7), into, mode="nearest"))
    c = Case("resize-nearest-1d", "RESIZE", size=[13], mode="NEAREST", alignCorners=False, antialias=False)
    c.output(F.interpolate(c.normal(1, 2, 5), 13, mode="nearest"))


def indexing():
    for axis in (0, 1):
        c = Case(f"gather-{axis}", "GATHER", axis=axis)
        x, i = c.normal(3, 5, 2), c.integers(2, 4, high=3)
        flat = x.index_select(axis, i.flatten())
        c.output(flat.unflatten(axis, i.shape))
    c = Case("gather-scalar", "GATHER", axis=1)
    c.output(c.normal(3, 5)[:, c.input(torch.tensor(4))])
    c = Case("gather-i32", "GATHER", axis=0)
    c.output(c.integers(7)[c.integers(3, high=7, dtype=torch.int32).long()])
    c = Case("gather-elements", "GATHER_ELEMENTS", axis=1)
    c.output(torch.gather(c.normal(3, 5, 2), 1, c.integers(3, 4, 2, high=5)))
    c = Case("gather-elements-first", "GATHER_ELEMENTS", axis=0)
    c.output(torch.gather(c.normal(4, 3), 0, c.integers(2, 3, high=4)))
    c = Case("scatter-rows", "SCATTER_ROWS")
    x, i, u = c.normal(5, 3), c.input(torch.tensor([4, 0, 2])), c.normal(3, 3)
    c.output(x.index_copy(0, i, u))
    c = Case("argmax", "ARGMAX", axis=1, keepDims=False)
    c.output(c.normal(3, 7, 2).argmax(1))
    c = Case("argmax-ties", "ARGMAX", axis=1, keepDims=True)
    c.output(c.input(torch.tensor([[1, 5, 5, 2], [3, 3, 3, 3]])).argmax(1, keepdim=True))
    c = Case("top-k", "TOP_K", axis=1, k=3)
    x = c.normal(2, 7, 3)
    c.output(*torch.topk(x, 3, 1))
    c = Case("top-k-ties", "TOP_K", axis=0, k=4)
    x = c.input(torch.tensor([2.0, 7.0, 2.0, 7.0, 1.0, 2.0]))
    order = torch.sort(-x, stable=True).indices[:4]
    c.output(x[order], order)


def reductions():
    functions = {"REDUCE_SUM": torch.sum, "REDUCE_MEAN": torch.mean, "REDUCE_MAX": torch.amax,
                 "REDUCE_MIN": torch.amin}
    for op, f in functions.items():
        for name, axes, keep in (("last", [2], False), ("two", [0, 2], True), ("all", [0, 1, 2], False)):
            c = Case(f"{op.lower()}-{name}", op, axes=axes, keepDims=keep)
            c.output(f(c.normal(3, 5, 7), dim=axes, keepdim=keep))
        if op != "REDUCE_MEAN":
            c = Case(f"{op.lower()}-integers", op, axes=[0], keepDims=False)
            c.output(f(c.integers(5, 3, low=-9), dim=[0]))
    for axis in (0, 1):
        c = Case(f"cumsum-{axis}", "CUMSUM", axis=axis)
        c.output(c.normal(3, 7).cumsum(axis))
    c = Case("cumsum-integers", "CUMSUM", axis=1)
    c.output(c.integers(2, 5).cumsum(1))


if __name__ == "__main__":
    elementwise(), products(), convolutions(), norms(), attentions(), shapes(), indexing(), reductions()
    assert len({c["name"] for c in cases}) == len(cases)
    OUT.mkdir(parents=True, exist_ok=True)
    save_file(tensors, OUT / "ops.safetensors")
    about = {"versions": {"torch": torch.__version__.split("+")[0], "numpy": np.__version__}}
    lines = ",\n".join("    " + json.dumps(c) for c in cases)
    text = f'{{\n  "versions": {json.dumps(about["versions"])},\n  "cases": [\n{lines}\n  ]\n}}\n'
    (OUT / "ops.json").write_text(text, encoding="utf-8")
    print(len(cases), "cases of", len({c["op"] for c in cases}), "operators")
