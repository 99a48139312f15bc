"""The usual mistakes, made on purpose: each must move a golden by more than the Java tests allow.

Each mistake changes the model, the tokens, the pixels or the last step of an otherwise right
computation, in float32 as the golden's own.
"""

from __future__ import annotations

import contextlib
import copy
import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

import support

import numpy as np
import torch
from PIL import Image, ImageOps
from safetensors.torch import load_file
from tokenizers import Regex, normalizers
from transformers import PreTrainedTokenizerFast
from transformers.activations import ACT2FN
from transformers.models.siglip2 import image_processing_pil_siglip2, modeling_siglip2

import contrastive

# What the Java tests allow.
TOLERANCES = {
    "image_raw": 1e-4,
    "text_raw": 1e-4,
    "image_embeds": 1e-5,
    "text_embeds": 1e-5,
    "logits_per_image": 1e-3,
    "probabilities": 1e-4,
}


@dataclass
class Run:
    """One computation on its way, for a mistake to change."""

    folder: Path
    model_type: str
    model: torch.nn.Module
    paths: list[Path]
    images: list[Image.Image]
    texts: list[str]
    tokenize: contrastive.Tokens
    prepare: contrastive.Pixels
    config: dict
    stack: contextlib.ExitStack
    tokens: dict = field(default_factory=dict)
    pixels: dict = field(default_factory=dict)
    finish: list[Callable[[dict], None]] = field(default_factory=list)

    def retokenize(self) -> None:
        self.tokens = self.tokenize(self.texts)

    def redraw(self) -> None:
        self.pixels = self.prepare(self.images)

    @property
    def v1(self) -> bool:
        return (self.folder / "spiece.model").exists()

    def towers(self):
        return self.model.text_model, self.model.vision_model

    def attentions(self):
        return [m for m in self.model.modules() if hasattr(m, "q_proj")]

    def cosines(self, out: dict) -> torch.Tensor:
        return out["image_embeds"] @ out["text_embeds"].T


Mistake = tuple[str, Callable[[Run], None]]
CLIP: list[Mistake] = []
SIGLIP: list[Mistake] = []  # fixed size and NaFlex
FIXED: list[Mistake] = []  # CLIP and SigLIP of fixed size
NAFLEX: list[Mistake] = []
V1: list[Mistake] = []
V2: list[Mistake] = []  # SigLIP 2, fixed and NaFlex
ALL: list[Mistake] = []


def mistake(name: str, *groups: list[Mistake]):
    def register(function: Callable[[Run], None]):
        for group in groups:
            group.append((name, function))
        return function

    return register


# --- the model ---


def _activation(kind: str):
    def change(run: Run) -> None:
        for module in run.model.modules():
            if hasattr(module, "activation_fn"):
                module.activation_fn = ACT2FN[kind]

    return change


for _kind in ("quick_gelu", "gelu", "gelu_pytorch_tanh", "relu"):
    ALL.append((f"activation {_kind}", _activation(_kind)))


def _epsilon(value: float):
    def change(run: Run) -> None:
        for module in run.model.modules():
            if isinstance(module, torch.nn.LayerNorm):
                module.eps = value

    return change


for _value in (1e-5, 1e-6, 1e-12):
    ALL.append((f"layer norm epsilon {_value:g}", _epsilon(_value)))


def _zero(*ends: str):
    def change(run: Run) -> None:
        with torch.no_grad():
            found = [p for name, p in run.model.named_parameters() if name.endswith(ends)]
            assert found, ends
            for parameter in found:
                parameter.zero_()

    return change


# A key's bias alone changes nothing: it adds the same to all scores of a query.
for _name in ("q_proj", "v_proj", "self_attn.out_proj", "fc1", "fc2", "layer_norm1"):
    ALL.append((f"no bias of {_name}", _zero(f"{_name}.bias")))
SIGLIP.append(("no bias of the patch embedding", _zero("patch_embedding.bias")))
SIGLIP.append(("no bias of the text head", _zero("text_model.head.bias")))
SIGLIP.append(("no bias in the pooling head's attention", _zero("head.attention.in_proj_bias")))
CLIP.append(("no class embedding", _zero("class_embedding")))
ALL.append(("no position embedding (text)", _zero("text_model.embeddings.position_embedding.weight")))
ALL.append(("no position embedding (vision)", _zero("vision_model.embeddings.position_embedding.weight")))


def _swap(a: str, b: str):
    def change(run: Run) -> None:
        for module in run.attentions():
            first, second = getattr(module, a), getattr(module, b)
            setattr(module, a, second)
            setattr(module, b, first)

    return change


for _a, _b in (("q_proj", "k_proj"), ("q_proj", "v_proj"), ("k_proj", "v_proj")):
    ALL.append((f"{_a} and {_b} swapped", _swap(_a, _b)))


@mistake("layer_norm1 and layer_norm2 swapped", ALL)
def _(run: Run) -> None:
    for module in run.model.modules():
        if hasattr(module, "layer_norm1"):
            module.layer_norm1, module.layer_norm2 = module.layer_norm2, module.layer_norm1


@mistake("attention not scaled", ALL)
def _(run: Run) -> None:
    for module in run.attentions():
        module.scale = 1.0


@mistake("attention scaled by the width, not the head's", ALL)
def _(run: Run) -> None:
    for module in run.attentions():
        module.scale = module.embed_dim**-0.5


@mistake("one head", ALL)
def _(run: Run) -> None:
    for module in run.attentions():
        module.num_heads, module.head_dim = 1, module.embed_dim


def _identity(*names: str):
    def change(run: Run) -> None:
        for tower in run.towers():
            for name in names:
                if hasattr(tower, name):
                    setattr(tower, name, torch.nn.Identity())

    return change


ALL.append(("no final_layer_norm (text)", _identity("final_layer_norm")))
ALL.append(("no post_layernorm (vision)", _identity("post_layernorm")))
CLIP.append(("no pre_layrnorm (vision)", _identity("pre_layrnorm")))


def _roll(tower: int):
    def change(run: Run) -> None:
        weight = run.towers()[tower].embeddings.position_embedding.weight
        with torch.no_grad():
            weight.copy_(weight.roll(1, 0))

    return change


ALL.append(("positions off by one (text)", _roll(0)))
ALL.append(("positions off by one (vision)", _roll(1)))


@mistake("position table of the picture transposed", ALL)
def _(run: Run) -> None:
    weight = run.model.vision_model.embeddings.position_embedding.weight
    with torch.no_grad():
        first = weight.shape[0] - math.isqrt(weight.shape[0]) ** 2
        n = math.isqrt(weight.shape[0])
        grid = weight[first:].reshape(n, n, -1).transpose(0, 1).reshape(n * n, -1)
        weight[first:] = grid.clone()


@mistake("no causal mask", CLIP)
def _(run: Run) -> None:
    run.stack.enter_context(
        mock.patch("transformers.models.clip.modeling_clip.create_causal_mask", lambda **_: None)
    )


@mistake("a causal mask on the text", SIGLIP)
def _(run: Run) -> None:
    n = 64
    causal = torch.full((1, 1, n, n), torch.finfo(torch.float32).min).triu(1)
    for layer in run.model.text_model.encoder.layers:
        layer.register_forward_pre_hook(lambda module, args: (args[0], causal, *args[2:]))


@mistake("padding of the text masked", SIGLIP)
def _(run: Run) -> None:
    ids = run.tokens["input_ids"]
    pad = 1 if run.v1 else 0
    mask = (ids != pad).long()
    mask[:, 0] = 1
    run.tokens["attention_mask"] = mask


def _pool(tower: int, choose: Callable):
    def change(run: Run) -> None:
        def hook(module, args, kwargs, out):
            out.pooler_output = choose(run, module, out.last_hidden_state)
            return out

        run.towers()[tower].register_forward_hook(hook, with_kwargs=True)

    return change


CLIP.append(("text pooled at the last position", _pool(0, lambda run, m, h: h[:, -1])))
CLIP.append(("text pooled at the first position", _pool(0, lambda run, m, h: h[:, 0])))
CLIP.append(("text pooled by the mean", _pool(0, lambda run, m, h: h.mean(1))))
CLIP.append(("picture pooled by the mean", _pool(1, lambda run, m, h: m.post_layernorm(h.mean(1)))))
CLIP.append(("picture pooled before post_layernorm", _pool(1, lambda run, m, h: h[:, 0])))
SIGLIP.append(("text pooled at the first position", _pool(0, lambda run, m, h: m.head(h[:, 0]))))
SIGLIP.append(("picture pooled by the mean", _pool(1, lambda run, m, h: h.mean(1))))


@mistake("text pooled at the end token", SIGLIP)
def _(run: Run) -> None:
    first = (run.tokens["input_ids"] == 1).int().argmax(-1)
    _pool(0, lambda run, m, h: m.head(h[torch.arange(len(h)), first]))(run)


@mistake("in_proj read as k, q, v", SIGLIP)
def _(run: Run) -> None:
    attention = run.model.vision_model.head.attention
    with torch.no_grad():
        for parameter in (attention.in_proj_weight, attention.in_proj_bias):
            q, k, v = parameter.chunk(3)
            parameter.copy_(torch.cat([k, q, v]))


@mistake("no residual in the pooling head", SIGLIP)
def _(run: Run) -> None:
    head = run.model.vision_model.head
    head.register_forward_hook(lambda module, args, out: out - module.attended[:, 0])
    head.attention.register_forward_hook(lambda module, args, out: setattr(head, "attended", out[0]))


# --- the last step ---


def _logits(compute: Callable[[Run, dict], torch.Tensor]):
    def change(run: Run) -> None:
        run.finish.append(lambda out: out.update(logits_per_image=compute(run, out)))

    return change


def _bias(run: Run) -> torch.Tensor:
    return getattr(run.model, "logit_bias", torch.tensor(0.0))


ALL.append(("logit_scale not raised to a power of e", _logits(lambda r, o: r.cosines(o) * r.model.logit_scale + _bias(r))))
ALL.append(("no logit_scale", _logits(lambda r, o: r.cosines(o) + _bias(r))))
CLIP.append(("the config's logit_scale", _logits(lambda r, o: r.cosines(o) * math.exp(2.6592))))
ALL.append(
    (
        "logits without normalising",
        _logits(lambda r, o: o["image_raw"] @ o["text_raw"].T * r.model.logit_scale.exp() + _bias(r)),
    )
)
SIGLIP.append(("no logit_bias", _logits(lambda r, o: r.cosines(o) * r.model.logit_scale.exp())))


@mistake("bias added before scaling", SIGLIP)
def _(run: Run) -> None:
    _logits(lambda r, o: (r.cosines(o) + _bias(r)) * r.model.logit_scale.exp())(run)


@mistake("softmax, not sigmoid", SIGLIP)
def _(run: Run) -> None:
    run.finish.append(lambda out: out.update(probabilities=out["logits_per_image"].softmax(-1)))


@mistake("softmax over the pictures", CLIP)
def _(run: Run) -> None:
    run.finish.append(lambda out: out.update(probabilities=out["logits_per_image"].softmax(0)))


# --- text ---


@mistake("text not lower-cased", CLIP, V1, V2)
def _(run: Run) -> None:
    tokenizer = run.tokenize.tokenizer
    if run.v1:
        tokenizer.do_lower_case = False
    elif run.model_type == "clip":
        tokenizer.backend_tokenizer.normalizer = normalizers.Sequence(
            [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " ")]
        )
    else:
        run.tokenize.tokenizer = PreTrainedTokenizerFast.from_pretrained(run.folder)
        run.tokenize.tokenizer.padding_side = "right"
    run.retokenize()


@mistake("lower-cased by word (final sigma)", CLIP, V2)
def _(run: Run) -> None:
    run.texts = [text.lower() for text in run.texts]
    run.retokenize()


@mistake("a cut text loses its end token", ALL)
def _(run: Run) -> None:
    ids = run.tokens["input_ids"]
    most = ids.shape[1]
    for i, text in enumerate(run.texts):
        whole = run.tokenize.tokenizer(text, truncation=False)["input_ids"]
        if len(whole) > most:
            ids[i] = torch.tensor(whole[:most])


@mistake("no start token", CLIP)
def _(run: Run) -> None:
    run.tokens = {key: value[:, 1:] for key, value in run.tokens.items()}


@mistake("punctuation kept", V1)
def _(run: Run) -> None:
    run.tokenize.tokenizer.remove_punctuation = lambda text: text
    run.retokenize()


@mistake("padded with another id", SIGLIP)
def _(run: Run) -> None:
    ids = run.tokens["input_ids"]
    pad = 1 if run.v1 else 0
    for row in ids:
        end = int((row == 1).int().argmax()) if (row == 1).any() else len(row)
        row[end + 1 :] = 1 - pad


@mistake("padded to the longest text only", SIGLIP)
def _(run: Run) -> None:
    run.texts = [text for text in run.texts]
    ids = [run.tokenize.tokenizer(t, truncation=True, max_length=64)["input_ids"] for t in run.texts]
    short = max(len(i) for i in ids if len(i) < 64)
    hidden = run.model.text_model

    def hook(module, args, kwargs):
        return args, {**kwargs, "input_ids": kwargs["input_ids"][:, :short]}

    hidden.register_forward_pre_hook(hook, with_kwargs=True)


@mistake("padded on the left", SIGLIP)
def _(run: Run) -> None:
    ids = run.tokens["input_ids"]
    pad = 1 if run.v1 else 0
    for i, row in enumerate(ids):
        end = int((row == 1).int().argmax()) if (row == 1).any() else len(row) - 1
        kept = row[: end + 1].clone()
        ids[i] = torch.cat([torch.full((len(row) - len(kept),), pad), kept])


# --- pictures ---


def _resample(code: int):
    def change(run: Run) -> None:
        run.prepare.processor.resample = code
        run.redraw()

    return change


for _filter in (Image.Resampling.NEAREST, Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS):
    ALL.append((f"resized by {_filter.name.lower()}", _resample(int(_filter))))


def _torch_resize(antialias: bool, whole: bool):
    def change(run: Run) -> None:
        processor = run.prepare.processor
        mode = {2: "bilinear", 3: "bicubic"}[int(processor.resample)]

        def resize(image, size, resample=None, **_):
            height, width = image.shape[-2:]
            if size.shortest_edge:
                short, long = sorted((height, width))
                edge = size.shortest_edge
                longer = int(edge * long / short)
                target = (edge, longer) if height <= width else (longer, edge)
            else:
                target = (size.height, size.width)
            x = torch.from_numpy(np.ascontiguousarray(image)).float()[None]
            x = torch.nn.functional.interpolate(x, target, mode=mode, align_corners=False, antialias=antialias)
            x = x.round().clamp(0, 255) if whole else x
            return x[0].numpy()

        run.stack.enter_context(mock.patch.object(type(processor), "resize", lambda self, image, size, **k: resize(image, size)))
        run.redraw()

    return change


ALL.append(("resized without antialias", _torch_resize(antialias=False, whole=True)))
ALL.append(("resized in floats, not in 8 bits", _torch_resize(antialias=True, whole=False)))


@mistake("blue and red swapped", ALL)
def _(run: Run) -> None:
    run.images = [Image.merge("RGB", image.split()[::-1]) for image in run.images]
    run.redraw()


@mistake("orientation of EXIF ignored", ALL)
def _(run: Run) -> None:
    run.images = [Image.open(path).convert("RGB") for path in run.paths]
    run.redraw()


@mistake("transparency laid on white", ALL)
def _(run: Run) -> None:
    def compose(path: Path) -> Image.Image:
        image = ImageOps.exif_transpose(Image.open(path)).convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")

    run.images = [compose(path) for path in run.paths]
    run.redraw()


@mistake("mean and std of the other family", ALL)
def _(run: Run) -> None:
    processor = run.prepare.processor
    if run.model_type == "clip":
        processor.image_mean = processor.image_std = [0.5, 0.5, 0.5]
    else:
        processor.image_mean = [0.48145466, 0.4578275, 0.40821073]
        processor.image_std = [0.26862954, 0.26130258, 0.27577711]
    run.redraw()


@mistake("divided by 256, not 255", ALL)
def _(run: Run) -> None:
    run.prepare.processor.rescale_factor = 1 / 256
    run.redraw()


def _side(run: Run) -> int:
    return run.config["vision_config"]["image_size"]


def _squashed_and_back(run: Run, images: list[Image.Image]) -> None:
    """Takes pictures that have the model's size already."""
    run.images = images
    run.redraw()


@mistake("squashed, not cropped", CLIP)
def _(run: Run) -> None:
    n = _side(run)
    _squashed_and_back(run, [image.resize((n, n), Image.BICUBIC) for image in run.images])


def _shortest(run: Run, longer: Callable[[float], int], offset: Callable[[int], int]) -> None:
    n = _side(run)
    out = []
    for image in run.images:
        w, h = image.size
        long = longer(n * max(w, h) / min(w, h))
        w, h = (n, long) if w <= h else (long, n)
        image = image.resize((w, h), Image.BICUBIC)
        left, top = offset(w - n), offset(h - n)
        out.append(image.crop((left, top, left + n, top + n)))
    _squashed_and_back(run, out)


@mistake("longer side rounded up", CLIP)
def _(run: Run) -> None:
    _shortest(run, math.ceil, lambda gap: gap // 2)


@mistake("crop offset rounded up", CLIP)
def _(run: Run) -> None:
    _shortest(run, int, lambda gap: (gap + 1) // 2)


@mistake("crop from the top left", CLIP)
def _(run: Run) -> None:
    _shortest(run, int, lambda gap: 0)


@mistake("cropped first, then resized", CLIP)
def _(run: Run) -> None:
    n = _side(run)
    _squashed_and_back(run, [ImageOps.fit(image, (n, n), Image.BICUBIC) for image in run.images])


# --- NaFlex ---


@mistake("padding patches not masked", NAFLEX)
def _(run: Run) -> None:
    run.pixels["pixel_attention_mask"] = torch.ones_like(run.pixels["pixel_attention_mask"])


@mistake("padding patches not masked in the pooling head", NAFLEX)
def _(run: Run) -> None:
    run.model.vision_model.head.register_forward_pre_hook(lambda module, args: (args[0], None))


@mistake("padding patches not masked in the tower", NAFLEX)
def _(run: Run) -> None:
    for layer in run.model.vision_model.encoder.layers:
        layer.register_forward_pre_hook(
            lambda module, args, kwargs: ((args[0], None), {k: v for k, v in kwargs.items() if k != "attention_mask"}),
            with_kwargs=True,
        )


def _positions(**changes):
    def change(run: Run) -> None:
        original = torch.nn.functional.interpolate

        def interpolate(x, size, **options):
            options.update(changes)
            if options["mode"] == "nearest":
                options = {"mode": "nearest"}
            return original(x, size=size, **options)

        run.stack.enter_context(mock.patch.object(modeling_siglip2.F, "interpolate", interpolate))

    return change


NAFLEX.append(("position table resized without antialias", _positions(antialias=False)))
NAFLEX.append(("position table resized with align_corners", _positions(align_corners=True)))
NAFLEX.append(("position table resized bicubic", _positions(mode="bicubic")))
NAFLEX.append(("position table resized to the nearest", _positions(mode="nearest")))


@mistake("patches channel by channel", NAFLEX)
def _(run: Run) -> None:
    x = run.pixels["pixel_values"]
    p = run.prepare.patch
    run.pixels["pixel_values"] = x.reshape(*x.shape[:2], p * p, 3).transpose(2, 3).reshape(x.shape)


@mistake("patches column by column", NAFLEX)
def _(run: Run) -> None:
    x = run.pixels["pixel_values"]
    p = run.prepare.patch
    run.pixels["pixel_values"] = x.reshape(*x.shape[:2], p, p, 3).transpose(2, 3).reshape(x.shape)


@mistake("sizes rounded down to the patch", NAFLEX)
def _(run: Run) -> None:
    right = image_processing_pil_siglip2.get_image_size_for_max_num_patches

    def wrong(*args, **kwargs):
        with mock.patch("math.ceil", math.floor):
            return right(*args, **kwargs)

    run.stack.enter_context(
        mock.patch.object(image_processing_pil_siglip2, "get_image_size_for_max_num_patches", wrong)
    )
    run.redraw()


@mistake("height and width of the patch grid swapped", NAFLEX)
def _(run: Run) -> None:
    run.pixels["spatial_shapes"] = run.pixels["spatial_shapes"].flip(1)


def _applicable(run: Run) -> list[Mistake]:
    if run.model_type == "clip":
        groups = [ALL, CLIP]
    elif run.model_type == "siglip2":
        groups = [ALL, SIGLIP, V2, NAFLEX]
    else:
        groups = [ALL, SIGLIP, V1 if run.v1 else V2]
    right = {
        f"activation {run.model.config.text_config.hidden_act}",
        f"layer norm epsilon {run.model.config.text_config.layer_norm_eps:g}",
        f"resized by {Image.Resampling(run.prepare.processor.resample).name.lower()}",
    }
    return [m for group in groups for m in group if m[0] not in right]


def check(folder: Path, pictures: list[Path], texts: list[str]) -> list[tuple[str, dict[str, float]]]:
    """Makes every mistake that applies to ``folder``; returns how far each output moved, in tolerances.

    Raises if the right computation differs from the golden, or a mistake stays within the tolerances.
    """
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    model_type = config["model_type"]
    golden = load_file(folder / "golden.safetensors")
    model = contrastive.load_model(folder, model_type)
    images = [support.open_rgb(p) for p in pictures]

    def moved(change: Callable[[Run], None]) -> dict[str, float]:
        with contextlib.ExitStack() as stack:
            run = Run(
                folder,
                model_type,
                copy.deepcopy(model),
                pictures,
                list(images),
                list(texts),
                contrastive.Tokens(folder, model_type),
                contrastive.Pixels(folder, model_type),
                config,
                stack,
            )
            run.retokenize()
            run.redraw()
            change(run)
            out = contrastive.outputs(run.model, model_type, run.tokens, run.pixels)
            with torch.inference_mode():
                for step in run.finish:
                    step(out)
        return {name: float((out[name] - golden[name]).abs().max()) / tolerance for name, tolerance in TOLERANCES.items()}

    blank = Run(
        folder, model_type, model, pictures, images, texts,
        contrastive.Tokens(folder, model_type), contrastive.Pixels(folder, model_type), config, contextlib.ExitStack(),
    )  # fmt: skip
    nothing = moved(lambda run: None)
    if max(nothing.values()) > 0.1:
        raise AssertionError(f"{folder.name}: the right computation is off: {nothing}")
    rows = [("(none)", nothing)]
    for name, change in _applicable(blank):
        far = moved(change)
        rows.append((name, far))
    weak = [name for name, far in rows[1:] if not max(far.values()) > 2]
    print(f"{folder.name}: {len(rows) - 1} mistakes, {len(weak)} not caught{': ' if weak else ''}{', '.join(weak)}")
    if weak:
        for name, far in rows:
            if name in weak:
                print("  ", name, far)
        raise AssertionError(f"{folder.name} does not catch: {weak}")
    return rows


def write_table(path: Path, title: str, tables: dict[str, list[tuple[str, dict[str, float]]]]) -> None:
    """Writes what :func:`check` found for several checkpoints as a page."""
    lines = [
        f"# {title}",
        "",
        "Each mistake is made alone in an otherwise right computation. The figures say how many tolerances of the",
        "Java tests the worst element of each output moves; anything over 1 fails a test. Written by the script's",
        "`--check-mistakes`, which fails if a mistake moves nothing by more than 2. Tolerances: "
        + ", ".join(f"{name} {value:g}" for name, value in TOLERANCES.items())
        + ".",
    ]

    def shown(value: float) -> str:
        return "nan" if math.isnan(value) else f"{value:.2f}" if value < 10 else f"{value:,.0f}"

    for name, rows in tables.items():
        lines += ["", f"## {name}", "", "| mistake | " + " | ".join(TOLERANCES) + " |", "|---|" + "---:|" * len(TOLERANCES)]
        lines += [f"| {mistake} | " + " | ".join(shown(far[k]) for k in TOLERANCES) + " |" for mistake, far in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
