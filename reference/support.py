"""What the golden scripts share: seeded weights, files in the published layouts, versions.

The goldens are whole tensors in a safetensors file, with a JSON beside it that names the inputs
and the versions of everything that had a part in making them.
"""

from __future__ import annotations

import os

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import importlib.metadata
import json
import math
import platform
import zlib
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from safetensors.numpy import save_file as save_numpy
from safetensors.torch import save_file as save_torch

torch.set_num_threads(2)

ROOT = Path(__file__).resolve().parent.parent
CLIP_GOLDEN = ROOT / "lmm-clip/src/test/resources/golden"
CORE_GOLDEN = ROOT / "lmm-core/src/test/resources/golden"
PICTURES = CORE_GOLDEN / "pictures/files"
TOKENIZERS = CORE_GOLDEN / "tokenizers/files"

LIBRARIES = ("transformers", "tokenizers", "sentencepiece", "torch", "pillow", "numpy", "safetensors")


def versions() -> dict[str, str]:
    """The versions of Python and of the libraries that make goldens."""
    found = {"python": platform.python_version()}
    found.update((name, importlib.metadata.version(name)) for name in LIBRARIES)
    return found


def write_json(path: Path, value) -> None:
    """Writes ``value`` readably and always the same way."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def write_golden(stem: Path, tensors: dict[str, np.ndarray], about: dict) -> None:
    """Writes ``<stem>.safetensors`` (float32, int64 and uint8 tensors) and ``<stem>.json``."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    arrays = {}
    for name, value in tensors.items():
        array = value.detach().numpy() if isinstance(value, torch.Tensor) else np.asarray(value)
        if array.dtype not in (np.uint8, np.int64):
            array = array.astype(np.float32)
        if array.dtype == np.float32 and not np.isfinite(array).all():
            raise ValueError(f"golden {stem.name}: {name} has values that are not finite")
        arrays[name] = np.ascontiguousarray(array)
    save_numpy(arrays, f"{stem}.safetensors")
    Path(f"{stem}.safetensors").chmod(0o644)
    shapes = {name: list(array.shape) for name, array in arrays.items()}
    write_json(Path(f"{stem}.json"), {**about, "tensors": shapes, "versions": versions()})


def open_rgb(path: Path) -> Image.Image:
    """Opens a picture as every family expects it: first frame, upright, RGB with alpha dropped."""
    return ImageOps.exif_transpose(Image.open(path)).convert("RGB")


# Embeddings are small, as they are in trained models: the first norm sees a variance of about 0.005,
# so that a wrong epsilon shows.
_EMBEDDING = 0.06

# Gains by the end of the tensor's name; the first that fits counts. Queries and keys are larger than
# usual so that attention is far from even and a wrong mask or scale shows. Everything else keeps the
# activations near one, so that rounding stays far below the tests' tolerances.
_GAINS = (
    ("q_proj.weight", 1.6),
    ("k_proj.weight", 1.6),
    ("in_proj_weight", 1.6),
    ("qkv.weight", 1.6),
    ("query.weight", 1.6),
    ("key.weight", 1.6),
    ("fc1.weight", 1.4),
    ("patch_embedding.weight", _EMBEDDING),
    (".weight", 1.0),
)


def seeded_weights(model: torch.nn.Module, seed: int, overrides: dict[str, float]) -> None:
    """Fills every parameter of ``model`` from ``seed``; the values depend on the tensor's name alone.

    ``overrides`` gives the values of scalars such as ``logit_scale``.
    """
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name in overrides:
                parameter.fill_(overrides[name])
                continue
            generator = torch.Generator().manual_seed(seed * 1_000_003 + zlib.crc32(name.encode()))
            noise = torch.randn(parameter.shape, generator=generator)
            is_norm = any(part in name for part in ("layer_norm", "layernorm", "layrnorm", "LayerNorm"))
            if is_norm:
                value = 1.0 + 0.25 * noise if name.endswith("weight") else 0.3 * noise
            elif name.endswith(("probe", "query_tokens")):
                value = noise
            elif name.endswith("patch_embedding.bias") or ("embedding" in name and "patch" not in name):
                value = _EMBEDDING * noise
            elif name.endswith("bias"):
                value = 0.3 * noise
            else:
                fan_in = math.prod(parameter.shape[1:])
                gain = next(gain for end, gain in _GAINS if name.endswith(end) or end in name)
                value = noise * gain / math.sqrt(fan_in)
            parameter.copy_(value)


def save_checkpoint(model: torch.nn.Module, folder: Path, dtype=torch.float32) -> None:
    """Writes ``model.safetensors`` with the names of the model's own state.

    ``save_pretrained`` is not used: it may rename tensors, and these names are the published ones.
    """
    folder.mkdir(parents=True, exist_ok=True)
    state = {name: value.detach().to(dtype).contiguous().clone() for name, value in model.state_dict().items()}
    save_torch(state, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "model.safetensors").chmod(0o644)


def compact(value) -> str:
    """JSON on one line."""
    return json.dumps(value, ensure_ascii=False)
