"""Makes a full-size CLIP ViT-B/32 with random weights, and what the reference computes with it.

    python fullsize_clip.py --picture cats.png --out /tmp/clip-b32

The folder has the layout of openai/clip-vit-base-patch32: the same config (151,277,313 parameters),
the same tokenizer and preprocessing, weights drawn from a seed. ``<out>-golden.safetensors`` and
``.json`` are written beside it. Nothing of this is committed: the weights are 605 MB.

The golden holds ``pixels`` (uint8, height x width x 3, before normalising), ``pixel_values``,
``input_ids``, ``attention_mask``, ``image_raw``, ``text_raw``, ``image_embeds``, ``text_embeds``
(normalised), ``logits_per_image`` and ``probabilities``.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import support

import torch
from transformers import CLIPConfig, CLIPModel

from clip_goldens import preprocessor_config
from contrastive import golden

SEED = 32
TEXTS = [
    "a photo of two cats",
    "a photo of a dog",
    "two cats sleeping on a pink sofa beside remote controls",
    "분홍 소파 위의 고양이 두 마리",
    "",
]

_TOWER = {
    "attention_dropout": 0.0,
    "dropout": 0.0,
    "hidden_act": "quick_gelu",
    "initializer_factor": 1.0,
    "initializer_range": 0.02,
    "layer_norm_eps": 1e-05,
    "num_hidden_layers": 12,
    "projection_dim": 512,
}
CONFIG = {
    "architectures": ["CLIPModel"],
    "initializer_factor": 1.0,
    "logit_scale_init_value": 2.6592,
    "model_type": "clip",
    "projection_dim": 512,
    "text_config": {
        **_TOWER,
        "bos_token_id": 0,
        "eos_token_id": 2,
        "hidden_size": 512,
        "intermediate_size": 2048,
        "max_position_embeddings": 77,
        "model_type": "clip_text_model",
        "num_attention_heads": 8,
        "pad_token_id": 1,
        "vocab_size": 49408,
    },
    "text_config_dict": None,
    "torch_dtype": "float32",
    "transformers_version": None,
    "vision_config": {
        **_TOWER,
        "hidden_size": 768,
        "image_size": 224,
        "intermediate_size": 3072,
        "model_type": "clip_vision_model",
        "num_attention_heads": 12,
        "patch_size": 32,
    },
    "vision_config_dict": None,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--picture", type=Path, required=True, help="a photograph")
    parser.add_argument("--out", type=Path, required=True, help="the checkpoint folder to write")
    a = parser.parse_args()

    a.out.mkdir(parents=True, exist_ok=True)
    support.write_json(a.out / "config.json", CONFIG)
    support.write_json(a.out / "preprocessor_config.json", preprocessor_config(224))
    for file in (support.TOKENIZERS / "clip").iterdir():
        shutil.copyfile(file, a.out / file.name)

    torch.set_default_dtype(torch.float32)
    model = CLIPModel(CLIPConfig.from_dict(CONFIG)).eval()
    count = sum(p.numel() for p in model.parameters())
    if count != 151_277_313:
        raise AssertionError(f"{count} parameters, the published model has 151,277,313")
    support.seeded_weights(model, SEED, {"logit_scale": 4.6052})
    support.save_checkpoint(model, a.out)

    tensors = golden(a.out, [a.picture], TEXTS)
    tensors["pixels"] = tensors.pop("pixels.0")
    about = {"picture": a.picture.name, "texts": TEXTS, "seed": SEED, "parameters": count}
    support.write_golden(a.out.parent / f"{a.out.name}-golden", tensors, about)
    print(a.out, count, "parameters; logits", tensors["logits_per_image"].tolist())


if __name__ == "__main__":
    main()
