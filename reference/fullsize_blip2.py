"""Makes a BLIP-2 in the published widths, and what the reference computes with it.

    python fullsize_blip2.py --out /tmp/blip2-itm-wide             # of the first stage: blip2-itm-vit-g
    python fullsize_blip2.py --kind opt --out /tmp/blip2-opt-wide  # blip2-opt-2.7b
    python fullsize_blip2.py --kind t5 --out /tmp/blip2-t5-wide    # blip2-flan-t5-xl

There are 3 layers of the vision tower instead of 39, 4 of the Q-Former instead of 12, 2 of OPT instead of 32, 2 of T5's
encoder and decoder instead of 24 each; widths, heads, buckets and, of OPT and T5, the number of words are the published
ones. Weights are drawn from a seed (0.5 GB, OPT 1.6 GB, T5 2 GB). ``<out>-golden.safetensors`` and ``.json`` are written
beside the folder: the same tensors as ``blip2_itm_goldens.py`` or ``blip2_goldens.py`` writes, of models that write for
the first picture only. Nothing of this is committed. ``FullWidthCheck`` in lmm-blip2 compares:

    mvn -q test -pl lmm-blip2 -am -Dtest=FullWidthCheck -Dsurefire.failIfNoSpecifiedTests=false -Dlmm.full=/tmp/blip2-t5-wide
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import support

from transformers import AutoProcessor, Blip2Config

import blip2_goldens
import blip2_itm_goldens


def widen(tiny: Path, out: Path, files: tuple[str, ...], text: dict) -> Blip2Config:
    out.mkdir(parents=True, exist_ok=True)
    for file in files:
        shutil.copy(tiny / file, out)
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
    config["text_config"].update(text)
    support.write_json(out / "config.json", config)
    for name, change in (
        ("preprocessor_config.json", {"size": {"height": 224, "width": 224}}),
        ("processor_config.json", {"num_query_tokens": 32}),
    ):
        value = json.loads((tiny / name).read_text(encoding="utf-8"))
        support.write_json(out / name, {**value, **change})
    return Blip2Config.from_pretrained(out)


def first_stage(out: Path) -> None:
    goldens = blip2_itm_goldens
    config = widen(goldens.FOLDER, out, ("vocab.txt", "tokenizer_config.json"), {})
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


def opt(out: Path) -> None:
    goldens = blip2_goldens
    config = widen(
        goldens.OPT,
        out,
        ("vocab.json", "merges.txt", "tokenizer_config.json", "generation_config.json"),
        {
            "ffn_dim": 10240,
            "hidden_size": 2560,
            "max_position_embeddings": 2048,
            "num_attention_heads": 32,
            "num_hidden_layers": 2,
            "vocab_size": 50304,
            "word_embed_proj_dim": 2560,
        },
    )
    goldens.OPT, goldens.QUERIES = out, config.num_query_tokens
    goldens.write_opt_weights(config)
    written(out)


def t5(out: Path) -> None:
    goldens = blip2_goldens
    config = widen(
        goldens.T5,
        out,
        ("spiece.model", "tokenizer_config.json", "generation_config.json"),
        {
            "d_ff": 5120,
            "d_kv": 64,
            "d_model": 2048,
            "num_decoder_layers": 2,
            "num_heads": 32,
            "num_layers": 2,
            "relative_attention_max_distance": 128,
            "relative_attention_num_buckets": 32,
            "vocab_size": 32128,
        },
    )
    goldens.T5, goldens.QUERIES = out, config.num_query_tokens
    goldens.write_t5_weights(config)
    written(out)


def written(out: Path) -> None:
    """The golden of a model that writes."""
    goldens = blip2_goldens
    model = goldens.load(out)
    processor = AutoProcessor.from_pretrained(out, backend="pil")
    cases = goldens.cases(processor)[: len(goldens.PROMPTS)]
    tensors, about = {"pixel_values": cases[0]["pixels"], **goldens.features(model, cases[0]["pixels"])}, []
    for n, case in enumerate(cases):
        tensors[f"logits_{n}"] = goldens.logits(model, case)
        if goldens.is_t5(model):
            tensors[f"encoded_{n}"] = goldens.encoded(model, case)
        tokens, log_probabilities = goldens.greedy(model, case)
        about.append(
            {
                "picture": case["picture"],
                "prompt": case["prompt"],
                "ids": case["ids"][0].tolist(),
                "greedy": tokens,
                "logprobs": log_probabilities,
                "beams": goldens.beams(model, case, processor),
            }
        )
    support.write_golden(Path(f"{out}-golden"), tensors, {"pictures": list(goldens.PICTURES), "cases": about})


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--kind", choices=("itm", "opt", "t5"), default="itm")
    given = parser.parse_args()
    {"itm": first_stage, "opt": opt, "t5": t5}[given.kind](given.out)


if __name__ == "__main__":
    main()
