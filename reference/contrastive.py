"""What the reference computes with a CLIP or SigLIP checkpoint folder: everything from its files.

Pictures go through the Pillow ("PIL") backend of the image processors, never torchvision's, whose
pixels differ. Weights are widened to float32 on loading. Attention is the eager one.
"""

from __future__ import annotations

import json
from pathlib import Path

import support

import numpy as np
import torch
from PIL import Image
from tokenizers import normalizers
from transformers import (
    CLIPModel,
    CLIPTokenizer,
    PreTrainedTokenizerFast,
    Siglip2Model,
    SiglipModel,
    SiglipTokenizer,
)
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.siglip2.image_processing_pil_siglip2 import Siglip2ImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

MODELS = {"clip": CLIPModel, "siglip": SiglipModel, "siglip2": Siglip2Model}
IMAGE_PROCESSORS = {
    "clip": CLIPImageProcessorPil,
    "siglip": SiglipImageProcessorPil,
    "siglip2": Siglip2ImageProcessorPil,
}


def lower_by_character(text: str) -> str:
    """Lower case character by character, as the Rust library does it: a capital sigma is never final."""
    return "".join(c.lower() for c in text)


def load_model(folder: Path, model_type: str, dtype=torch.float32) -> torch.nn.Module:
    """The model, its tensors exactly those of the file."""
    model, info = MODELS[model_type].from_pretrained(
        folder, dtype=dtype, attn_implementation="eager", output_loading_info=True
    )
    for problem in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        if info[problem]:
            raise AssertionError(f"{folder.name}: {problem}: {sorted(info[problem])[:5]}")
    return model.eval()


class Tokens:
    """Texts to ids as each family does it."""

    def __init__(self, folder: Path, model_type: str):
        self.model_type = model_type
        self.fixed = model_type != "clip"
        if model_type == "clip":
            self.tokenizer = CLIPTokenizer.from_pretrained(folder)
        elif (folder / "spiece.model").exists():
            self.tokenizer = SiglipTokenizer.from_pretrained(folder)
        else:
            # SigLIP 2 was trained on lower-case text. The published tokenizer.json does not say so and
            # AutoProcessor 5.23 ignores tokenizer_config's do_lower_case; Siglip2Tokenizer follows it.
            # So the normalizer is patched here in the way Siglip2Tokenizer builds its own.
            self.tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
            backend = self.tokenizer.backend_tokenizer
            backend.normalizer = normalizers.Sequence([normalizers.Lowercase(), backend.normalizer])
            self.tokenizer.padding_side = "right"

    def __call__(self, texts: list[str]) -> dict[str, torch.Tensor]:
        """``input_ids`` and, for CLIP, ``attention_mask``."""
        if self.fixed:
            # Padded to 64 always; the reference gives SigLIP no attention mask.
            batch = self.tokenizer(
                texts, padding="max_length", max_length=64, truncation=True, return_tensors="pt"
            )
            return {"input_ids": batch["input_ids"]}
        batch = self.tokenizer(texts, padding=True, truncation=True, max_length=77, return_tensors="pt")
        return {"input_ids": batch["input_ids"], "attention_mask": batch["attention_mask"]}


class Pixels:
    """Pictures to the model's inputs."""

    def __init__(self, folder: Path, model_type: str):
        self.model_type = model_type
        self.processor = IMAGE_PROCESSORS[model_type].from_pretrained(folder)
        self.patch = getattr(self.processor, "patch_size", None)

    def levels(self, image: Image.Image) -> np.ndarray:
        """The resized and cropped picture before rescaling: uint8, height x width x 3."""
        out = self.processor(images=image, do_rescale=False, do_normalize=False, return_tensors="np")
        values = out["pixel_values"][0]
        if self.model_type == "siglip2":
            rows, columns = (int(v) for v in out["spatial_shapes"][0])
            p = self.patch
            values = values[: rows * columns].reshape(rows, columns, p, p, 3)
            values = values.transpose(0, 2, 1, 3, 4).reshape(rows * p, columns * p, 3)
        else:
            values = values.transpose(1, 2, 0)
        levels = np.asarray(values).astype(np.uint8)
        if not np.array_equal(levels, values):
            raise AssertionError("pixels before rescaling are not whole numbers")
        return levels

    def __call__(self, images: list[Image.Image]) -> dict[str, torch.Tensor]:
        return dict(self.processor(images=images, return_tensors="pt"))


def normalized(x: torch.Tensor) -> torch.Tensor:
    return x / x.pow(2).sum(-1, keepdim=True).sqrt()


@torch.inference_mode()
def outputs(model, model_type: str, tokens: dict, pixels: dict) -> dict[str, torch.Tensor]:
    """Raw and normalised embeddings, logits and probabilities."""
    dtype = next(model.parameters()).dtype
    pixels = {k: v.to(dtype) if k == "pixel_values" else v for k, v in pixels.items()}
    image_raw = model.get_image_features(**pixels).pooler_output
    text_raw = model.get_text_features(**tokens).pooler_output
    whole = model(**tokens, **pixels)
    logits = whole.logits_per_image
    return {
        "image_raw": image_raw,
        "text_raw": text_raw,
        "image_embeds": whole.image_embeds,
        "text_embeds": whole.text_embeds,
        "logits_per_image": logits,
        "probabilities": logits.softmax(-1) if model_type == "clip" else logits.sigmoid(),
    }


@torch.inference_mode()
def activations(model, model_type: str, tokens: dict, pixels: dict) -> dict[str, torch.Tensor]:
    """The towers' hidden states, for finding the first layer that differs: 0 is the embeddings."""
    vision = model.vision_model(**pixels, output_hidden_states=True).hidden_states
    text = model.text_model(**tokens, output_hidden_states=True).hidden_states
    named = {f"vision.hidden.{i}": h for i, h in enumerate(vision)}
    named.update({f"text.hidden.{i}": h for i, h in enumerate(text)})
    return named


def golden(folder: Path, pictures: list[Path], texts: list[str]) -> dict[str, torch.Tensor | np.ndarray]:
    """Everything the reference computes with ``folder`` for these pictures and texts."""
    model_type = json.loads((folder / "config.json").read_text(encoding="utf-8"))["model_type"]
    images = [support.open_rgb(p) for p in pictures]
    prepare = Pixels(folder, model_type)
    tokens, pixels = Tokens(folder, model_type)(texts), prepare(images)
    tensors = {f"pixels.{i}": prepare.levels(image) for i, image in enumerate(images)}
    tensors.update(pixels)
    tensors.update(tokens)
    tensors.update(outputs(load_model(folder, model_type), model_type, tokens, pixels))
    return tensors


def write_golden(folder: Path, pictures: list[Path], texts: list[str], seed: int, with_activations: bool) -> None:
    """Writes ``golden.safetensors`` and ``golden.json`` into the checkpoint's folder.

    The JSON lists the pictures, the texts, each text's ids without padding, and how far float32's
    own rounding moves the outputs (against float64): tolerances must lie above that.
    """
    model_type = json.loads((folder / "config.json").read_text(encoding="utf-8"))["model_type"]
    tensors = golden(folder, pictures, texts)
    tokens, pixels = Tokens(folder, model_type), Pixels(folder, model_type)
    images = [support.open_rgb(p) for p in pictures]
    exact = outputs(load_model(folder, model_type, torch.float64), model_type, tokens(texts), pixels(images))
    rounding = {name: float((tensors[name].double() - value).abs().max()) for name, value in exact.items()}
    if with_activations:
        model = load_model(folder, model_type)
        tensors.update(activations(model, model_type, tokens(texts[:2]), pixels(images[:2])))
    about = {
        "checkpoint": folder.name,
        "seed": seed,
        "pictures": [p.name for p in pictures],
        "texts": texts,
        "ids": [tokens([text])["input_ids"][0].tolist() for text in texts],
        "roundingOfFloat32": rounding,
    }
    support.write_golden(folder / "golden", tensors, about)
    print(folder.name, sum(f.stat().st_size for f in folder.iterdir()), "bytes; rounding", rounding)
