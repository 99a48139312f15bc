"""Writes the golden files of the .bin reader with the real torch.

For each NAME.bin there is a NAME.safetensors with the same tensors, made contiguous, as torch itself
reads them back. Files that must be refused have no such twin.

  python reference/bin_goldens.py lmm-core/src/test/resources/bin

Made with torch 2.15.0 and safetensors 0.8; the versions are printed.
"""

import collections
import hashlib
import os
import sys

import safetensors
import torch
from safetensors.torch import save_file

out = sys.argv[1]
os.makedirs(out, exist_ok=True)
torch.manual_seed(7)


def twin(name, tensors):
    save_file(
        {k: v.detach().clone(memory_format=torch.contiguous_format).contiguous() for k, v in tensors.items()},
        os.path.join(out, name + ".safetensors"),
    )


def save(name, value, tensors, **options):
    path = os.path.join(out, name + ".bin")
    torch.save(value, path, **options)
    back = torch.load(path, weights_only="pickle_protocol" not in options)
    assert type(back) is type(value)
    if tensors is not None:
        twin(name, tensors)


def every_type():
    tensors = collections.OrderedDict()
    base = torch.randn(3, 5) * 20
    for dtype in [
        torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32,
        torch.int16, torch.int8, torch.uint8, torch.bool, torch.float8_e4m3fn, torch.float8_e5m2,
        torch.uint16, torch.uint32, torch.uint64,
    ]:
        tensors["type." + str(dtype).removeprefix("torch.")] = base.abs().to(dtype)
    return tensors


def every_view():
    tensors = collections.OrderedDict()
    whole = torch.randn(6, 8)
    tensors["whole"] = whole
    tensors["rows"] = whole[2:5]
    tensors["column"] = whole[:, 3]
    tensors["block"] = whole[1:4, 2:6]
    tensors["stepped"] = whole[::2, ::3]
    tensors["transposed"] = whole.T
    tensors["scalar"] = whole[4, 4]
    tensors["empty"] = torch.zeros(0, 4)
    tensors["empty.view"] = whole[3:3, 1:2]
    tensors["one.row"] = whole.T[:1]
    tensors["channels.last"] = torch.randn(2, 3, 4, 5, dtype=torch.float16).to(memory_format=torch.channels_last)
    tensors["permuted"] = torch.arange(60, dtype=torch.int64).reshape(3, 4, 5).permute(2, 0, 1)
    tensors["bytes"] = torch.arange(15, dtype=torch.uint8).reshape(3, 5).T
    tensors["parameter"] = torch.nn.Parameter(torch.randn(4, 2, dtype=torch.bfloat16))
    tensors["parameter.transposed"] = torch.nn.Parameter(torch.randn(4, 7).T)
    return tensors


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = torch.nn.Embedding(11, 6)
        self.norm = torch.nn.BatchNorm1d(6)
        self.head = torch.nn.Linear(6, 11, bias=False)
        self.head.weight = self.embed.weight  # tied
        self.register_buffer("position_ids", torch.arange(9).unsqueeze(0))


class Touch:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, ("touch " + self.path,)


print("torch", torch.__version__, "safetensors", safetensors.__version__)
types, views, net = every_type(), every_view(), Net()
save("types", types, types)
save("views", views, views)
save("views_protocol5", dict(views), views, pickle_protocol=5)
save("net", net.state_dict(), net.state_dict())
save("legacy", views, views, _use_new_zipfile_serialization=False)
save("legacy_net", net.state_dict(), net.state_dict(), _use_new_zipfile_serialization=False)
# torch itself cannot read the types without a typed storage back from the legacy form.
classic = collections.OrderedDict(
    (k, v) for k, v in types.items() if "float8" not in k and k not in ("type.uint16", "type.uint32", "type.uint64"))
save("legacy_types", classic, classic, _use_new_zipfile_serialization=False)
save("wrapped", {"epoch": 3, "lr": 0.5, "done": False, "note": "x", "history": [1, (2, None)],
                 "state_dict": net.state_dict()}, net.state_dict())
save("mixed", {"weight": torch.ones(2), "step": 12345678901, 5: "five"}, {"weight": torch.ones(2)})
save("expanded", {"weight": torch.ones(1).expand(1000, 1000)}, None)
save("list", [torch.ones(2)], None)
save("complex", {"weight": torch.ones(2, dtype=torch.complex64)}, None)
torch.save({"weight": torch.ones(2).to_sparse()}, os.path.join(out, "sparse.bin"))
torch.save({"weight": torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8)}, os.path.join(out, "quantized.bin"))
torch.save(torch.nn.Linear(2, 2), os.path.join(out, "module.bin"))
torch.save({"weight": torch.ones(2), "x": Touch("/tmp/lmm-was-here")}, os.path.join(out, "evil.bin"))
torch.save({"weight": torch.ones(2), "x": Touch("/tmp/lmm-was-here")}, os.path.join(out, "legacy_evil.bin"),
           _use_new_zipfile_serialization=False)
torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), os.path.join(out, "script.bin"))

# Hashes of the tensors of real files that lie beside: trained weights published as .pth.
for name in sorted(os.listdir(out)):
    if name.endswith(".pth"):
        with open(os.path.join(out, name + ".tsv"), "w") as file:
            for key, tensor in torch.load(os.path.join(out, name), weights_only=True).items():
                data = tensor.contiguous().view(torch.uint8).numpy().tobytes()
                shape = "x".join(map(str, tensor.shape))
                print(key, str(tensor.dtype).removeprefix("torch."), shape, hashlib.sha256(data).hexdigest(),
                      sep="\t", file=file)
