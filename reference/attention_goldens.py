"""What transformers' ``output_attentions`` says for the tiny CLIP and SigLIP checkpoints.

    python attention_goldens.py   # writes attention.safetensors and .json into lmm-clip's golden folders

``vision_L`` and ``text_L`` [heads, s, s] for each layer L, for one picture and one text; of NaFlex, the real
patches only. The checkpoints are those of clip_goldens.py and siglip_goldens.py, which must have run.
"""

from __future__ import annotations

import json

import support

import torch

import contrastive

FOLDERS = ("clip-openai", "clip-laion", "siglip2", "siglip2-naflex")
PICTURE = "flower-144x108.png"
TEXT = "A photo of a flower, in front"


@torch.inference_mode()
def main() -> None:
    for name in FOLDERS:
        folder = support.CLIP_GOLDEN / name
        model_type = json.loads((folder / "config.json").read_text(encoding="utf-8"))["model_type"]
        model = contrastive.load_model(folder, model_type)
        picture = support.open_rgb(support.CLIP_GOLDEN / "pictures" / PICTURE)
        pixels = contrastive.Pixels(folder, model_type)([picture])
        tokens = contrastive.Tokens(folder, model_type)([TEXT])
        if model_type == "siglip2":
            rows, columns = (int(v) for v in pixels["spatial_shapes"][0])
            count = rows * columns
            given = {
                "pixel_values": pixels["pixel_values"],
                "pixel_attention_mask": pixels["pixel_attention_mask"],
                "spatial_shapes": pixels["spatial_shapes"],
            }
        else:
            side = pixels["pixel_values"].shape[-1] // model.config.vision_config.patch_size
            rows = columns = side
            count = side * side + (model_type == "clip")
            given = pixels
        vision = model.vision_model(**given, output_attentions=True).attentions
        text = model.text_model(**tokens, output_attentions=True).attentions
        tensors = {f"vision_{i}": a[0, :, :count, :count] for i, a in enumerate(vision)}
        tensors.update({f"text_{i}": a[0] for i, a in enumerate(text)})
        about = {"picture": PICTURE, "text": TEXT, "grid": [rows, columns], "ids": tokens["input_ids"][0].tolist()}
        support.write_golden(folder / "attention", tensors, about)
        print(name, {k: list(v.shape) for k, v in tensors.items()})


if __name__ == "__main__":
    main()
