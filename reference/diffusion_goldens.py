"""Tiny Stable Diffusion pipelines in diffusers' layout, and what diffusers makes with them.

    python diffusion_goldens.py

Writes lmm-diffusion/src/test/resources/golden/<name>: the folder as diffusers saves it (fp16), golden.safetensors
with whole tensors and golden.json with prompts, options and versions. Weights are seeded and made larger than at
initialisation, so that attention, text and timestep matter. Loaded as anybody would, widened to float32.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import warnings
from pathlib import Path

import numpy as np
import torch
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent / "tiny"))

import diffusers
import transformers
import vocabularies
from diffusers import (
    AutoencoderKL,
    PNDMScheduler,
    StableDiffusionImg2ImgPipeline,
    StableDiffusionInpaintPipeline,
    StableDiffusionPipeline,
    StableDiffusionXLImg2ImgPipeline,
    StableDiffusionXLInpaintPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from scheduler_goldens import NAMES, SD15

# diffusers 0.42.1 looks for the tower below this name when layers are skipped; transformers 5 took the level out.
CLIPTextModel.text_model = property(lambda self: self)

OUT = Path(__file__).parent.parent / "lmm-diffusion/src/test/resources/golden"
PROMPTS = ["a red circle on a blue background", "파란 배경에 빨간 원", ""]
SIDE = 64


def tokenizer(folder: Path, pad: str) -> CLIPTokenizer:
    vocabularies.write_clip(folder, 11)
    for name in ("special_tokens_map.json", "tokenizer_config.json"):
        file = folder / name
        file.write_text(file.read_text().replace('"pad_token": "<|endoftext|>"', f'"pad_token": "{pad}"'))
    return CLIPTokenizer.from_pretrained(folder)


def text_config(t, activation, width=32, projection=24) -> CLIPTextConfig:
    return CLIPTextConfig(
        vocab_size=len(t), hidden_size=width, intermediate_size=2 * width, num_hidden_layers=3, num_attention_heads=4,
        max_position_embeddings=77, hidden_act=activation, projection_dim=projection,
        bos_token_id=t.bos_token_id, eos_token_id=2, pad_token_id=t.pad_token_id,
    )


@torch.no_grad()
def larger(model: torch.nn.Module, seed: int, sharp: float = 2.0) -> torch.nn.Module:
    """Weights that make every part matter; norms near 1, biases not 0; ``sharp`` is how far attention chooses."""
    g = torch.Generator().manual_seed(seed)
    for name, p in model.named_parameters():
        r = torch.randn(p.shape, generator=g)
        if p.ndim == 1:
            p.copy_((1 + 0.2 * r) if "norm" in name and name.endswith("weight") else 0.1 * r)
        elif "embedding" in name and "time" not in name and "add_" not in name:
            p.copy_(0.7 * r)
        else:
            fan = p[0].numel()
            p.copy_(r * (sharp if ("to_q" in name or "to_k" in name or "q_proj" in name or "k_proj" in name) else 1.1) / fan**0.5)
    return model.eval()


def make(folder: Path, xl: bool, v_prediction: bool, painting: bool) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    work = folder / "work"
    t1 = tokenizer(work / "tokenizer", "<|endoftext|>" if not v_prediction else "!")
    text = larger(CLIPTextModel(text_config(t1, "gelu" if v_prediction else "quick_gelu")), 1)
    unet = larger(
        UNet2DConditionModel(
            sample_size=8, in_channels=9 if painting else 4, layers_per_block=1, block_out_channels=(16, 32, 32),
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D") if xl
            else ("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D") if xl
            else ("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
            transformer_layers_per_block=[1, 1, 2] if xl else 1,
            attention_head_dim=[2, 4, 4] if (xl or v_prediction) else 4,
            use_linear_projection=xl or v_prediction, norm_num_groups=8, cross_attention_dim=72 if xl else 32,
            **({"addition_embed_type": "text_time", "addition_time_embed_dim": 8,
                "projection_class_embeddings_input_dim": 24 + 48} if xl else {}),
        ), 2, 1.2 if xl or v_prediction else 2.0)
    vae = larger(
        AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
            block_out_channels=(8, 8, 16, 16), layers_per_block=1, latent_channels=4, norm_num_groups=4, sample_size=SIDE,
            scaling_factor=0.7,
        ), 3)
    config = {**SD15, **({"prediction_type": "v_prediction"} if v_prediction else {})}
    scheduler = PNDMScheduler.from_config(config)
    common = dict(vae=vae, text_encoder=text, tokenizer=t1, unet=unet, scheduler=scheduler)
    if xl:
        t2 = tokenizer(work / "tokenizer_2", "!")
        second = larger(CLIPTextModelWithProjection(text_config(t2, "gelu", width=40)), 4)
        cls = StableDiffusionXLInpaintPipeline if painting else StableDiffusionXLPipeline
        pipe = cls(**common, tokenizer_2=t2, text_encoder_2=second, add_watermarker=False)
    else:
        cls = StableDiffusionInpaintPipeline if painting else StableDiffusionPipeline
        pipe = cls(**common, safety_checker=None, feature_extractor=None, requires_safety_checker=False)
    pipe.to(dtype=torch.float16).save_pretrained(folder, safe_serialization=True)
    for part in ("tokenizer", "tokenizer_2"):
        if (work / part).exists():
            shutil.rmtree(folder / part)
            shutil.copytree(work / part, folder / part)
    shutil.rmtree(work)


def picture(seed: int, width: int, height: int) -> Image.Image:
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width] / max(width, height)
    base = np.stack([200 * x, 255 * y, 128 + 100 * np.sin(9 * x + 4 * y)], -1) + rng.normal(0, 9, (height, width, 3))
    return Image.fromarray(np.clip(base, 0, 255).astype(np.uint8))


def scheduler_of(pipe, name):
    cls, extra = NAMES[name]
    return getattr(diffusers, cls).from_config(pipe.scheduler.config if not isinstance(pipe, dict) else pipe, **extra)


def options(xl: bool) -> list[dict]:
    base = {"prompt": PROMPTS[0], "steps": 8, "guidance": 7.5, "seed": 3, "width": SIDE, "height": SIDE}
    cases = [{**base, "scheduler": name} for name in NAMES if name != "dpmpp-sde"]
    cases += [
        {**base, "scheduler": "euler", "prompt": PROMPTS[1], "negative": PROMPTS[0]},
        {**base, "scheduler": "euler", "prompt": PROMPTS[2], "negative": ""},
        {**base, "scheduler": "ddim", "guidance": 1.0},
        {**base, "scheduler": "ddim", "guidance": 0.0, "seed": 2**32 + 5},
        {**base, "scheduler": "ddim", "guidanceRescale": 0.7},
        {**base, "scheduler": "pndm", "width": 104, "height": 72},
        {**base, "scheduler": "ddim", "steps": 1},
        {**base, "scheduler": "ddim", "prompt": "a red circle " * 40},
        # Its noise has a seed of its own in diffusers (scheduler_goldens.py sets 7), here the picture's.
        {**base, "scheduler": "dpmpp-sde", "seed": 7},
    ]
    if xl:
        cases += [
            {**base, "scheduler": "ddim", "image": "start.png", "strength": 0.6},
            {**base, "scheduler": "euler-a", "image": "start.png", "strength": 0.8, "negative": PROMPTS[1]},
            {**base, "scheduler": "ddim", "image": "start.png", "mask": "mask.png", "strength": 0.7},
            {**base, "scheduler": "euler", "image": "start.png", "mask": "mask.png", "strength": 1.0},
        ]
    else:
        cases += [
            {**base, "scheduler": "ddim", "clipSkip": 1},
            {**base, "scheduler": "ddim", "image": "start.png", "strength": 0.6},
            {**base, "scheduler": "pndm", "image": "start.png", "strength": 0.5},
            {**base, "scheduler": "euler-a", "image": "start.png", "strength": 1.0},
            {**base, "scheduler": "heun", "image": "start.png", "strength": 0.6},
            {**base, "scheduler": "ddim", "image": "start.png", "mask": "mask.png", "strength": 0.7},
            {**base, "scheduler": "euler", "image": "start.png", "mask": "mask.png", "strength": 1.0},
        ]
        cases.append({**base, "scheduler": "euler-a", "variation": {"seed": 11, "strength": 0.3}})
    return cases


def painting_options() -> list[dict]:
    base = {"prompt": PROMPTS[0], "steps": 8, "guidance": 7.5, "seed": 3, "width": SIDE, "height": SIDE, "image": "start.png",
            "mask": "mask.png", "strength": 1.0}
    return [
        {**base, "scheduler": "pndm"},
        {**base, "scheduler": "euler", "strength": 0.7},
        {**base, "scheduler": "euler-a", "mask": "soft.png", "width": 104, "height": 72},
        {**base, "scheduler": "dpmpp-2m", "mask": "soft.png", "strength": 0.5, "guidance": 1.0},
        {**base, "scheduler": "heun", "strength": 0.6, "negative": PROMPTS[1]},
    ]


def mistakes(pipe, case: dict, folder: Path, right: torch.Tensor) -> dict[str, int]:
    """How far the usual mistakes with the five further channels lead, in levels of 255."""
    cls = StableDiffusionInpaintPipeline
    mask_latents, latents, encode, forward = cls.prepare_mask_latents, cls.prepare_latents, cls._encode_vae_image, pipe.unet.forward

    def masks(change):
        cls.prepare_mask_latents = change

    def order():
        pipe.unet.forward = lambda x, *a, **k: forward(x[:, [0, 1, 2, 3, 5, 6, 7, 8, 4]], *a, **k)

    def other_mask(change):
        def patched(self, mask, *a):
            small, masked = mask_latents(self, mask, *a)
            return change(mask, small), masked
        masks(patched)

    def whole_picture():
        picture = Image.open(folder / case["image"]).convert("RGB").resize((case["width"], case["height"]), Image.LANCZOS)
        whole = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None] / 127.5 - 1
        masks(lambda self, mask, masked, *a: mask_latents(self, mask, whole, *a))

    def mean():
        calls = []

        def patched(self, image, generator):
            calls.append(1)
            if len(calls) == (1 if case["strength"] == 1 else 2):
                return self.vae.encode(image).latent_dist.mode() * self.vae.config.scaling_factor
            return encode(self, image, generator)
        cls._encode_vae_image = patched

    def unscaled():
        masks(lambda self, *a: [x if i == 0 else x / self.vae.config.scaling_factor for i, x in enumerate(mask_latents(self, *a))])

    def drawn_always():
        def patched(self, *a, **k):
            return latents(self, *a, **{**k, "return_image_latents": True})[:2]
        cls.prepare_latents = patched

    tried = {
        "mask behind the masked picture": order,
        "mask turned around": lambda: other_mask(lambda mask, small: 1 - small),
        "mask made small by its mean": lambda: other_mask(
            lambda mask, small: torch.nn.functional.interpolate(mask, small.shape[2:], mode="area").expand_as(small)),
        "picture not masked": whole_picture,
        "masked picture by its mean, not drawn": mean,
        "masked picture not scaled": unscaled,
        "the picture drawn too at strength 1": drawn_always,
    }
    found = {}
    for name, change in tried.items():
        change()
        made = run(pipe, case, folder, False)
        cls.prepare_mask_latents, cls.prepare_latents, cls._encode_vae_image = mask_latents, latents, encode
        pipe.unet.forward = forward
        found[name] = int((made.int() - right.int()).abs().max())
    return found


def run(pipe, case: dict, folder: Path, xl: bool) -> torch.Tensor:
    parts = dict(pipe.components)
    parts["scheduler"] = scheduler_of(pipe.original_scheduler, case["scheduler"])
    arguments = dict(
        prompt=case["prompt"], negative_prompt=case.get("negative"), num_inference_steps=case["steps"],
        guidance_scale=case["guidance"], generator=torch.Generator("cpu").manual_seed(case["seed"]), output_type="np",
    )
    if case.get("variation"):
        shape, other = (1, 4, case["height"] // 8, case["width"] // 8), torch.Generator("cpu").manual_seed(case["variation"]["seed"])
        a, b = torch.randn(shape, generator=arguments["generator"]), torch.randn(shape, generator=other)
        angle = torch.acos((a * b).sum() / (a.norm() * b.norm()))
        x = case["variation"]["strength"]
        arguments["latents"] = (torch.sin((1 - x) * angle) * a + torch.sin(x * angle) * b) / torch.sin(angle)
    if case.get("guidanceRescale"):
        arguments["guidance_rescale"] = case["guidanceRescale"]
    if case.get("clipSkip"):
        arguments["clip_skip"] = case["clipSkip"]
    if case.get("image"):
        arguments["image"] = Image.open(folder / case["image"]).convert("RGB").resize((case["width"], case["height"]), Image.LANCZOS)
        arguments["strength"] = case["strength"]
        cls = StableDiffusionXLImg2ImgPipeline if xl else StableDiffusionImg2ImgPipeline
        if case.get("mask"):
            cls = StableDiffusionXLInpaintPipeline if xl else StableDiffusionInpaintPipeline
            arguments["mask_image"] = Image.open(folder / case["mask"]).convert("RGB")
            arguments |= {"width": case["width"], "height": case["height"]}
    else:
        cls = StableDiffusionXLPipeline if xl else StableDiffusionPipeline
        arguments |= {"width": case["width"], "height": case["height"]}
    made = cls(**parts, **({"add_watermarker": False} if xl else {"requires_safety_checker": False}))
    made.set_progress_bar_config(disable=True)
    image = made(**arguments).images[0]
    return torch.from_numpy(np.ascontiguousarray((image * 255).round().astype(np.uint8)))


def load(folder: Path, xl: bool):
    index = json.loads((folder / "model_index.json").read_text())
    cls = getattr(diffusers, index["_class_name"])
    extra = {"add_watermarker": False} if xl else {"safety_checker": None, "requires_safety_checker": False}
    pipe = cls.from_pretrained(folder, torch_dtype=torch.float32, **extra)
    pipe.original_scheduler = json.loads((folder / "scheduler/scheduler_config.json").read_text())
    pipe.set_progress_bar_config(disable=True)
    return pipe


@torch.no_grad()
def tensors(pipe, xl: bool) -> dict[str, torch.Tensor]:
    out = {}
    encoders = [("text_encoder", pipe.tokenizer, pipe.text_encoder)]
    if xl:
        encoders.append(("text_encoder_2", pipe.tokenizer_2, pipe.text_encoder_2))
    for name, t, encoder in encoders:
        ids = t(PROMPTS, padding="max_length", max_length=77, truncation=True, return_tensors="pt").input_ids
        result = encoder(ids, output_hidden_states=True)
        out[f"{name}.ids"] = ids
        out[f"{name}.last"] = result.last_hidden_state
        out[f"{name}.hidden_2"] = result.hidden_states[2]
        if name.endswith("_2"):
            out[f"{name}.pooled"] = result.text_embeds
    g = torch.Generator().manual_seed(5)
    c = pipe.unet.config
    for k, (height, width, t) in enumerate([(8, 8, 981), (9, 13, 17.5), (6, 10, 0)]):
        sample = torch.randn(2, c.in_channels, height, width, generator=g)
        context = torch.randn(2, 77, c.cross_attention_dim, generator=g)
        added = {"text_embeds": torch.randn(2, 24, generator=g), "time_ids": torch.tensor([[64.0, 72, 0, 8, 64, 72]] * 2)} if xl else None
        out |= {f"unet.{k}.sample": sample, f"unet.{k}.context": context, f"unet.{k}.time": torch.tensor([float(t)])}
        if xl:
            out |= {f"unet.{k}.text_embeds": added["text_embeds"], f"unet.{k}.time_ids": added["time_ids"]}
        out[f"unet.{k}.noise"] = pipe.unet(sample, t, context, added_cond_kwargs=added).sample
    latents = torch.randn(1, 4, 5, 7, generator=g)
    out |= {"vae.latents": latents, "vae.picture": pipe.vae.decode(latents).sample}
    planes = 2 * torch.rand(1, 3, 56, 40, generator=g) - 1
    out |= {"vae.planes": planes, "vae.moments": pipe.vae.encode(planes).latent_dist.parameters}
    return {k: v.contiguous() for k, v in out.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help="one of the pipelines")
    only = parser.parse_args().only
    warnings.filterwarnings("ignore")
    diffusers.utils.logging.set_verbosity_error()
    for name, xl, v_prediction in [("sd15", False, False), ("sd21", False, True), ("sdxl", True, False), ("inpaint", False, False), ("sdxl-inpaint", True, False)]:
        if only not in (None, name):
            continue
        folder, painting = OUT / name, name.endswith("inpaint")
        make(folder, xl, v_prediction, painting)
        picture(1, 90, 70).save(folder / "start.png")
        mask = np.zeros((SIDE, SIDE), np.uint8)
        mask[20:50, 10:40] = 255
        Image.fromarray(mask).save(folder / "mask.png")
        if painting:
            y, x = np.mgrid[0:70, 0:90]
            soft = 255 * np.exp(-(((x - 40) / 30) ** 2 + ((y - 33) / 22) ** 2))
            Image.fromarray(soft.astype(np.uint8)).save(folder / "soft.png")
        pipe = load(folder, xl)
        golden = tensors(pipe, xl)
        cases = painting_options() if painting else options(xl)
        if name == "sd21":
            cases = [c for c in cases if c["scheduler"] in ("ddim", "euler", "dpmpp-2m", "unipc", "euler-a") and "image" not in c and "variation" not in c]
        for i, case in enumerate(cases):
            golden[f"picture.{i}"] = run(pipe, case, folder, xl)
        save_file(golden, folder / "golden.safetensors")
        value = {"diffusers": diffusers.__version__, "transformers": transformers.__version__, "torch": torch.__version__,
                 "prompts": PROMPTS, "cases": cases}
        if painting and not xl:
            found = mistakes(pipe, cases[0], folder, golden["picture.0"])
            value["mistakes"] = [{"name": k, "levels": v} for k, v in found.items()]
            print(value["mistakes"])
        (folder / "golden.json").write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n")
        spread = [int(golden[f"picture.{i}"].float().std()) for i in range(len(cases))]
        print(name, len(cases), "pictures, spread", spread, sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()) // 1000, "kB")


if __name__ == "__main__":
    main()
