"""Makes the tiny CLIP checkpoints and their goldens.

    python clip_goldens.py                    # writes lmm-clip/src/test/resources/golden/clip-*
    python clip_goldens.py --check-mistakes   # and shows that they catch the usual mistakes

Checkpoints, in the published file layouts, weights from a seed:

- ``clip-openai``: quick_gelu, ``eos_token_id`` 2 (pool at the largest id), old preprocessor_config;
- ``clip-openai-bin``: the same weights as ``pytorch_model.bin`` alone, with the int64
  ``position_ids`` buffers of the published files; its golden is clip-openai's;
- ``clip-laion``: erf gelu, three different widths, filled ``text_config_dict`` and
  ``vision_config_dict`` that override ``text_config`` and ``vision_config``, the new
  ``eos_token_id``, newer preprocessor_config;
- ``clip-fp16``: clip-openai's kind in a float16 file.
"""

from __future__ import annotations

import argparse
import json
from collections import OrderedDict
from pathlib import Path

import support

import torch
from transformers import CLIPConfig, CLIPModel

import contrastive
import mistakes
import sample_pictures
from texts import TEXTS

MERGES = 400  # of the published 48,894: a prefix of a BPE's merges is a BPE


def preprocessor_config(side: int) -> dict:
    """The old form, as openai's checkpoints have it: whole numbers for sizes, no ``do_rescale``."""
    return {
        "crop_size": side,
        "do_center_crop": True,
        "do_normalize": True,
        "do_resize": True,
        "feature_extractor_type": "CLIPFeatureExtractor",
        "image_mean": [0.48145466, 0.4578275, 0.40821073],
        "image_std": [0.26862954, 0.26130258, 0.27577711],
        "resample": 3,
        "size": side,
    }


def new_preprocessor_config(side: int) -> dict:
    """The form of later uploads."""
    return {
        **preprocessor_config(side),
        "crop_size": {"height": side, "width": side},
        "do_convert_rgb": True,
        "do_rescale": True,
        "image_processor_type": "CLIPImageProcessor",
        "rescale_factor": 0.00392156862745098,
        "size": {"shortest_edge": side},
    }


def write_tokenizer(folder: Path) -> int:
    """The published tokenizer cut after ``MERGES`` merges; returns the size of the vocabulary."""
    source = support.TOKENIZERS / "clip"
    published = json.loads((source / "vocab.json").read_text(encoding="utf-8"))
    by_id = sorted(published, key=published.get)
    tokens = by_id[: 512 + MERGES] + by_id[-2:]
    lines = (source / "merges.txt").read_text(encoding="utf-8").split("\n")[: 1 + MERGES]
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = {token: i for i, token in enumerate(tokens)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for name in ("special_tokens_map.json", "tokenizer_config.json"):
        (folder / name).write_bytes((source / name).read_bytes())
    return len(tokens)


def openai_config(vocabulary: int) -> dict:
    return {
        "architectures": ["CLIPModel"],
        "initializer_factor": 1.0,
        "logit_scale_init_value": 2.6592,
        "model_type": "clip",
        "projection_dim": 32,
        "text_config": {
            "bos_token_id": 0,
            "eos_token_id": 2,
            "hidden_act": "quick_gelu",
            "hidden_size": 32,
            "intermediate_size": 128,
            "layer_norm_eps": 1e-05,
            "max_position_embeddings": 77,
            "model_type": "clip_text_model",
            "num_attention_heads": 2,
            "num_hidden_layers": 2,
            "pad_token_id": 1,
            "projection_dim": 32,
            "vocab_size": vocabulary,
        },
        "text_config_dict": None,
        "torch_dtype": "float32",
        "transformers_version": None,
        "vision_config": {
            "hidden_act": "quick_gelu",
            "hidden_size": 48,
            "image_size": 48,
            "intermediate_size": 192,
            "layer_norm_eps": 1e-05,
            "model_type": "clip_vision_model",
            "num_attention_heads": 3,
            "num_hidden_layers": 2,
            "patch_size": 16,
            "projection_dim": 32,
        },
        "vision_config_dict": None,
    }


def laion_config(vocabulary: int) -> dict:
    text = {
        "bos_token_id": vocabulary - 2,
        "eos_token_id": vocabulary - 1,
        "hidden_act": "gelu",
        "hidden_size": 32,
        "intermediate_size": 96,
        "model_type": "clip_text_model",
        "num_attention_heads": 4,
        "num_hidden_layers": 2,
        "projection_dim": 40,
        "vocab_size": vocabulary,
    }
    vision = {
        "hidden_act": "gelu",
        "hidden_size": 48,
        "image_size": 40,
        "intermediate_size": 144,
        "model_type": "clip_vision_model",
        "num_attention_heads": 3,
        "num_hidden_layers": 2,
        "patch_size": 8,
        "projection_dim": 40,
    }
    # What stands in the _dict forms counts, and where they are silent, the class's default: the
    # epsilon is 1e-5 here, the activation erf gelu.
    return {
        "architectures": ["CLIPModel"],
        "logit_scale_init_value": 2.6592,
        "model_type": "clip",
        "projection_dim": 40,
        "text_config": {**text, "hidden_act": "quick_gelu", "layer_norm_eps": 0.001, "num_attention_heads": 2},
        "text_config_dict": text,
        "torch_dtype": "float32",
        "vision_config": {**vision, "hidden_act": "quick_gelu", "layer_norm_eps": 0.001, "num_hidden_layers": 5},
        "vision_config_dict": vision,
    }


def write_checkpoint(name: str, seed: int) -> Path:
    """Writes one checkpoint folder."""
    folder = support.CLIP_GOLDEN / name
    vocabulary = write_tokenizer(folder)
    laion = name == "clip-laion"
    half = name == "clip-fp16"
    config = laion_config(vocabulary) if laion else openai_config(vocabulary)
    if half:
        config["torch_dtype"] = "float16"
    side = 40 if laion else 48
    support.write_json(folder / "config.json", config)
    preprocessor = new_preprocessor_config(side) if laion else preprocessor_config(side)
    support.write_json(folder / "preprocessor_config.json", preprocessor)

    model = CLIPModel(CLIPConfig.from_dict(config))
    support.seeded_weights(model, seed, {"logit_scale": 4.6052})
    support.save_checkpoint(model, folder, torch.float16 if half else torch.float32)
    return folder


def write_bin(source: Path, folder: Path) -> None:
    """``source`` as the openai uploads are: a pickle in a zip, with the position_ids buffers."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in source.iterdir():
        if file.suffix != ".safetensors":
            (folder / file.name).write_bytes(file.read_bytes())
    model = contrastive.load_model(source, "clip")
    state = OrderedDict((k, v.detach().clone()) for k, v in model.state_dict().items())
    for tower, positions in (("text_model", 77), ("vision_model", 10)):
        state[f"{tower}.embeddings.position_ids"] = torch.arange(positions).expand(1, -1).clone()
    torch.save(state, folder / "pytorch_model.bin")
    write_shards(state, folder / "shards")


def write_shards(state: dict[str, torch.Tensor], folder: Path) -> None:
    """The second of two shards, in the form before torch 1.6; the file with all tensors can stand for the first."""
    folder.mkdir(exist_ok=True)
    second = [name for name in state if "projection" in name or ".layers.1.self_attn." in name]
    files = ["pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin"]
    torch.save(OrderedDict((n, state[n]) for n in second), folder / files[1], _use_new_zipfile_serialization=False)
    index = {"metadata": {"total_size": 0}, "weight_map": {n: files[n in second] for n in state}}
    support.write_json(folder / "pytorch_model.bin.index.json", index)


CHECKPOINTS = {"clip-openai": 1, "clip-laion": 2, "clip-fp16": 3}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check-mistakes", action="store_true", help="write reference/mistakes-clip.md")
    a = parser.parse_args()
    pictures = sample_pictures.write()
    tables = {}
    for name, seed in CHECKPOINTS.items():
        folder = write_checkpoint(name, seed)
        contrastive.write_golden(folder, pictures, TEXTS, seed, with_activations=name == "clip-openai")
        if a.check_mistakes:
            tables[name] = mistakes.check(folder, pictures, TEXTS)
    write_bin(support.CLIP_GOLDEN / "clip-openai", support.CLIP_GOLDEN / "clip-openai-bin")
    if tables:
        mistakes.write_table(support.ROOT / "reference/mistakes-clip.md", "What the CLIP goldens catch", tables)


if __name__ == "__main__":
    main()
