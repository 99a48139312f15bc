"""Makes a BLIP-2 of the first stage in the published widths, and what the reference computes with it.

    python fullsize_blip2.py --out /tmp/blip2-itm-wide

The widths are those of blip2-itm-vit-g (1408 and 768, 32 queries, 257 rows a picture); there are 3 and 4 layers
instead of 39 and 12, and the cut vocabulary of ``blip2-itm``, so that the weights, drawn from a seed, are 0.5 GB.
``<out>-golden.safetensors`` and ``.json`` are written beside the folder: the same tensors as ``blip2_itm_goldens.py``
writes. Nothing of this is committed.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import support

from transformers import AutoProcessor, Blip2Config

import blip2_itm_goldens as goldens


def widen(tiny: Path, out: Path) -> Blip2Config:
    out.mkdir(parents=True, exist_ok=True)
    shutil.copy(tiny / "vocab.txt", out)
    shutil.copy(tiny / "tokenizer_config.json", out)
    config = json.loads((tiny / "config.json").read_text(encoding="utf-8"))
    config.update(num_query_tokens=32, image_text_hidden_size=256)
    config["qformer_config"].update(
        encoder_hidden_size=1408,
        hidden_size=768,
        intermediate_size=3072,
        max_position_embeddings=512,
        num_attention_heads=12,
    )
    config["vision_config"].update(
        hidden_size=1408, image_size=224, intermediate_size=6144, num_attention_heads=16
    )
    support.write_json(out / "config.json", config)
    for name, change in (
        ("preprocessor_config.json", {"size": {"height": 224, "width": 224}}),
        ("processor_config.json", {"num_query_tokens": 32}),
    ):
        value = json.loads((tiny / name).read_text(encoding="utf-8"))
        support.write_json(out / name, {**value, **change})
    return Blip2Config.from_pretrained(out)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out
    config = widen(goldens.FOLDER, out)
    goldens.FOLDER, goldens.QUERIES = out, config.num_query_tokens
    goldens.write_weights(config)
    model = goldens.load()
    processor = AutoProcessor.from_pretrained(out, backend="pil")
    found = goldens.scores(model, processor)
    support.write_golden(
        Path(f"{out}-golden"),
        {**found, "itm": found["itm_logits"].softmax(-1)[..., 1], **goldens.looks(model, processor)},
        {"pictures": list(goldens.PICTURES), "texts": list(goldens.TEXTS)},
    )


if __name__ == "__main__":
    main()
