"""Adapters (LoRA) for the tiny pipelines of diffusion_goldens.py, and what diffusers and peft make with them.

    python lora_goldens.py

Writes lmm-diffusion/src/test/resources/golden/lora: per pipeline a file in diffusers' names without alphas, one whose
alpha stands in the header, one in kohya's names whose alphas and ranks differ from layer to layer; golden.safetensors
with whole tensors and pictures; golden.json with the cases.

diffusers 0.42.1 with peft 0.21.2 takes a wrong alpha where alphas differ within a file of kohya's, so those cases add
the product to the weights themselves, which is the definition. Every case is also made wrongly on purpose (without the
text encoder's layers, without convolutions, without alphas, without scales) and must then differ.
"""

from __future__ import annotations

import copy
import json
import re
import warnings
from pathlib import Path

import diffusers
import peft
import torch
from peft import LoraConfig
from safetensors.torch import load_file, save_file

import diffusion_goldens as base

OUT = base.OUT / "lora"
UNET = ["to_q", "to_k", "to_v", "to_out.0", "proj_in", "proj_out", "ff.net.0.proj", "ff.net.2", "conv1", "conv2",
        "conv_shortcut", "time_emb_proj", "conv", "conv_in", "conv_out", "linear_1", "linear_2"]
ATTENTION = ["to_q", "to_k", "to_v", "to_out.0"]
TEXT = ["q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2"]
CASE = {"prompt": base.PROMPTS[0], "steps": 4, "guidance": 5.0, "seed": 3, "width": 64, "height": 64, "scheduler": "ddim"}


def parts(pipe, xl: bool) -> list[tuple[str, torch.nn.Module]]:
    return [("unet", pipe.unet), ("text_encoder", pipe.text_encoder)] + ([("text_encoder_2", pipe.text_encoder_2)] if xl else [])


def factors(pipe, xl: bool, seed: int, unet: list[str], text: list[str], size: float, ranks: list[int]) -> dict:
    """Module path below its part -> (down, up), fp16 as adapters are published."""
    g = torch.Generator().manual_seed(seed)
    made = {}
    for part, model in parts(pipe, xl):
        for name, module in model.named_modules():
            ends = unet if part == "unet" else text
            if not any(name == e or name.endswith("." + e) for e in ends) or not hasattr(module, "weight"):
                continue
            w = module.weight
            rank = ranks[len(made) % len(ranks)]
            down = torch.randn(rank, *w.shape[1:], generator=g) / w[0].numel() ** 0.5
            up = torch.randn(w.shape[0], rank, *[1] * (w.ndim - 2), generator=g) * size / rank**0.5
            made[part, name] = (down.half(), up.half())
    return made


def peft_file(made: dict) -> dict[str, torch.Tensor]:
    out = {}
    for (part, name), (down, up) in made.items():
        out[f"{part}.{name}.lora_A.weight"], out[f"{part}.{name}.lora_B.weight"] = down, up
    return out


def kohya_file(made: dict, alphas: list[float], ldm: bool, xl: bool) -> dict[str, torch.Tensor]:
    out = {}
    for i, ((part, name), (down, up)) in enumerate(made.items()):
        if part == "unet":
            stem = "lora_unet_" + (to_ldm(name) if ldm else name).replace(".", "_")
        else:
            prefix = {"text_encoder": "lora_te1_" if xl else "lora_te_", "text_encoder_2": "lora_te2_"}[part]
            stem = prefix + ("" if name.startswith("text_model.") or name == "text_projection" else "text_model_") + name.replace(".", "_")
        out[stem + ".lora_down.weight"], out[stem + ".lora_up.weight"] = down, up
        out[stem + ".alpha"] = torch.tensor(alphas[i % len(alphas)])
    return out


def to_ldm(name: str) -> str:
    """generative-models' names for a UNet of three levels with one resnet each."""
    for a, b in [("conv1", "in_layers.2"), ("conv2", "out_layers.3"), ("time_emb_proj", "emb_layers.1"), ("conv_shortcut", "skip_connection")]:
        name = re.sub(rf"(resnets\.\d)\.{a}$", rf"\1.{b}", name)
    table = {
        "conv_in": "input_blocks.0.0", "conv_out": "out.2",
        "time_embedding.linear_1": "time_embed.0", "time_embedding.linear_2": "time_embed.2",
        "add_embedding.linear_1": "label_emb.0.0", "add_embedding.linear_2": "label_emb.0.2",
        "down_blocks.0.resnets.0": "input_blocks.1.0", "down_blocks.0.attentions.0": "input_blocks.1.1",
        "down_blocks.0.downsamplers.0.conv": "input_blocks.2.0.op",
        "down_blocks.1.resnets.0": "input_blocks.3.0", "down_blocks.1.attentions.0": "input_blocks.3.1",
        "down_blocks.1.downsamplers.0.conv": "input_blocks.4.0.op",
        "down_blocks.2.resnets.0": "input_blocks.5.0", "down_blocks.2.attentions.0": "input_blocks.5.1",
        "mid_block.resnets.0": "middle_block.0", "mid_block.attentions.0": "middle_block.1", "mid_block.resnets.1": "middle_block.2",
        "up_blocks.0.resnets.0": "output_blocks.0.0", "up_blocks.0.attentions.0": "output_blocks.0.1",
        "up_blocks.0.resnets.1": "output_blocks.1.0", "up_blocks.0.attentions.1": "output_blocks.1.1",
        "up_blocks.0.upsamplers.0.conv": "output_blocks.1.2.conv",
        "up_blocks.1.resnets.0": "output_blocks.2.0", "up_blocks.1.attentions.0": "output_blocks.2.1",
        "up_blocks.1.resnets.1": "output_blocks.3.0", "up_blocks.1.attentions.1": "output_blocks.3.1",
        "up_blocks.1.upsamplers.0.conv": "output_blocks.3.2.conv",
        "up_blocks.2.resnets.0": "output_blocks.4.0", "up_blocks.2.resnets.1": "output_blocks.5.0",
    }
    for own, old in table.items():
        if name == own or name.startswith(own + "."):
            return old + name[len(own):]
    raise ValueError(name)


@torch.no_grad()
def merged(pipe, xl: bool, made: dict, alphas: list[float] | None, scale: float, keep=lambda part, name: True):
    """A copy of the pipeline whose weights hold the adapter: the definition."""
    out = copy.deepcopy(pipe)
    out.original_scheduler = pipe.original_scheduler
    models = dict(parts(out, xl))
    for i, ((part, name), (down, up)) in enumerate(made.items()):
        if not keep(part, name):
            continue
        down, up = down.float(), up.float()
        factor = scale * (alphas[i % len(alphas)] / down.shape[0] if alphas else 1)
        w = models[part].get_submodule(name).weight
        w += factor * (up.flatten(1) @ down.flatten(1)).reshape(w.shape)
    return out


def far(a: torch.Tensor, b: torch.Tensor) -> float:
    return float((a.float() - b.float()).abs().mean())


def main() -> None:
    warnings.filterwarnings("ignore")
    diffusers.utils.logging.set_verbosity_error()
    OUT.mkdir(exist_ok=True)
    golden, cases = {}, []
    for name, xl in [("sd15", False), ("sdxl", True)]:
        folder = base.OUT / name
        pipe = base.load(folder, xl)

        everything = factors(pipe, xl, 1, UNET, TEXT, 0.4, [3])
        save_file(peft_file(everything), OUT / f"{name}-peft.safetensors")
        attention = factors(pipe, xl, 2, ATTENTION, TEXT[:4], 0.8, [2])
        config = {f"{part}.{k}": v for part, _ in parts(pipe, xl)
                  for k, v in LoraConfig(r=2, lora_alpha=5, target_modules=ATTENTION if part == "unet" else TEXT[:4]).to_dict().items()}
        config = {k: list(v) if isinstance(v, set) else v for k, v in config.items()}
        save_file(peft_file(attention), OUT / f"{name}-header.safetensors", {"format": "pt", "lora_adapter_metadata": json.dumps(config)})
        alphas = [1.0, 2.0, 4.0, 1.5, 3.0]
        mixed = factors(pipe, xl, 3, UNET, TEXT + ["text_projection"], 0.7, [4, 2, 3, 1])
        save_file(kohya_file(mixed, alphas, xl, xl), OUT / f"{name}-kohya.safetensors")

        base_picture = base.run(pipe, CASE, folder, xl)

        def live(*uses):
            p = base.load(folder, xl)
            for file, _ in uses:
                p.load_lora_weights(OUT, weight_name=file, adapter_name=file.split(".")[0])
            p.set_adapters([f.split(".")[0] for f, _ in uses], [s for _, s in uses])
            return p

        def add(made, *uses, by_definition=None, wrong=()):
            picture = base.run(made, CASE, folder, xl)
            assert far(picture, base_picture) > 5, far(picture, base_picture)
            if by_definition is not None:
                # Also that the case is no chaotic one, in which the last bits of float32 decide.
                d = (picture.int() - base.run(by_definition, CASE, folder, xl).int()).abs().max()
                assert d <= 1, f"{uses}: {d} levels from weights that hold the product"
            for what, other in wrong:
                d = far(picture, base.run(other, CASE, folder, xl))
                print(f"  {name} {[f for f, _ in uses]}: {what} moves it by {d:.1f} levels")
                assert d > 1.2, what
            golden[f"picture.{len(cases)}"] = picture
            cases.append({**CASE, "pipeline": name, "loras": [{"file": f, "scale": s} for f, s in uses]})
            return made

        p, h, k = (f"{name}-{x}.safetensors" for x in ("peft", "header", "kohya"))
        made = add(live((p, 1.0)), (p, 1.0), by_definition=merged(pipe, xl, everything, None, 1), wrong=[
            ("without the text encoder", merged(pipe, xl, everything, None, 1, lambda part, n: part == "unet")),
            ("without convolutions", merged(pipe, xl, everything, None, 1, lambda part, n: "conv" not in n))])
        # Whole tensors, one step of the network and the text encoder's states.
        stored = load_file(folder / "golden.safetensors")
        added = {"text_embeds": stored["unet.1.text_embeds"], "time_ids": stored["unet.1.time_ids"]} if xl else None
        with torch.no_grad():
            golden[f"{name}.noise"] = made.unet(stored["unet.1.sample"], stored["unet.1.time"][0], stored["unet.1.context"],
                                                added_cond_kwargs=added).sample
            golden[f"{name}.text"] = made.text_encoder(stored["text_encoder.ids"]).last_hidden_state
        some = 0.4 if xl else 0.7
        add(live((h, some)), (h, some), by_definition=merged(pipe, xl, attention, [5.0], some),
            wrong=[("without its alpha", merged(pipe, xl, attention, None, some))])
        add(live((p, 0.6), (h, -0.5)), (p, 0.6), (h, -0.5),
            by_definition=merged(merged(pipe, xl, everything, None, 0.6), xl, attention, [5.0], -0.5), wrong=[
            ("without scales", live((p, 1.0), (h, 1.0))), ("without the second", live((p, 0.6)))])
        add(merged(pipe, xl, mixed, alphas, 0.9), (k, 0.9), wrong=[
            ("without alphas", merged(pipe, xl, mixed, None, 0.9)),
            ("alphas not over ranks", merged(pipe, xl, mixed, [a * 3 for a in alphas], 0.9))])
        add(merged(merged(pipe, xl, mixed, alphas, 0.5), xl, everything, None, 0.5), (k, 0.5), (p, 0.5))
    save_file({k: v.contiguous() for k, v in golden.items()}, OUT / "golden.safetensors")
    value = {"diffusers": diffusers.__version__, "peft": peft.__version__, "torch": torch.__version__, "cases": cases}
    (OUT / "golden.json").write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n")
    print(len(cases), "pictures", sum(f.stat().st_size for f in OUT.iterdir()) // 1000, "kB")


if __name__ == "__main__":
    main()
