"""A full-size Stable Diffusion 1.5 with random weights, and what diffusers makes with it; not committed (4 GB).

    python fullsize_sd.py --configs DIR --tokenizer DIR --out DIR [--steps 2]

DIR of configs holds the published files of stable-diffusion-v1-5 (unet/config.json and so on), that of the tokenizer
CLIP's vocab.json and merges.txt. Writes the folder, ``diffusers.png`` (512x512, ddim, seed 1, guidance 1) beside it,
and prints how long a UNet step and a decoding take. The same with this library:

    lmm generate OUT --prompt "a lighthouse at dusk" --scheduler ddim --steps 2 --guidance 1 --seed 1 --out lmm.png
    python fullsize_sd.py --compare lmm.png diffusers.png
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import time
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL, DDIMScheduler, PNDMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from PIL import Image
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer


def make(configs: Path, tokenizer: Path, out: Path) -> None:
    read = lambda part: json.loads((configs / part / "config.json").read_text())
    torch.manual_seed(3)
    text = CLIPTextModel(CLIPTextConfig(**{k: v for k, v in read("text_encoder").items() if k != "architectures"}))
    pipe = StableDiffusionPipeline(
        vae=AutoencoderKL.from_config(read("vae")),
        text_encoder=text,
        tokenizer=CLIPTokenizer.from_pretrained(tokenizer),
        unet=UNet2DConditionModel.from_config(read("unet")),
        scheduler=PNDMScheduler.from_config(json.loads((configs / "scheduler/scheduler_config.json").read_text())),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipe.save_pretrained(out, safe_serialization=True)
    shutil.copy(configs / "scheduler/scheduler_config.json", out / "scheduler/scheduler_config.json")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--configs", type=Path)
    parser.add_argument("--tokenizer", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--compare", nargs=2)
    a = parser.parse_args()
    if a.compare:
        one, two = (np.asarray(Image.open(f).convert("RGB")).astype(int) for f in a.compare)
        print("most levels apart:", np.abs(one - two).max(), "; mean", np.abs(one - two).mean(), "; spread", two.std())
        return
    torch.set_num_threads(2)
    if not a.out.exists():
        make(a.configs, a.tokenizer, a.out)
    pipe = StableDiffusionPipeline.from_pretrained(a.out, torch_dtype=torch.float32, safety_checker=None)
    pipe.scheduler = DDIMScheduler.from_config(json.loads((a.out / "scheduler/scheduler_config.json").read_text()))
    pipe.set_progress_bar_config(disable=True)
    times, unet = [], pipe.unet.forward

    def timed(*args, **kwargs):
        start = time.perf_counter()
        result = unet(*args, **kwargs)
        times.append(time.perf_counter() - start)
        return result

    pipe.unet.forward = timed
    image = pipe("a lighthouse at dusk", num_inference_steps=a.steps, guidance_scale=1.0,
                 generator=torch.Generator("cpu").manual_seed(1)).images[0]
    image.save(a.out.parent / "diffusers.png")
    latents = torch.randn(1, 4, 64, 64)
    start = time.perf_counter()
    with torch.no_grad():
        pipe.vae.decode(latents)
    print(f"UNet step {statistics.median(times):.2f} s, decoding {time.perf_counter() - start:.2f} s")


if __name__ == "__main__":
    main()
