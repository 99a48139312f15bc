"""A full-size Stable Diffusion 1.5 with random weights, and what diffusers makes with it; not committed (4 GB).

    python fullsize_sd.py --configs DIR --tokenizer DIR --out DIR [--steps 2]

DIR of configs holds the published files of stable-diffusion-v1-5 (unet/config.json and so on), that of the tokenizer
CLIP's vocab.json and merges.txt. Writes the folder, ``diffusers.png`` (512x512, ddim, seed 1, guidance 1) beside it,
and prints how long a UNet step and a decoding take. The same with this library:

    lmm generate OUT --prompt "a lighthouse at dusk" --scheduler ddim --steps 2 --guidance 1 --seed 1 --out lmm.png
    python fullsize_sd.py --compare lmm.png diffusers.png

Whole tensors of one part, for any of the published configs (1.5, 2.1, XL), in a process of its own because of memory:

    python fullsize_sd.py --part unet --configs DIR --out DIR/unet [--half]
    python fullsize_sd.py --part vae --configs DIR --out DIR/vae

makes the part with random weights (in 16 bits with --half: XL's UNet is 5 GB then, and 10 GB while this runs) and
golden/golden.safetensors with the inputs and outputs of one UNet step (64x64 latents, two rows) or one decoding. Held against it,
within 1e-3, by a class among the tests of lmm-diffusion (its classes and those it needs on the class path):

    mvn -q dependency:build-classpath -Dmdep.outputFile=cp.txt -pl lmm-diffusion
    java -cp lmm-diffusion/target/test-classes:lmm-diffusion/target/classes:$(cat lmm-diffusion/cp.txt) \\
        dev.lmm.diffusion.internal.FullSizeRun DIR/unet onnx
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import time
from pathlib import Path

import diffusers
import numpy as np
import torch
from diffusers import AutoencoderKL, DDIMScheduler, PNDMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from PIL import Image
from safetensors.torch import save_file
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


@torch.no_grad()
def make_part(part: str, configs: Path, out: Path, half: bool) -> None:
    config = json.loads((configs / part / "config.json").read_text())
    torch.manual_seed(3)
    model = (UNet2DConditionModel if part == "unet" else AutoencoderKL).from_config(config).eval()
    if half:
        model = model.half()
    model.save_pretrained(out, safe_serialization=True, max_shard_size="100GB")
    model = model.float()
    g = torch.Generator().manual_seed(5)
    if part == "vae":
        latents = torch.randn(1, config["latent_channels"], 64, 64, generator=g)
        golden = {"latents": latents, "picture": model.decode(latents).sample}
    else:
        sample = torch.randn(2, config["in_channels"], 64, 64, generator=g)
        context = torch.randn(2, 77, config["cross_attention_dim"], generator=g)
        golden = {"sample": sample, "context": context, "time": torch.tensor([501.0])}
        added = None
        if config.get("addition_embed_type") == "text_time":
            width = config["projection_class_embeddings_input_dim"] - 6 * config["addition_time_embed_dim"]
            added = {"text_embeds": torch.randn(2, width, generator=g), "time_ids": torch.tensor([[512.0, 512, 0, 0, 512, 512]] * 2)}
            golden |= added
        start = time.perf_counter()
        golden["noise"] = model(sample, 501.0, context, added_cond_kwargs=added).sample
        print(f"UNet step of two rows {time.perf_counter() - start:.1f} s")
    (out / "golden").mkdir()
    save_file({k: v.contiguous() for k, v in golden.items()}, out / "golden/golden.safetensors",
              metadata={"torch": torch.__version__, "diffusers": diffusers.__version__})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--configs", type=Path)
    parser.add_argument("--tokenizer", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--compare", nargs=2)
    parser.add_argument("--part", choices=["unet", "vae"])
    parser.add_argument("--half", action="store_true")
    a = parser.parse_args()
    if a.compare:
        one, two = (np.asarray(Image.open(f).convert("RGB")).astype(int) for f in a.compare)
        print("most levels apart:", np.abs(one - two).max(), "; mean", np.abs(one - two).mean(), "; spread", two.std())
        return
    torch.set_num_threads(2)
    if a.part:
        make_part(a.part, a.configs, a.out, a.half)
        return
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
