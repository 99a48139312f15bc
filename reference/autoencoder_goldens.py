"""Tiny autoencoders, tiles and the safety checker, beside the tiny pipelines of diffusion_goldens.py.

    python autoencoder_goldens.py [--taef2 FOLDER --photo FILE --out FOLDER]

Writes lmm-diffusion/src/test/resources/golden/autoencoders: `tiny`, a seeded AutoencoderTiny as diffusers saves it;
`checked`, a seeded safety checker in the published layout with its image processor; golden.safetensors with whole
tensors and pictures, golden.json with the cases and versions.

With --taef2 it also turns the trained taef2 of madebyollin/taesd (taef2_encoder and taef2_decoder, safetensors) into a
folder in diffusers' layout under --out, with a crop of the photograph and what PyTorch makes of it; not committed.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import warnings
from pathlib import Path

import diffusers
import numpy as np
import torch
import transformers
from diffusers import AutoencoderTiny
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker, cosine_distance
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import CLIPConfig, CLIPImageProcessor

import diffusion_goldens as base

OUT = base.OUT / "autoencoders"
CASE = {"prompt": base.PROMPTS[0], "steps": 4, "guidance": 5.0, "seed": 3, "width": 64, "height": 64, "scheduler": "ddim"}


def tiny() -> AutoencoderTiny:
    model = AutoencoderTiny(
        encoder_block_out_channels=(8, 8, 8, 8), decoder_block_out_channels=(8, 8, 8, 8), num_encoder_blocks=(1, 1, 2, 1),
        num_decoder_blocks=(2, 1, 1, 1), latent_channels=4)
    model = base.larger(model, 21)
    model.half().save_pretrained(OUT / "tiny")
    return AutoencoderTiny.from_pretrained(OUT / "tiny", torch_dtype=torch.float32)


def picture(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray((array * 255).round().astype(np.uint8)))


@torch.no_grad()
def autoencoders(golden: dict, cases: list) -> None:
    model = tiny()
    g = torch.Generator().manual_seed(5)
    latents = 2 * torch.randn(1, 4, 5, 7, generator=g)
    planes = 2 * torch.rand(1, 3, 56, 40, generator=g) - 1
    golden |= {"tiny.latents": latents, "tiny.picture": model.decode(latents).sample,
               "tiny.planes": planes, "tiny.encoded": model.encode(planes).latents}
    folder = base.OUT / "sd15"
    pipe = base.load(folder, False)
    own = pipe.vae
    tiled = base.load(folder, False).vae
    tiled.enable_tiling()
    latents = torch.randn(1, 4, 14, 9, generator=g)
    planes = 2 * torch.rand(1, 3, 72, 120, generator=g) - 1
    golden |= {"tiles.latents": latents, "tiles.picture": tiled.decode(latents).sample,
               "tiles.planes": planes, "tiles.moments": tiled.encode(planes).latent_dist.parameters}
    for a, b in [(golden["tiles.picture"], own.decode(latents).sample), (golden["tiles.moments"], own.encode(planes).latent_dist.parameters)]:
        assert (a - b).abs().mean() > 0.01, "tiles are not the whole"
    pipe.vae = model
    golden["picture.0"] = base.run(pipe, CASE, folder, False)
    cases.append({**CASE, "decoder": "tiny"})
    # Its encoder draws nothing: the noise of the steps comes from other numbers.
    case = {**CASE, "image": "start.png", "strength": 0.6, "scheduler": "euler-a"}
    golden["picture.1"] = base.run(pipe, case, folder, False)
    cases.append({**case, "own": "tiny"})
    pipe.vae = tiled
    case = {**CASE, "width": 112, "height": 72, "image": "start.png", "strength": 0.6}
    golden["picture.2"] = base.run(pipe, case, folder, False)
    cases.append({**case, "tiles": True})
    case = {**CASE, "width": 72, "height": 136}
    golden["picture.3"] = base.run(pipe, case, folder, False)
    cases.append({**case, "tiles": True})
    pipe.vae = own
    assert (base.run(pipe, case, folder, False).float() - golden["picture.3"].float()).abs().max() > 3


@torch.no_grad()
def checker(golden: dict, cases: list) -> None:
    shutil.rmtree(OUT / "checked", ignore_errors=True)
    config = CLIPConfig(
        vision_config=dict(hidden_size=24, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4, image_size=32,
                           patch_size=8, hidden_act="quick_gelu"),
        text_config=dict(hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2, vocab_size=64),
        projection_dim=16)
    torch.manual_seed(3)
    model = base.larger(StableDiffusionSafetyChecker(config), 31)
    processor = CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    folder = base.OUT / "sd15"
    pipe = base.load(folder, False)
    seeds = list(range(3, 9))
    images = [base.run(pipe, {**CASE, "seed": s}, folder, False) for s in seeds]

    def embeds(model) -> torch.Tensor:
        pixels = processor([Image.fromarray(i.numpy()) for i in images], return_tensors="pt").pixel_values
        return model.visual_projection(model.vision_model(pixels)[1])

    e = torch.nn.functional.normalize(embeds(model))
    g = torch.Generator().manual_seed(4)
    concepts, special = torch.randn(17, 16, generator=g), torch.randn(3, 16, generator=g)
    special[1] = concepts[9] = e[2] - e.mean(0)
    concepts[4] = e[1] - e.mean(0)
    cos, care = cosine_distance(e, concepts), cosine_distance(e, special)
    # One picture is over one threshold; another only by what the special care adds.
    first, second = int(cos[:, 4].argmax()), int(care[:, 1].argmax())
    assert first != second
    limits, others = cos.max(0).values + 0.2, care.max(0).values + 0.2
    limits[4] = cos[:, 4].topk(2).values.mean()
    limits[9] = cos[second, 9] + 0.004
    others[1] = care[:, 1].topk(2).values.mean()
    model.concept_embeds.copy_(concepts)
    model.special_care_embeds.copy_(special)
    model.concept_embeds_weights.copy_(limits)
    model.special_care_embeds_weights.copy_(others)
    model.save_pretrained(OUT / "checked/safety_checker")
    file = OUT / "checked/safety_checker/model.safetensors"
    # As the published file names them.
    tensors = {("vision_model." + k if k.startswith("vision_model.") and not k.startswith("vision_model.vision_model.") else k): v
               for k, v in load_file(file).items()}
    save_file({**tensors, "vision_model.vision_model.embeddings.position_ids": torch.arange(17)[None]}, file, {"format": "pt"})
    (OUT / "checked/feature_extractor").mkdir(parents=True)
    (OUT / "checked/feature_extractor/preprocessor_config.json").write_text(json.dumps({
        "crop_size": 32, "do_center_crop": True, "do_convert_rgb": True, "do_normalize": True, "do_resize": True,
        "feature_extractor_type": "CLIPFeatureExtractor", "image_mean": processor.image_mean, "image_std": processor.image_std,
        "resample": 3, "size": 32}, indent=2) + "\n")
    pixels = processor([Image.fromarray(i.numpy()) for i in images], return_tensors="pt").pixel_values
    _, flags = model(clip_input=pixels, images=[i.numpy() / 255 for i in images])
    assert flags == [i in (first, second) for i in range(6)], flags
    golden["checked.embeds"] = embeds(model)
    for s, image, flag in zip(seeds, images, flags):
        golden[f"picture.{len(cases)}"] = torch.zeros_like(image) if flag else image
        cases.append({**CASE, "seed": s, "checked": True, "withheld": flag})


@torch.no_grad()
def taef2(source: Path, photo: Path, out: Path) -> None:
    """The architecture as its author writes it; diffusers 0.42.1 has no pooling blocks."""
    enc, dec = (load_file(source / f"taef2_{x}.safetensors") for x in ("encoder", "decoder"))
    F = torch.nn.functional

    def conv(w, k, x, stride=1):
        weight = w[k + ".weight"].float()
        return F.conv2d(x, weight, w[k + ".bias"].float() if k + ".bias" in w else None, stride, weight.shape[-1] // 2)

    def block(w, k, x):
        if k + ".pool.0.weight" in w:
            h = F.group_norm(conv(w, k + ".pool.0", x), 4, w[k + ".pool.1.weight"].float(), w[k + ".pool.1.bias"].float())
            x = x + conv(w, k + ".pool.3", h.relu())
        h = conv(w, k + ".conv.4", conv(w, k + ".conv.2", conv(w, k + ".conv.0", x).relu()).relu())
        return (h + x).relu()

    image = Image.open(photo).convert("RGB").crop((0, 0, 256, 256))
    x = torch.from_numpy(np.asarray(image)).permute(2, 0, 1)[None] / 255
    z = x
    for i in range(15):
        k = str(i)
        z = block(enc, k, z) if k + ".conv.0.weight" in enc else conv(enc, k, z, 2 if i in (2, 6, 10) else 1)
    y = (z / 3).tanh() * 3
    for i in range(1, 20):
        k = str(i)
        if k + ".conv.0.weight" in dec:
            y = block(dec, k, y)
        elif k + ".weight" in dec:
            y = conv(dec, k, y)
        elif i == 2:
            y = y.relu()
        else:
            y = F.interpolate(y, scale_factor=2)
    made = (y.clamp(0, 1) * 255).round()
    psnr = 10 * math.log10(255**2 / float(((made - x * 255) ** 2).mean()))
    out.mkdir(parents=True, exist_ok=True)
    tensors = {f"encoder.layers.{k}": v for k, v in enc.items()}
    for k, v in dec.items():
        number, rest = k.split(".", 1)
        # The author numbers the clamp before the first layer too.
        tensors[f"decoder.layers.{int(number) - 1}.{rest}"] = v
    save_file({k: v.contiguous() for k, v in tensors.items()}, out / "diffusion_pytorch_model.safetensors")
    (out / "config.json").write_text(json.dumps({"_class_name": "AutoencoderTiny", "latent_channels": 32}) + "\n")
    image.save(out / "photo.png")
    save_file({"latents": z.contiguous(), "picture": made[0].permute(1, 2, 0).to(torch.uint8).contiguous()}, out / "golden.safetensors")
    (out / "golden.json").write_text(json.dumps({"psnr": psnr, "torch": torch.__version__}) + "\n")
    print(f"taef2: PSNR {psnr:.4f} dB, latents sum {float(z.sum()):.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--taef2", type=Path)
    parser.add_argument("--photo", type=Path)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    warnings.filterwarnings("ignore")
    diffusers.utils.logging.set_verbosity_error()
    if args.taef2:
        taef2(args.taef2, args.photo, args.out)
        return
    OUT.mkdir(exist_ok=True)
    golden, cases = {}, []
    autoencoders(golden, cases)
    checker(golden, cases)
    save_file({k: v.contiguous() for k, v in golden.items()}, OUT / "golden.safetensors")
    value = {"diffusers": diffusers.__version__, "transformers": transformers.__version__, "torch": torch.__version__, "cases": cases}
    (OUT / "golden.json").write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n")
    print(len(cases), "pictures", sum(f.stat().st_size for f in OUT.rglob("*") if f.is_file()) // 1000, "kB")


if __name__ == "__main__":
    main()
