"""What transformers' ``output_attentions`` says for the tiny CLIP, SigLIP, BLIP-2 and Qwen2.5-VL checkpoints.

    python attention_goldens.py   # writes attention.safetensors and .json into their golden folders

``vision_L`` and ``text_L`` [heads, s, s] for each layer L, for one picture and one text; of NaFlex, the real
patches only. Of BLIP-2 that writes, ``words_L`` [heads, words, words] and ``queries_L`` [heads, words, queries], what the
words of an answer attend to in the language model, and ``regions_L`` [heads, words, 1 + patches], those multiplied with
what each query looks at (the mean over the Q-Former's layers and heads), and ``cross_L`` [heads, queries, 1 + patches], what
queries look at, L counting the layers that look; of the first stage the same in its Q-Former, for a picture matched with a
text, and ``alone_L``, what the queries look at without one. Of Qwen2.5-VL what words and the picture's cells
attend to in the language model. The checkpoints are those of clip_goldens.py, siglip_goldens.py, blip2_goldens.py,
blip2_itm_goldens.py and qwenvl_goldens.py, which must have run.
"""

from __future__ import annotations

import json

import support

import torch
from transformers import AutoProcessor

import blip2_goldens
import blip2_itm_goldens
import blip2_support
import contrastive
import qwenvl_goldens

FOLDERS = ("clip-openai", "clip-laion", "siglip2", "siglip2-naflex")
PICTURE = "flower-144x108.png"
TEXT = "A photo of a flower, in front"


ANSWER = "a photo of the garden"
FIRST = "A man with a hat, looking at the camera."
QUESTION = "Where is the red circle?"


@torch.inference_mode()
def blip2(folder) -> None:
    model = blip2_goldens.load(folder, attn_implementation="eager")
    processor = AutoProcessor.from_pretrained(folder, backend="pil")
    t5 = blip2_goldens.is_t5(model)
    picture = blip2_support.picture(0)
    queries = model.config.num_query_tokens
    given = processor(images=picture, text="" if t5 else ANSWER, return_tensors="pt")
    answer = processor.tokenizer(ANSWER, add_special_tokens=False)["input_ids"]
    begun = {"decoder_input_ids": torch.tensor([[0, *answer]])} if t5 else {}
    out = model(**given, **begun, output_attentions=True).language_model_outputs
    if t5:
        words = [a[0] for a in out.decoder_attentions]
        seen = [a[0, :, :, :queries] for a in out.cross_attentions]
    else:
        words = [a[0, :, queries:, queries:] for a in out.attentions]
        seen = [a[0, :, queries:, :queries] for a in out.attentions]
    cross, _ = blip2_support.attentions(model, given["pixel_values"])
    regions = cross[0].mean((0, 1))
    tensors = {f"words_{i}": a for i, a in enumerate(words)}
    tensors.update({f"queries_{i}": a for i, a in enumerate(seen)})
    tensors.update({f"regions_{i}": a @ regions for i, a in enumerate(seen)})
    tensors.update({f"cross_{i}": a for i, a in enumerate(cross[0])})
    vision = model.vision_model(given["pixel_values"], output_attentions=True).attentions
    tensors.update({f"vision_{i}": a[0] for i, a in enumerate(vision)})
    support.write_golden(folder / "attention", tensors, {"picture": blip2_support.PICTURES[0], "text": ANSWER})
    print(folder.name, {k: list(v.shape) for k, v in tensors.items()})


@torch.inference_mode()
def blip2_first() -> None:
    model = blip2_itm_goldens.load()
    processor = AutoProcessor.from_pretrained(blip2_itm_goldens.FOLDER, backend="pil")
    given = blip2_itm_goldens.inputs(processor, 0, FIRST)
    queries = model.config.num_query_tokens
    cross, own = blip2_support.attentions(model, given["pixel_values"], given["input_ids"][:, queries:])
    alone, _ = blip2_support.attentions(model, given["pixel_values"])
    regions = cross[0].mean((0, 1))
    tensors = {}
    for i, a in enumerate(own[0]):
        tensors[f"words_{i}"] = a[:, queries:, queries:]
        tensors[f"queries_{i}"] = a[:, queries:, :queries]
        tensors[f"regions_{i}"] = a[:, queries:, :queries] @ regions
    tensors.update({f"cross_{i}": a for i, a in enumerate(cross[0])})
    tensors.update({f"alone_{i}": a for i, a in enumerate(alone[0])})
    vision = model.vision_model(given["pixel_values"], output_attentions=True).attentions
    tensors.update({f"vision_{i}": a[0] for i, a in enumerate(vision)})
    about = {"picture": blip2_support.PICTURES[0], "text": FIRST}
    support.write_golden(blip2_itm_goldens.FOLDER / "attention", tensors, about)
    print("blip2-itm", {k: list(v.shape) for k, v in tensors.items()})


@torch.inference_mode()
def qwen(name: str) -> None:
    """``words_L``, ``regions_L`` and ``patches_L``: among words, words to cells, among cells."""
    reference = qwenvl_goldens.Reference(name)
    reference.model.set_attn_implementation("eager")
    case = reference.conversation([qwenvl_goldens.user(QUESTION, "wide")])
    model = reference.model.model.language_model
    cells = case["ids"] == reference.ids["<|image_pad|>"]
    embeds = model.embed_tokens(case["ids"])
    embeds[cells] = reference.features(*case["pixels"]["wide"])
    attentions = model(
        inputs_embeds=embeds[None], position_ids=case["positions"][:, None], output_attentions=True
    ).attentions
    tensors = {}
    for i, a in enumerate(attentions):
        tensors[f"words_{i}"] = a[0][:, ~cells][:, :, ~cells]
        tensors[f"regions_{i}"] = a[0][:, ~cells][:, :, cells]
        tensors[f"patches_{i}"] = a[0][:, cells][:, :, cells]
    folder = qwenvl_goldens.OUT / name
    rows, columns = (int(n) // 2 for n in case["pixels"]["wide"][1][0, 1:])
    support.write_golden(folder / "attention", tensors, {"picture": "wide", "text": QUESTION, "grid": [rows, columns]})
    print(name, {k: list(v.shape) for k, v in tensors.items()})


@torch.inference_mode()
def main() -> None:
    for name in ("qwen4", "qwen5"):
        qwen(name)
    for folder in (blip2_goldens.OPT, blip2_goldens.T5):
        blip2(folder)
    blip2_first()
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
