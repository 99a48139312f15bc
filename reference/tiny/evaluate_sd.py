"""What tiny-sd makes of prompts it never saw: the figures of README.md, and the prompts of the Java test.

    python evaluate_sd.py --model ../../lmm-tiny/models/tiny-sd [--write ../../lmm-tiny/src/test/resources/heldout]

100 prompts in each language, one shape each, all named (colour, shape, background, sometimes the place), three in
ten with a colour-shape pair that training never showed; 20 steps of DDIM. Pairs are judged side by side, each half.
"""

from __future__ import annotations

import argparse
import json
import warnings
from pathlib import Path

import numpy as np
import torch

import check_pictures
import world


def prompts(language: str, count: int, pair: bool = False) -> list[tuple[str, world.Scene]]:
    chosen = []
    for i in range(count):
        rng = np.random.default_rng([21, i])
        while True:
            scene = world.random_scene(rng, unseen=i % 10 < 3 and not pair)
            if scene.count == (world.PAIR if pair else 1) and (not pair or scene.place == world.HORIZONTAL):
                break
        chosen.append((world.caption(np.random.default_rng([22, i]), scene, language, full=True).text, scene))
    return chosen


def generate(pipe, texts, guidance, negative=None, size=64):
    out = []
    for i in range(0, len(texts), 25):
        part = texts[i : i + 25]
        seeds = [torch.Generator("cpu").manual_seed(i + k) for k in range(len(part))]
        images = pipe(part, num_inference_steps=20, guidance_scale=guidance, generator=seeds, output_type="np",
                      negative_prompt=None if negative is None else [negative] * len(part)).images
        out.append((images * 255).round().astype(np.uint8))
    return np.concatenate(out)


def judge(pictures, chosen) -> dict[str, float]:
    seen = [check_pictures.look(p) for p in pictures]
    wanted = [(s.background, s.colour, s.shape) for _, s in chosen]
    every = np.array([[a == b for a, b in zip(x, y)] for x, y in zip(seen, wanted)])
    return {
        "background": round(float(every[:, 0].mean()), 2), "colour": round(float(every[:, 1].mean()), 2),
        "shape": round(float(every[:, 2].mean()), 2), "all": round(float(every.all(1).mean()), 2),
    }


def judge_pairs(pictures, chosen) -> float:
    """Each half is put on a wide picture's place and judged as one shape."""
    right = 0
    for picture, (_, scene) in zip(pictures, chosen):
        found = []
        for half in (picture[:, :32], picture[:, 32:]):
            wide = np.concatenate([half[:, :1].repeat(16, 1), half, half[:, -1:].repeat(16, 1)], 1)
            found.append(check_pictures.look(wide))
        right += [f[1:] for f in found] == [(scene.colour, scene.shape), (scene.colour2, scene.shape2)] and all(
            f[0] == scene.background for f in found
        )
    return right / len(chosen)


def main() -> None:
    warnings.filterwarnings("ignore")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--write", type=Path)
    parser.add_argument("--count", type=int, default=100)
    a = parser.parse_args()
    from diffusers import DDIMScheduler, StableDiffusionPipeline

    pipe = StableDiffusionPipeline.from_pretrained(a.model, torch_dtype=torch.float32, safety_checker=None)
    pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config)
    pipe.set_progress_bar_config(disable=True)
    figures = {}
    for guidance in (1.0, 3.0, 7.5):
        for language in ("en", "ko"):
            chosen = prompts(language, a.count)
            made = generate(pipe, [t for t, _ in chosen], guidance)
            figures[f"{language} {guidance}"] = judge(made, chosen)
            print(language, guidance, figures[f"{language} {guidance}"], flush=True)
    chosen = prompts("en", 50, pair=True)
    print("pairs", judge_pairs(generate(pipe, [t for t, _ in chosen], 5.0), chosen))
    plain = generate(pipe, ["a circle"] * 50, 5.0)
    without = generate(pipe, ["a circle"] * 50, 5.0, negative="red, a red circle")
    share = lambda pictures: np.mean([check_pictures.look(p)[1] == 0 for p in pictures])
    print(f"red circles: {share(plain):.2f} without, {share(without):.2f} with the negative prompt")
    if a.write:
        lines = [
            {"text": t, "language": language, "background": s.background, "colour": s.colour, "shape": s.shape}
            for language in ("en", "ko")
            for t, s in prompts(language, 10)
        ]
        value = {"colours": list(world.COLOURS.values()), "prompts": lines}
        (a.write / "sd.json").write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
