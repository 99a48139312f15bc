"""Trains tiny-clip or tiny-siglip2 from scratch, on one CPU core.

    python train_clip.py --model clip --out ../../lmm-tiny/models/tiny-clip --work ../work

The vision tower is first trained on pictures alone, once for both models (kept in the work folder), then
the text tower on captions alone, then both together. One command a model; interrupt it at will: started again it goes on from its last saved
state, and every step's batch depends on the seed and the step's number alone.

The loss, for batches made of families of scenes that differ in one thing (hard negatives):

* contrastive: CLIP's softmax over pictures and over captions, where captions that are true of a picture
  without being its own are left out; for SigLIP 2 its sigmoid loss, where they count as positives, plus
  the same softmax;
* training-only linear heads read count, colours, shapes, place and background off the picture's and the
  caption's embedding (the same heads for both, which ties the two spaces together), and off each patch
  the outline of what is drawn there, its colour, shape, middle and extent. They fade out towards the
  end and are no part of the checkpoint.

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
from transformers import SiglipConfig, SiglipModel

import data
import models
import world

CLASSES = [5, 8, 6, 8, 8, 8, 6]  # of each attribute, in the order of world.ATTRIBUTES


class Heads(nn.Module):
    """Training only: attributes from an embedding, and from patches what is drawn there.

    After two layers a patch tells which of its pixels are drawn on, after three the colour, the shape and
    the middle and extent of the shape that covers it.
    """

    def __init__(self, width: int, patch_width: int, patch: int = models.PATCH):
        super().__init__()
        self.pooled = nn.ModuleList(nn.Linear(width, n) for n in CLASSES)
        self.outline = nn.Sequential(nn.LayerNorm(patch_width), nn.Linear(patch_width, patch**2))
        self.patch = nn.Sequential(nn.LayerNorm(patch_width), nn.Linear(patch_width, 9 + 7 + 3))

    def pooled_loss(self, embedding, attributes, named):
        loss = 0
        for i, head in enumerate(self.pooled):
            target = attributes[:, i].masked_fill(~named[:, i], -1)
            if (target >= 0).any():
                loss = loss + F.cross_entropy(head(embedding), target, ignore_index=-1)
        return loss / len(CLASSES)

    def outline_loss(self, patches, mask):
        return 10 * F.binary_cross_entropy_with_logits(self.outline(patches), mask)

    def patch_loss(self, patches, b):
        out = self.patch(patches).flatten(0, 1)
        colour, shape = b["patch_colour"].flatten(), b["patch_shape"].flatten()
        place, drawn = b["patch_place"].flatten(0, 1), b["drawn"].flatten()
        return (
            F.cross_entropy(out[:, :9], colour, ignore_index=-1)
            + F.cross_entropy(out[drawn, 9:16], shape[drawn])
            + 4 * F.l1_loss(out[drawn, 16:], place[drawn])
        )


def centres(owner: np.ndarray) -> np.ndarray:
    """For each patch the middle and the extent of the shape that covers it, in pictures' sides."""
    n, cells = owner.shape
    side = math.isqrt(cells)
    row, column = np.divmod(np.arange(cells), side)
    out = np.zeros((n, cells, 3), np.float32)
    for i in range(3):
        mine = owner == i
        area = np.maximum(mine.sum(1, keepdims=True), 1)
        x = (mine * column).sum(1, keepdims=True) / area / side
        y = (mine * row).sum(1, keepdims=True) / area / side
        out += mine[..., None] * np.stack([x, y, np.sqrt(area) / side], -1)
    return out


PALETTE = np.array(list(world.COLOURS.values()), np.float32)


def outlines(pictures: np.ndarray, attributes: np.ndarray) -> np.ndarray:
    """Which pixels are nearer to a shape's colour than to the background's, by patch: (N, patches, pixels)."""
    x = pictures.astype(np.float32)
    distance = lambda c: ((x - PALETTE[c][:, None, None]) ** 2).sum(-1)
    ground = distance(attributes[:, 4])
    drawn = distance(attributes[:, 1]) < ground
    drawn |= (distance(attributes[:, 5]) < ground) & (attributes[:, 5] >= 0)[:, None, None]
    n, side = len(x), data.CELLS
    k = x.shape[1] // side
    return drawn.reshape(n, side, k, side, k).transpose(0, 1, 3, 2, 4).reshape(n, side * side, k * k)


UNSEEN = np.zeros((8, 6), bool)
UNSEEN[tuple(np.array(sorted(world.UNSEEN_PAIRS)).T)] = True


def recoloured(rng, pixels: torch.Tensor, attributes: np.ndarray, share: float) -> torch.Tensor:
    """Pictures in strange colours (channels mixed at random), or nearly grey ones.

    ``share`` of them get strange colours; grey it is for the others, and wherever the mixture would draw a shape near a colour (within
    76 levels) that training must not show it in, or too near the background's. Pixels are -1 to 1.
    """
    n = len(pixels)
    mix = rng.normal(size=(n, 3, 3)).astype(np.float32)
    mix = 1.1 * mix / np.abs(mix).sum(2, keepdims=True)
    palette = (PALETTE / 127.5 - 1) @ mix.transpose(0, 2, 1)  # (n, 8, 3)
    near = ((palette[:, :, None] - (PALETTE / 127.5 - 1)) ** 2).sum(-1) < 0.6**2  # (n, 8, 8)
    rows = np.arange(n)
    bad = (near[rows, attributes[:, 1]] & UNSEEN[:, attributes[:, 2]].T).any(-1)
    bad |= (attributes[:, 5] >= 0) & (near[rows, attributes[:, 5]] & UNSEEN[:, attributes[:, 6]].T).any(-1)
    ground = palette[rows, attributes[:, 4]]
    for i in (1, 5):
        bad |= (attributes[:, i] >= 0) & (np.abs(palette[rows, attributes[:, i]] - ground).sum(-1) < 0.4)
    bad |= rng.random(n) >= share
    grey = (0.3 * np.eye(3) + 0.7 / 3).astype(np.float32) * rng.uniform(0.8, 1, (n, 1, 1)).astype(np.float32)
    mix = torch.from_numpy(np.where(bad[:, None, None], grey, mix))
    return torch.einsum("nij,njhw->nihw", mix, pixels)


class Pictures:
    """Random batches of families from the drawn pool, as a model's processor sees them."""

    def __init__(self, folder: Path, name: str, mean_and_std):
        self.mean_and_std = mean_and_std
        self.pictures = np.load(folder / f"{name}-pictures.npy", mmap_mode="r")
        self.cells = np.load(folder / f"{name}-cells.npy", mmap_mode="r")
        self.attributes = np.load(folder / "attributes.npy").astype(np.int64)
        self.families = len(self.attributes) // data.FAMILY

    def draw(self, rng, size: int):
        families = rng.choice(self.families, size // data.FAMILY, replace=False)
        return (families[:, None] * data.FAMILY + np.arange(data.FAMILY)).ravel()

    def batch(self, rng, at: np.ndarray, faded: float = 0.0, strange: float = 0.0) -> dict[str, torch.Tensor]:
        """``faded`` is the share of pictures that lose their colours: there only the shapes are asked for.

        ``strange`` is the share of those that get other colours instead of greyish ones.
        """
        size, attributes = len(at), self.attributes[at]
        pixels = models.normalise(self.mean_and_std, self.pictures[at])
        gain = torch.from_numpy(rng.uniform(0.9, 1.1, (size, 3, 1, 1)).astype(np.float32))
        shift = torch.from_numpy(rng.uniform(-0.12, 0.12, (size, 3, 1, 1)).astype(np.float32))
        owner = self.cells[at].reshape(size, -1)
        second = (owner == 1) & (attributes[:, :1] == world.PAIR)
        colour = np.where(second, attributes[:, 5:6], attributes[:, 1:2])
        shape = np.where(second, attributes[:, 6:7], attributes[:, 2:3])
        fade = torch.from_numpy(rng.random(size) < faded)
        if faded:
            pixels = torch.where(fade[:, None, None, None], recoloured(rng, pixels, attributes, strange), pixels)
        told = torch.from_numpy(attributes >= 0)
        told[:, [1, 4, 5]] &= ~fade[:, None]
        patch_colour = torch.from_numpy(np.where(owner >= 0, colour, 8).astype(np.int64))
        return {
            "pixels": pixels * gain + shift,
            "told": told,
            "drawn": patch_colour < 8,
            "outlines": torch.from_numpy(outlines(self.pictures[at], attributes).astype(np.float32)),
            "attributes": torch.from_numpy(attributes),
            "patch_colour": patch_colour.masked_fill(fade[:, None] & (patch_colour < 8), -1),
            "patch_place": torch.from_numpy(centres(owner)),
            "patch_shape": torch.from_numpy(np.where(owner >= 0, shape, 6).astype(np.int64)),
        }


class Pool(Pictures):
    """Pictures with their captions."""

    def __init__(self, folder: Path, kind):
        super().__init__(folder, kind.name, kind)
        self.kind = kind
        captions = np.load(data.build_captions(folder, kind.name, kind.tokenize, kind.tokens))
        self.ids, self.named = captions["ids"], captions["named"]
        self.largest = self.ids.max()
        self.pairs = np.flatnonzero(self.attributes[:, 0] == world.PAIR)

    def cut(self, ids: np.ndarray, whole: bool) -> np.ndarray:
        """Without the common padding.

        For CLIP that changes nothing. SigLIP's padding is seen by its text tower and thins out its
        attention at the start, so that word order is learned late; it learns on cut captions first, the
        last one of the 64 positions kept, and with all of the padding (``whole``) at the end.
        """
        if self.kind.name == "clip":
            return ids[:, : int((ids != self.largest).sum(1).max()) + 1]
        return ids if whole else np.concatenate([ids[:, : int((ids != 0).sum(1).max())], ids[:, -1:]], 1)

    @staticmethod
    def said(attributes: np.ndarray, named: np.ndarray) -> np.ndarray:
        """What a caption tells. Without its arrangement, a pair has no first and no second shape."""
        said = named.copy()
        loose = (attributes[:, 0] == world.PAIR) & ~named[:, 3]
        said[loose[:, None] & np.isin(np.arange(7), [1, 2, 5, 6])] = False
        return said

    def words(self, rng, size: int, whole: bool):
        pair = rng.random(size) < 0.65
        at = np.where(pair, rng.choice(self.pairs, size), rng.integers(0, len(self.attributes), size))
        language, which = rng.integers(0, 2, size), rng.integers(0, data.CAPTIONS, size)
        ids = self.cut(self.ids[at, language, which], whole)
        attributes = self.attributes[at]
        said = self.said(attributes, self.named[at, language, which])
        return torch.from_numpy(ids.astype(np.int64)), torch.from_numpy(attributes), torch.from_numpy(said)

    def step(self, seed: int, step: int, size: int, whole: bool) -> dict[str, torch.Tensor]:
        rng = np.random.default_rng([seed, step])
        at = self.draw(rng, size)
        attributes = self.attributes[at]
        families = at[:: data.FAMILY]
        if self.kind.both_languages:
            of = np.tile(np.arange(size), 2)  # whose caption each is
            language = np.repeat([0, 1], size)
        else:
            of = np.arange(size)
            language = np.repeat(rng.integers(0, 2, len(families)), data.FAMILY)
        which = rng.integers(0, data.CAPTIONS, len(of))
        ids = self.ids[at[of], language, which]
        named = self.named[at[of], language, which]
        ids = self.cut(ids, whole)
        truth = world.matches(attributes[of], named, attributes)

        said = self.said(attributes[of], named)
        return {
            **self.batch(rng, at),
            "ids": torch.from_numpy(ids.astype(np.int64)),
            "truth": torch.from_numpy(truth),
            "text_attributes": torch.from_numpy(attributes[of]),
            "named": torch.from_numpy(said),
        }


def softmax_loss(logits: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Symmetric, logits (captions, pictures); a caption's own picture is on the diagonal."""
    own = torch.eye(len(logits), dtype=torch.bool)
    logits = logits.masked_fill((truth != 0) & ~own, -1e4)
    target = torch.arange(len(logits))
    return (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2


def sight_loss(heads, image, patches, b) -> torch.Tensor:
    pooled = heads.pooled_loss(image, b["attributes"], b["told"])
    early, late = patches
    dense = heads.patch_loss(late, b)
    return pooled + 0.5 * dense + 0.5 * heads.outline_loss(early, b["outlines"])


def losses(kind, model, heads, b: dict[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """The contrastive loss and that of the training-only heads."""
    image, patches = kind.images(model, b["pixels"])
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
    seen = sight_loss(heads, image, patches, b)
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


def new_optimizer(module: nn.Module, peak: float):
    matrices = [p for p in module.parameters() if p.ndim >= 2]
    others = [p for p in module.parameters() if p.ndim < 2]
    groups = [{"params": matrices, "weight_decay": 0.05}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=peak, betas=(0.9, 0.98), fused=True)


def update(optimizer, module: nn.Module, loss: torch.Tensor, rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(module.parameters(), 1.0)
    optimizer.step()


class State:
    """Modules, optimizer, step and CPU time in one file that is replaced atomically."""

    def __init__(self, file: Path, module: nn.Module, optimizer):
        self.file, self.module, self.optimizer = file, module, optimizer
        self.step, self.extra, self.cpu = 0, {}, 0.0
        if file.exists():
            saved = torch.load(file, weights_only=True)
            module.load_state_dict(saved["module"])
            optimizer.load_state_dict(saved["optimizer"])
            self.step, self.extra, self.cpu = saved["step"], saved["extra"], saved["cpu"]
            print(f"{file.name}: goes on at step {self.step}", flush=True)
        self.begun = time.process_time()

    def minutes(self) -> float:
        return (self.cpu + time.process_time() - self.begun) / 60

    def save(self, step: int, extra: dict) -> None:
        content = {"module": self.module.state_dict(), "optimizer": self.optimizer.state_dict()}
        content |= {"step": step, "extra": extra, "cpu": 60 * self.minutes()}
        torch.save(content, self.file.with_suffix(".tmp"))
        os.replace(self.file.with_suffix(".tmp"), self.file)


def train_sight(work: Path, pool: Path, a) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """The vision tower on pictures alone, once for both models: the heads' losses, both processors' views.

    In the last ``a.faded`` steps half of the pictures are nearly grey or, later, in strange colours, so
    that a shape is known whatever its colour. Returns the weights of the tower and those of the heads.
    """
    torch.manual_seed(a.seed)
    model = SiglipModel(SiglipConfig(**models.TinySiglip2.settings(8)))
    models.start_tower(model)
    model.train()
    module = nn.ModuleDict({"tower": model.vision_model, "heads": Heads(96, 96)})
    optimizer = new_optimizer(module, a.peak)
    state = State(work / f"sight-{a.sight}x{a.sight_batch}-{a.seed}.pt", module, optimizer)
    views = [Pictures(pool, name, models.TinySiglip2) for name in data.VIEWS]
    recent, clock = [], time.time()
    for step in range(state.step, a.sight + a.faded):
        rng = np.random.default_rng([a.seed, 1, step])
        view = views[step % 2]
        faded = 0.5 if step >= a.sight else 0.0
        strange = 0.7 if step >= a.sight + a.faded // 3 else 0.0
        b = view.batch(rng, view.draw(rng, a.sight_batch), faded, strange)
        loss = sight_loss(module["heads"], *models.TinySiglip2.images(model, b["pixels"]), b)
        if step < a.sight:
            rate = a.peak * schedule(step, a.sight, warm=200, end=0.2)
        else:
            rate = 0.5 * a.peak * schedule(step - a.sight, a.faded, warm=50, end=0.2)
        update(optimizer, module, loss, rate)
        recent.append(loss.item())
        done = step + 1
        if done % 100 == 0:
            print(f"sight {done} loss {np.mean(recent):.3f} {(time.time() - clock) / len(recent):.3f} s/step", flush=True)
            recent, clock = [], time.time()
        if done % a.save_every == 0 or done == a.sight + a.faded:
            state.save(done, {})
    print(f"sight: {state.minutes():.1f} CPU minutes", flush=True)
    return module["tower"].state_dict(), module["heads"].state_dict()


def train_words(kind, model, heads, pool: Pool, a) -> float:
    """The text tower on captions alone: the heads read the named attributes off the embedding.

    Most of the captions are of two shapes, where word order decides which is where. Where the heads come
    from the vision tower they stay as they are, and the captions go to the pictures' space. Returns the
    CPU minutes.
    """
    torch.manual_seed(a.seed)
    parts = {"text": model.text_model, "heads": heads.pooled}
    if kind.name == "clip":
        parts["projection"] = model.text_projection
    module = nn.ModuleDict(parts)
    fixed = kind.width == models.TinySiglip2.width
    heads.pooled.requires_grad_(not fixed)
    optimizer = new_optimizer(module, a.peak)
    state = State(a.work / f"{a.model}-words-{kind.words}x{kind.words_batch}-{a.seed}.pt", module, optimizer)
    recent, clock = [], time.time()
    for step in range(state.step, kind.words):
        rng = np.random.default_rng([a.seed, 2, step])
        ids, attributes, said = pool.words(rng, kind.words_batch, whole=step >= 0.9 * kind.words)
        loss = heads.pooled_loss(kind.texts(model, ids), attributes, said)
        update(optimizer, module, loss, a.peak * schedule(step, kind.words, warm=100, end=0.2))
        recent.append(loss.item())
        done = step + 1
        if done % 100 == 0:
            print(f"words {done} loss {np.mean(recent):.3f} {(time.time() - clock) / len(recent):.3f} s/step", flush=True)
            recent, clock = [], time.time()
        if done % a.save_every == 0 or done == kind.words:
            state.save(done, {})
    heads.pooled.requires_grad_(True)
    print(f"words: {state.minutes():.1f} CPU minutes", flush=True)
    return state.minutes()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", choices=models.KINDS, required=True)
    parser.add_argument("--out", type=Path, required=True, help="checkpoint folder")
    parser.add_argument("--work", type=Path, required=True, help="pool and saved states")
    parser.add_argument("--sight", type=int, default=3000, help="steps on pictures alone, shared by the models")
    parser.add_argument("--faded", type=int, default=2200, help="more of them, with half the pictures faded")
    parser.add_argument("--sight-batch", type=int, default=32)
    parser.add_argument("--steps", type=int, help="steps on pictures and captions, by default the model's own")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--families", type=int, default=6000, help="of eight scenes each, in the pool")
    parser.add_argument("--peak", type=float, default=1.5e-3, help="learning rate")
    parser.add_argument("--peak-after", type=float, default=1e-3, help="learning rate with captions")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--save-every", type=int, default=100)
    parser.add_argument("--validate-every", type=int, default=250)
    a = parser.parse_args()
    a.steps = a.steps or models.KINDS[a.model].steps

    torch.set_num_threads(1)
    a.work.mkdir(parents=True, exist_ok=True)
    folder = data.build_pool(a.work, a.families)
    tower, tower_heads = train_sight(a.work, folder, a)
    kind = models.KINDS[a.model](a.out)
    pool = Pool(folder, kind)
    scenes = validation_scenes(kind, 100)
    torch.manual_seed(a.seed)
    model = kind.create()
    models.adopt_tower(kind, model, tower, pool.pictures[:64])
    model.train()
    heads = Heads(kind.width, 96)
    fitting = {k: v for k, v in tower_heads.items() if v.shape == heads.state_dict()[k].shape}
    heads.load_state_dict(fitting, strict=False)
    train_words(kind, model, heads, pool, a)
    module = nn.ModuleDict({"model": model, "heads": heads})
    optimizer = new_optimizer(module, a.peak_after)
    state = State(a.work / f"{a.model}-{a.steps}x{a.batch}-{a.seed}.pt", module, optimizer)
    average = state.extra or {k: v.clone() for k, v in model.state_dict().items()}

    def averaged():
        copy = kind.create()
        copy.load_state_dict(average)
        return copy

    recent, clock = [], time.time()
    for step in range(state.step, a.steps):
        b = pool.step(a.seed, step, a.batch, whole=step >= 0.6 * a.steps)
        contrastive, auxiliary = losses(kind, model, heads, b)
        done = step / a.steps
        weight = 1.0 if done < 0.6 else 1.0 - 0.9 * (done - 0.6) / 0.4
        update(optimizer, module, contrastive + weight * auxiliary, a.peak_after * schedule(step, a.steps, warm=100))
        with torch.no_grad():
            model.logit_scale.clamp_(max=math.log(100))
            decay = min(0.998, (1 + step) / (10 + step))
            now = model.state_dict()
            torch._foreach_lerp_(list(average.values()), [now[k] for k in average], 1 - decay)
        recent.append((contrastive.item(), auxiliary.item()))
        done = step + 1
        if done % 100 == 0:
            c, x = np.mean(recent, 0)
            speed = (time.time() - clock) / len(recent)
            print(f"step {done} contrastive {c:.3f} heads {x:.3f} scale {model.logit_scale.exp().item():.1f} {speed:.3f} s/step", flush=True)
            recent, clock = [], time.time()
        if done % a.save_every == 0 or done == a.steps:
            state.save(done, average)
            models.save(kind, model, average, a.out)
        if done % a.validate_every == 0 or done == a.steps:
            figures = validate(kind, averaged(), scenes)
            print(f"step {done} validation " + " ".join(f"{k} {v:.3f}" for k, v in figures.items()), flush=True)
    count = sum(p.numel() for p in model.parameters())
    print(f"{a.model}: {count} parameters, {a.steps} steps, {state.minutes():.1f} CPU minutes")


if __name__ == "__main__":
    main()
