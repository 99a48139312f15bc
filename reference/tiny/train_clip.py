"""Trains tiny-clip or tiny-siglip2 from scratch, on one CPU core.

    python train_clip.py --model clip --out ../../lmm-tiny/models/tiny-clip --work ../work

One command a model; interrupt it at will: started again it goes on from its last saved state, and every
step's batch depends on the seed and the step's number alone.

The loss, for batches made of families of scenes that differ in one thing (hard negatives):

* contrastive: CLIP's softmax over pictures and over captions, where captions that are
  true of a picture without being its own are left out; for SigLIP 2 its sigmoid loss, where they count
  as positives, plus the same softmax;
* training-only linear heads read count, colours, shapes, place and background off the picture's and the
  caption's embedding (the same heads for both, which ties the two spaces together), and colour and
  shape off each patch. The first steps train these alone, on pictures. They fade out towards the end and are not saved in the checkpoint.

The weights that are saved are an exponential moving average.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import argparse
import math
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import data
import models
import world

CLASSES = [5, 8, 6, 8, 8, 8, 6]  # of each attribute, in the order of world.ATTRIBUTES


class Heads(nn.Module):
    """Training only: attributes from an embedding, colour and shape from a patch."""

    def __init__(self, width: int, patch_width: int):
        super().__init__()
        self.pooled = nn.ModuleList(nn.Linear(width, n) for n in CLASSES)
        self.patch = nn.Linear(patch_width, 9 + 7)

    def pooled_loss(self, embedding, attributes, named):
        loss = 0
        for i, head in enumerate(self.pooled):
            target = attributes[:, i].masked_fill(~named[:, i], -1)
            if (target >= 0).any():
                loss = loss + F.cross_entropy(head(embedding), target, ignore_index=-1)
        return loss / len(CLASSES)

    def patch_loss(self, patches, colour, shape):
        out = self.patch(patches)
        return F.cross_entropy(out[..., :9].flatten(0, 1), colour.flatten()) + F.cross_entropy(
            out[..., 9:].flatten(0, 1), shape.flatten()
        )


class Pool:
    """Random batches of families from the drawn pool."""

    def __init__(self, folder: Path, kind):
        self.kind = kind
        self.pictures = np.load(folder / f"{kind.name}-pictures.npy", mmap_mode="r")
        self.cells = np.load(folder / f"{kind.name}-cells.npy", mmap_mode="r")
        self.attributes = np.load(folder / "attributes.npy").astype(np.int64)
        captions = np.load(data.build_captions(folder, kind.name, kind.tokenize, kind.tokens))
        self.ids, self.named = captions["ids"], captions["named"]
        self.families = len(self.attributes) // data.FAMILY

    def batch(self, seed: int, step: int, size: int) -> dict[str, torch.Tensor]:
        rng = np.random.default_rng([seed, step])
        families = rng.choice(self.families, size // data.FAMILY, replace=False)
        at = (families[:, None] * data.FAMILY + np.arange(data.FAMILY)).ravel()
        attributes = self.attributes[at]
        if self.kind.both_languages:
            of = np.tile(np.arange(size), 2)  # whose caption each is
            language = np.repeat([0, 1], size)
        else:
            of = np.arange(size)
            language = np.repeat(rng.integers(0, 2, len(families)), data.FAMILY)
        which = rng.integers(0, data.CAPTIONS, len(of))
        ids = self.ids[at[of], language, which]
        named = self.named[at[of], language, which]
        if self.kind.name == "clip":  # cut the common padding
            ids = ids[:, : int((ids != self.ids.max()).sum(1).max()) + 1]
        truth = world.matches(attributes[of], named, attributes)

        pixels = models.normalise(self.kind, self.pictures[at])
        gain = torch.from_numpy(rng.uniform(0.9, 1.1, (size, 3, 1, 1)).astype(np.float32))
        shift = torch.from_numpy(rng.uniform(-0.12, 0.12, (size, 3, 1, 1)).astype(np.float32))
        owner = self.cells[at].reshape(size, -1)
        second = (owner == 1) & (attributes[:, :1] == world.PAIR)
        colour = np.where(second, attributes[:, 5:6], attributes[:, 1:2])
        shape = np.where(second, attributes[:, 6:7], attributes[:, 2:3])
        # In a pair whose arrangement is not named, which shape is the first is not said either.
        loose = (attributes[of, 0] == world.PAIR) & ~named[:, 3]
        said = named.copy()
        said[loose[:, None] & np.isin(np.arange(7), [1, 2, 5, 6])] = False
        return {
            "pixels": pixels * gain + shift,
            "ids": torch.from_numpy(ids.astype(np.int64)),
            "truth": torch.from_numpy(truth),
            "attributes": torch.from_numpy(attributes),
            "text_attributes": torch.from_numpy(attributes[of]),
            "named": torch.from_numpy(said),
            "patch_colour": torch.from_numpy(np.where(owner >= 0, colour, 8).astype(np.int64)),
            "patch_shape": torch.from_numpy(np.where(owner >= 0, shape, 6).astype(np.int64)),
        }


def softmax_loss(logits: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Symmetric, logits (captions, pictures); a caption's own picture is on the diagonal."""
    own = torch.eye(len(logits), dtype=torch.bool)
    logits = logits.masked_fill((truth != 0) & ~own, -1e4)
    target = torch.arange(len(logits))
    return (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2


def losses(kind, model, heads, b: dict[str, torch.Tensor], sight_only: bool):
    """The contrastive loss and that of the training-only heads."""
    image, patches = kind.images(model, b["pixels"])
    everything = b["attributes"] >= 0
    seen = heads.pooled_loss(image, b["attributes"], everything)
    seen = seen + 0.5 * heads.patch_loss(patches, b["patch_colour"], b["patch_shape"])
    if sight_only:
        return torch.zeros(()), seen
    text = kind.texts(model, b["ids"])
    cosine = F.normalize(text, dim=-1) @ F.normalize(image, dim=-1).T
    scale = model.logit_scale.exp()
    n = len(image)
    truth = b["truth"]
    starts = range(0, len(text), n)
    contrastive = sum(softmax_loss(scale * cosine[j : j + n], truth[j : j + n]) for j in starts) / len(starts)
    if kind.name == "siglip2":
        logits = scale * cosine + model.logit_bias
        sign = torch.where(truth > 0, 1.0, -1.0)
        each = -F.logsigmoid(sign * logits) * (truth >= 0)
        contrastive = contrastive + each.sum() / len(text)
    return contrastive, seen + heads.pooled_loss(text, b["text_attributes"], b["named"])


@torch.no_grad()
def validate(kind, model, scenes) -> dict[str, float]:
    """Top-1 among 40 captions, on other seeds than the final evaluation's."""
    model.eval()
    image = F.normalize(kind.images(model, models.normalise(kind, scenes["pictures"]))[0], dim=-1)
    figures = {}
    for language in ("en", "ko"):
        hits = []
        for i, ids in enumerate(scenes[language]):
            text = F.normalize(kind.texts(model, torch.from_numpy(ids.astype(np.int64))), dim=-1)
            hits.append(int((text @ image[i]).argmax()) == scenes["right"][i])
        unseen = np.array(scenes["unseen"])
        hits = np.array(hits)
        figures[language] = hits.mean()
        figures[language + "_unseen"] = hits[unseen].mean()
    model.train()
    return figures


def validation_scenes(kind, count: int) -> dict:
    view = data.VIEWS[kind.name][0]
    out = {"pictures": [], "right": [], "en": [], "ko": [], "unseen": []}
    for scene, image, right, en, ko in data.heldout("validation", count):
        out["pictures"].append(np.asarray(view(image)))
        out["right"].append(right)
        out["unseen"].append(scene.unseen)
        out["en"].append(kind.tokenize(en))
        out["ko"].append(kind.tokenize(ko))
    out["pictures"] = np.stack(out["pictures"])
    return out


def schedule(step: int, steps: int, warm: int, end: float = 0.01) -> float:
    if step < warm:
        return (step + 1) / warm
    return end + (1 - end) * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", choices=models.KINDS, required=True)
    parser.add_argument("--out", type=Path, required=True, help="checkpoint folder")
    parser.add_argument("--work", type=Path, required=True, help="pool and saved states")
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--sight", type=int, default=1000, help="first steps, with pictures alone")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--families", type=int, default=6000, help="of eight scenes each, in the pool")
    parser.add_argument("--peak", type=float, default=1.5e-3, help="learning rate")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--save-every", type=int, default=250)
    parser.add_argument("--validate-every", type=int, default=500)
    a = parser.parse_args()

    torch.set_num_threads(1)
    torch.manual_seed(a.seed)
    a.work.mkdir(parents=True, exist_ok=True)
    kind = models.KINDS[a.model](a.out)
    pool = Pool(data.build_pool(a.work, a.families), kind)
    scenes = validation_scenes(kind, 100)
    model = kind.create()
    models.start(kind, model)
    model.train()
    patch_width = kind.config()["vision_config"]["hidden_size"]
    heads = Heads(kind.width, patch_width)
    everything = nn.ModuleDict({"model": model, "heads": heads})
    matrices = [p for p in everything.parameters() if p.ndim >= 2]
    others = [p for p in everything.parameters() if p.ndim < 2]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": 0.05}, {"params": others, "weight_decay": 0.0}],
        lr=a.peak,
        betas=(0.9, 0.98),
        fused=True,
    )
    parameters = matrices + others
    average = {k: v.clone() for k, v in model.state_dict().items()}
    state_file = a.work / f"{a.model}-{a.steps}x{a.batch}-{a.seed}.pt"
    step, cpu = 0, 0.0
    if state_file.exists():
        state = torch.load(state_file, weights_only=True)
        everything.load_state_dict(state["everything"])
        optimizer.load_state_dict(state["optimizer"])
        average, step, cpu = state["average"], state["step"], state["cpu"]
        print(f"goes on at step {step}", flush=True)

    def averaged():
        copy = kind.create()
        copy.load_state_dict(average)
        return copy

    def keep():
        torch.save(
            {
                "everything": everything.state_dict(),
                "optimizer": optimizer.state_dict(),
                "average": average,
                "step": step,
                "cpu": cpu + time.process_time() - started,
            },
            state_file.with_suffix(".tmp"),
        )
        os.replace(state_file.with_suffix(".tmp"), state_file)
        models.save(kind, model, average, a.out)

    started, clock, recent = time.process_time(), time.time(), []
    first = step
    while step < a.steps:
        rate = a.peak * schedule(step, a.steps, warm=200)
        for group in optimizer.param_groups:
            group["lr"] = rate
        contrastive, auxiliary = losses(
            kind, model, heads, pool.batch(a.seed, step, a.batch), sight_only=step < a.sight
        )
        done = step / a.steps
        weight = 1.0 if done < 0.6 else 1.0 - 0.9 * (done - 0.6) / 0.4
        optimizer.zero_grad(set_to_none=True)
        (contrastive + weight * auxiliary).backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        with torch.no_grad():
            model.logit_scale.clamp_(max=math.log(100))
            decay = min(0.998, (1 + step) / (10 + step))
            now = model.state_dict()
            torch._foreach_lerp_(list(average.values()), [now[k] for k in average], 1 - decay)
        step += 1
        recent.append((contrastive.item(), auxiliary.item()))
        if step % 50 == 0:
            c, x = np.mean(recent, 0)
            recent.clear()
            speed = (time.time() - clock) / (step - first)
            print(f"step {step} contrastive {c:.3f} heads {x:.3f} scale {model.logit_scale.exp().item():.1f} {speed:.3f} s/step", flush=True)
        if step % a.save_every == 0 or step == a.steps:
            keep()
        if (step % a.validate_every == 0 and step > a.sight) or step == a.steps:
            figures = validate(kind, averaged(), scenes)
            print(f"step {step} validation " + " ".join(f"{k} {v:.3f}" for k, v in figures.items()), flush=True)
    minutes = (cpu + time.process_time() - started) / 60
    print(f"{a.model}: {sum(p.numel() for p in model.parameters())} parameters, {step} steps, {minutes:.1f} CPU minutes")


if __name__ == "__main__":
    main()
