"""Trains tiny-blip2-itm and tiny-blip2 on one CPU core, in the two stages of the paper.

    python train_blip2.py --models ../../lmm-tiny/models --out ../work --work ../work/blip2

``--models`` holds tiny-siglip2, whose vision tower is where this one starts (as the paper takes a tower that was
trained with texts); ``--out`` gets the folders tiny-blip2-itm and tiny-blip2. Interrupt it at will: it goes on from
the last saved state. All randomness comes from the stage, the step and a seed.

* sight: the tower on pictures of 112 pixels, with linear heads, for training only, on its class token and on
  its patches. Then it is frozen, and what it sees of the pool is kept.
* first: the Q-Former, its queries and its text branch: image-text contrast, matching with hard negatives (a
  family's scenes differ in one thing), and captions grounded in the picture. Heads, for training only, read
  one attribute off each of seven queries.
* language: OPT on text alone (``asking.page``). Then it is frozen, too.
* second: OPT writes captions and answers after what the Q-Former and the projection give it; only these two
  are trained. For training only, what the last queries give is drawn to the words of a scene's notes, as OPT
  has read them in the same places.

A figure of the bars is printed every few hundred steps, for scenes of another seed; answers count there as
right when each of their tokens is the most likely one after the right ones before it, which is when greedy
decoding writes them.
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
from transformers import AutoTokenizer

import asking
import data
import models
import models_blip2 as blip2
import vocabularies
import world
from models_blip2 import PATCH, QUERIES, WIDTH
from train_clip import CLASSES, Heads, Pictures, Pool, sight_loss, softmax_loss
from training import fit

SEED = 31
CAPTION = 40  # tokens of a caption of the first stage
CAPTIONS_WORD = 0.4  # weight of a caption's word beside that of an answer's
LOW, HIGH = 100, 256  # sides of the drawn pictures
EVERY = 300  # steps between figures


def corpus() -> list[str]:
    rng = np.random.default_rng([SEED, 0])
    lines = []
    for _ in range(6000):
        first, said = asking.page(rng, rng.random() < 0.5)
        lines.append(first)
        lines += [line.prompt + line.answer for line in said]
    return lines


def captions() -> list[str]:
    rng = np.random.default_rng([SEED, 1])
    scenes = [world.random_scene(rng) for _ in range(6000)]
    varied = [world.caption(rng, s, language, full=i % 2 == 0).text for i, s in enumerate(scenes) for language in ("en", "ko")]
    return varied + [asking.caption(s, language) for s in scenes for language in ("en", "ko")]


def as_blip2(pixels: torch.Tensor) -> torch.Tensor:
    """From -1 to 1, where colours are mixed, to what the processor gives."""
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in (models.CLIP_MEAN, models.CLIP_STD))
    return (pixels / 2 + 0.5 - mean) / std


@torch.no_grad()
def rounded(module: nn.Module) -> None:
    """To what the file will hold: what is frozen must not change any more."""
    for p in module.parameters():
        p.copy_(p.half().float())
        p.requires_grad_(False)


def validation(count: int = 240) -> tuple[list[world.Scene], np.ndarray]:
    """Scenes of another seed, three of ten with a pair that training never shows."""
    scenes, pictures = [], []
    for i in range(count):
        rng = np.random.default_rng([data.SEEDS["validation"], 2, i])
        scene = world.random_scene(rng, unseen=i % 10 < 3)
        image, _ = world.draw(rng, scene, *world.random_size(rng, LOW, HIGH))
        scenes.append(scene)
        pictures.append(np.asarray(data.squash_bicubic(image)))
    return scenes, np.stack(pictures)


@torch.no_grad()
def features(vision, pictures: np.ndarray, batch: int = 128) -> torch.Tensor:
    """(N, 65, WIDTH) as float16: what the frozen tower sees."""
    out = [blip2.look(vision, models.normalise(blip2.Pixels, pictures[i : i + batch]))[0].half() for i in range(0, len(pictures), batch)]
    return torch.cat(out)


# ------------------------------------------------------------------------------------------ sight


class Sight:
    def __init__(self, vision, pool: Path, scenes, pictures):
        self.vision = vision
        self.pool = Pictures(pool, "blip2", models.TinySiglip2)
        torch.manual_seed(SEED)
        self.heads = Heads(WIDTH, WIDTH, PATCH)
        self.attributes = torch.tensor([s.attributes() for s in scenes])
        self.pictures = models.normalise(blip2.Pixels, pictures)

    def loss(self, rng, step: int):
        if step % EVERY == 0:
            self.told(step)
        b = self.pool.batch(rng, self.pool.draw(rng, 32), faded=0.35, strange=0.6)
        h, early = blip2.look(self.vision, as_blip2(b["pixels"]))
        return sight_loss(self.heads, h[:, 0], (early, h[:, 1:]), b)

    @torch.no_grad()
    def told(self, step: int):
        h = blip2.look(self.vision, self.pictures)[0][:, 0]
        right = []
        for i, head in enumerate(self.heads.pooled):
            there = self.attributes[:, i] >= 0
            right.append((head(h).argmax(-1) == self.attributes[:, i])[there].float().mean().item())
        print(step, " ".join(f"{n} {r:.3f}" for n, r in zip(world.ATTRIBUTES, right)), flush=True)


# ------------------------------------------------------------------------------------ first stage


class First:
    def __init__(self, model, tokenizer, pool: Path, seen, scenes, seen_there):
        self.model, self.tokenizer, self.seen = model, tokenizer, seen
        token = tokenizer.convert_tokens_to_ids
        self.begin, self.pad = token("[DEC]"), token("[PAD]")
        self.attributes = np.load(pool / "attributes.npy").astype(np.int64)
        kept = np.load(data.build_captions(pool, "blip2", self.tokenize, CAPTION))
        self.ids, self.named = kept["ids"], kept["named"]
        torch.manual_seed(SEED + 2)
        self.writer = nn.Linear(WIDTH, self.begin + 1)
        self.heads = nn.ModuleList(nn.Linear(WIDTH, n) for n in CLASSES)
        self.words = nn.ModuleList(nn.Linear(WIDTH, n) for n in CLASSES)
        self.scale = nn.Parameter(torch.tensor(math.log(10)))
        self.scenes, self.seen_there = scenes, seen_there
        self.parts = {}

    def tokenize(self, texts: list[str]) -> np.ndarray:
        ids = self.tokenizer(texts, padding="max_length", max_length=CAPTION, truncation=True)["input_ids"]
        return np.array(ids, np.int16)

    def parameters(self):
        own = [p for n, p in self.model.named_parameters() if not n.startswith("vision_model")]
        return [*own, *self.writer.parameters(), *self.heads.parameters(), *self.words.parameters(), self.scale]

    def words_of(self, ids):
        e = self.model.embeddings
        return F.embedding(ids, e.word_embeddings.weight) + e.position_embeddings.weight[: ids.shape[1]]

    def queries(self, count: int):
        return self.model.query_tokens.expand(count, -1, -1)

    def picture(self, seen):
        h = blip2.qformer(self.model, self.queries(len(seen)), None, seen, QUERIES)
        return F.normalize(self.model.vision_projection(h), dim=-1)

    def text(self, ids):
        mask = (ids != self.pad)[:, None, None].expand(-1, 1, ids.shape[1], -1)
        h = blip2.qformer(self.model, self.words_of(ids), mask, None, 0)[:, 0]
        return h, F.normalize(self.model.text_projection(h), dim=-1)

    def match(self, seen, ids):
        """Logits (N, 2) of picture and text as a pair."""
        embeds = torch.cat([self.queries(len(ids)), self.words_of(ids)], 1)
        known = F.pad(ids != self.pad, (QUERIES, 0), value=True)
        mask = known[:, None, None].expand(-1, 1, known.shape[1], -1)
        h = blip2.qformer(self.model, embeds, mask, seen, QUERIES)
        return self.model.itm_head(h[:, :QUERIES]).mean(1)

    def ground(self, seen, ids):
        """The queries' states, and what is lost on the words that follow each other; queries see no words."""
        given = ids.clone()
        given[:, 0] = self.begin
        n = QUERIES + ids.shape[1]
        mask = torch.ones(n, n, dtype=torch.bool).tril()
        mask[:QUERIES] = False
        mask[:, :QUERIES] = True
        h = blip2.qformer(self.model, torch.cat([self.queries(len(ids)), self.words_of(given)], 1), mask[None, None], seen, QUERIES)
        logits = self.writer(h[:, QUERIES:-1])
        return h[:, :QUERIES], F.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten(), ignore_index=self.pad)

    def loss(self, rng, step: int, steps: int):
        if step % EVERY == 0 and step:
            self.told(step)
        families = rng.choice(len(self.attributes) // data.FAMILY, 3, replace=False)
        at = (families[:, None] * data.FAMILY + np.arange(data.FAMILY)).ravel()
        n = len(at)
        attributes = self.attributes[at]
        language, which = rng.integers(0, 2, n), rng.integers(0, data.CAPTIONS, n)
        ids, named = self.ids[at, language, which], self.named[at, language, which]
        ids = torch.from_numpy(ids[:, : int((ids != self.pad).sum(1).max())].astype(np.int64))
        truth = torch.from_numpy(world.matches(attributes, named, attributes))
        seen = self.seen[at].float()

        states, writing = self.ground(seen, ids)
        image = F.normalize(self.model.vision_projection(states), dim=-1)
        pooled, text = self.text(ids)
        cosine = torch.einsum("cd,pqd->cpq", text, image).amax(-1)
        contrast = softmax_loss(self.scale.exp() * cosine, truth)

        with torch.no_grad():
            logits = (self.scale.exp().clamp(max=20) * cosine).masked_fill(truth != 0, -1e4)
            picture = torch.multinomial(logits.softmax(1), 1)[:, 0]  # a wrong one for each caption
            caption = torch.multinomial(logits.softmax(0).T, 1)[:, 0]  # and for each picture
        own = torch.arange(n)
        out = self.match(seen[torch.cat([own, picture, own])], ids[torch.cat([own, own, caption])])
        target = (torch.arange(3 * n) < n).long()
        matching = F.cross_entropy(out, target)

        told, said = torch.from_numpy(attributes), torch.from_numpy(Pool.said(attributes, named))
        heads = 0
        for i in range(len(CLASSES)):
            if (told[:, i] >= 0).any():
                heads = heads + F.cross_entropy(self.heads[i](states[:, i]), told[:, i], ignore_index=-1)
            wanted = told[:, i].masked_fill(~said[:, i], -1)
            if (wanted >= 0).any():
                heads = heads + F.cross_entropy(self.words[i](pooled), wanted, ignore_index=-1)
        for key, value in {"writing": writing, "contrast": contrast, "matching": matching, "heads": heads / 14}.items():
            self.parts.setdefault(key, []).append(value.item())
        return writing + contrast + 2 * matching + heads / 14 * (1 if step < 0.6 * steps else 0.3)

    @torch.no_grad()
    def told(self, step: int):
        """Losses, and the share of right decisions about true captions and about those of edited scenes."""
        parts = " ".join(f"{k} {np.mean(v):.3f}" for k, v in self.parts.items())
        self.parts = {}
        rng = np.random.default_rng([SEED, 5])
        figures = []
        for language in ("en", "ko"):
            true = [world.caption(rng, s, language, full=True).text for s in self.scenes]
            false = [world.caption(rng, world.edit(rng, s), language, full=True).text for s in self.scenes]
            ids = torch.from_numpy(self.tokenize(true + false).astype(np.int64))
            seen = self.seen_there.float()
            yes = self.match(torch.cat([seen, seen]), ids).argmax(-1)
            n = len(true)
            figures.append((yes[:n] == 1).float().mean().item())
            figures.append((yes[n:] == 0).float().mean().item())
        print(step, parts, "true en %.3f false en %.3f true ko %.3f false ko %.3f" % tuple(figures), flush=True)


# --------------------------------------------------------------------------------------- language


class Words:
    """Lines as ids, packed behind what they all may look at; the lines do not see each other."""

    def __init__(self, tokenizer):
        self.tokenizer = tokenizer
        self.begin, self.end, self.pad = (tokenizer.convert_tokens_to_ids(t) for t in ("</s>", "Ċ", "<pad>"))
        self.noted = {}  # the word of a scene's notes that a token of an answer says
        for word, forms in asking.FORMS.items():
            [[note], *said] = self.ids([" " + word, *(" " + form for form in forms)])
            self.noted |= {ids[0]: note for ids in said if len(ids) == 1}

    def ids(self, texts: list[str]) -> list[list[int]]:
        return self.tokenizer(texts, add_special_tokens=False)["input_ids"]

    def pack(self, rows: list[list[asking.Line]], room: int):
        """Ids, labels (-100 but for answers), lines, positions (from 0 in each line), weights, all (rows, length)."""
        flat = [line for row in rows for line in row]
        prompts, answers = self.ids([x.prompt for x in flat]), self.ids([x.answer for x in flat])
        out, at = [], 0
        for row in rows:
            ids, labels, number, place, weights = [], [], [], [], []
            for k in range(len(row)):
                lead, answer = [self.begin, *prompts[at]], [*answers[at], self.end]
                at += 1
                if len(ids) + len(lead) + len(answer) > room:
                    continue
                ids += lead + answer
                labels += [-100] * len(lead) + answer
                number += [k] * (len(lead) + len(answer))
                place += range(len(lead) + len(answer))
                # A caption has many more words than an answer; but that it begins as one must be learned.
                word = [CAPTIONS_WORD if row[k].kind == "caption" else 1.0]
                weights += word * len(lead) + [3.0 if row[k].kind == "caption" else 1.0] + word * len(answer[1:])
            out.append((ids, labels, number, place, weights))
        longest = max(len(ids) for ids, *_ in out)
        fill = (self.pad, -100, -1, 0, 0.0)
        return [torch.tensor([part + [f] * (longest - len(part)) for part in parts]) for f, parts in zip(fill, zip(*out))]

    def sought(self, heads, longest: int, rows, ids, labels, number):
        """For ``opt``: tokens before those of an answer that stand in the notes ``heads``, and where there."""
        row, at, wanted = [], [], []
        width = longest + ids.shape[1]
        for r, (head, one, label, line) in enumerate(zip(heads, ids.tolist(), labels.tolist(), number.tolist())):
            for p in range(1, len(one)):
                if label[p] < 0:
                    continue
                said = rows[r][line[p]]
                note = self.noted.get(one[p])
                if said.kind == "where" and said.language == "en" and label[p - 1] < 0:
                    note = self.noted[self.ids([" " + said.answer.split()[-1]])[0][0]]
                if note in head and said.kind != "count":
                    row.append(r)
                    at.append(longest + p - 1)
                    wanted.append([h == note for h in head] + [False] * (width - len(head)))
        return torch.tensor(row), torch.tensor(at), torch.tensor(wanted)

    @staticmethod
    def mask(known, number):
        """``known`` (rows, first) of what comes first, ``number`` (rows, length) of the lines behind it."""
        rows, first = known.shape
        length = number.shape[1]
        line = (number[:, :, None] == number[:, None]) & torch.ones(length, length, dtype=torch.bool).tril()
        line = torch.cat([known[:, None].expand(-1, length, -1), line], 2)
        own = known[:, None] & torch.ones(first, first, dtype=torch.bool).tril()
        own = own | torch.eye(first, dtype=torch.bool)
        own = torch.cat([own, torch.zeros(rows, first, length, dtype=torch.bool)], 2)
        return torch.cat([own, line], 1)[:, None]


class Language:
    def __init__(self, model, words: Words):
        self.model, self.words = model, words
        self.parts = {}

    def loss(self, rng, step: int):
        if step % EVERY == 0 and step:
            print(step, " ".join(f"{k} {np.mean(v):.3f}" for k, v in self.parts.items()), flush=True)
            self.parts = {}
        notes = rng.random() < 0.8  # pages that begin alike are about equally long
        pages = [asking.page(rng, notes) for _ in range(20)]
        ids, labels, number, place, weights = self.words.pack([lines for _, lines in pages], 72)
        heads = self.words.ids([first for first, _ in pages])
        longest = max(map(len, heads))
        # What a page begins with mostly ends where the queries will end.
        shift = [max(0, QUERIES - len(h)) if h and rng.random() < 0.7 else 0 for h in heads]
        first = torch.tensor([h + [self.words.pad] * (longest - len(h)) for h in heads])
        known = torch.tensor([[True] * len(h) + [False] * (longest - len(h)) for h in heads])
        start = torch.tensor(shift)[:, None]
        after = start + torch.tensor([len(h) for h in heads])[:, None]
        positions = torch.cat([start + torch.arange(longest), after + place], 1)
        table = self.model.language_model.model.decoder.embed_tokens.weight
        sought = self.words.sought(heads, longest, [lines for _, lines in pages], ids, labels, number) if notes else None
        out = blip2.opt(self.model, F.embedding(torch.cat([first, ids], 1), table), positions, Words.mask(known, number), sought)
        logits, missed = out if notes else (out, 0)
        said, guessed = first[:, 1:].masked_fill(~known[:, 1:], -100), logits[:, : longest - 1]
        context = F.cross_entropy(guessed[said >= 0], said[said >= 0])
        each = F.cross_entropy(logits[:, longest:-1].flatten(0, 1), ids[:, 1:].flatten(), reduction="none")
        same = (number[:, 1:] == number[:, :-1]) & (number[:, 1:] >= 0)
        answer = (labels[:, 1:] >= 0) & same
        asked = each[(same & ~answer).flatten()].mean()
        weights = (weights[:, 1:] * answer).flatten()
        answered = (each * weights).sum() / weights.sum()
        begun = torch.tensor([bool(h) for h in heads])[:, None] & answer
        for key, value in {"context": context, "asked": asked, "answered": each[(begun.flatten()) & (weights == 1)].mean()}.items():
            self.parts.setdefault(key, []).append(value.item())
        if notes:
            self.parts.setdefault("missed", []).append(missed.item() / 2)
        return 0.2 * context + 0.2 * asked + 2 * answered + 0.5 * missed


# ----------------------------------------------------------------------------------- second stage


class Second:
    def __init__(self, model, words: Words, pool: Path, seen, scenes, seen_there):
        self.model, self.words, self.seen = model, words, seen
        self.attributes = np.load(pool / "attributes.npy").astype(np.int64)
        self.parts = {}
        self.seen_there, self.scenes = seen_there, scenes
        rng = np.random.default_rng([SEED, 6])
        self.asked = [
            [line for language in ("en", "ko") for line in self._all(rng, s, language)] for s in scenes
        ]

    @staticmethod
    def _all(rng, s, language):
        prompt = asking.KO_CAPTION if language == "ko" else ""
        yield asking.Line("caption", prompt, (" " if prompt else "") + asking.caption(s, language), language)
        for kind in asking.KINDS:
            yield asking.question(rng, s, kind, language)

    def parameters(self):
        m = self.model
        return [m.query_tokens, *m.qformer.parameters(), *m.language_projection.parameters()]

    def logits(self, seen, ids, number, place):
        n = len(ids)
        states = blip2.qformer(self.model, self.model.query_tokens.expand(n, -1, -1), None, seen, QUERIES)
        table = self.model.language_model.model.decoder.embed_tokens.weight
        told = self.model.language_projection(states)
        h = torch.cat([told, F.embedding(ids, table)], 1)
        positions = torch.cat([torch.arange(QUERIES).expand(n, -1), QUERIES + place], 1)
        mask = Words.mask(torch.ones(n, QUERIES, dtype=torch.bool), number)
        return told, blip2.opt(self.model, h, positions, mask)[:, QUERIES:]

    def noted(self, told, scenes):
        """How far what is told is from a scene's notes, word for word, the last one last."""
        table = self.model.language_model.model.decoder.embed_tokens.weight
        notes = self.words.ids([asking.notes(s) for s in scenes])
        wanted = torch.tensor([[-1] * (QUERIES - len(n)) + n for n in notes])
        there = wanted >= 0
        given, word = told[there], wanted[there]
        apart = (given - table[word]).square().mean() / table[word].square().mean()
        return F.cross_entropy(given @ table.T / table.square().sum(1).mean() * 8, word) + apart

    def loss(self, rng, step: int, steps: int):
        if step % EVERY == 0 and step:
            self.told(step)
        at = rng.integers(0, len(self.attributes), 24)
        scenes = [data.scene_of(a) for a in self.attributes[at]]
        lines = [[asking.line(rng, s) for _ in range(4)] for s in scenes]
        ids, labels, number, place, weights = self.words.pack(lines, 48)
        told, logits = self.logits(self.seen[at].float(), ids, number, place)
        wanted = labels[:, 1:]
        each, weights = F.cross_entropy(logits[:, :-1][wanted >= 0], wanted[wanted >= 0], reduction="none"), weights[:, 1:][wanted >= 0]
        writing = (each * weights).sum() / weights.sum()
        noted = self.noted(told, scenes)
        for key, value in {"writing": writing, "noted": noted}.items():
            self.parts.setdefault(key, []).append(value.item())
        return writing + noted * (1 if step < 0.6 * steps else 0.1)

    @torch.no_grad()
    def told(self, step: int):
        parts = " ".join(f"{k} {np.mean(v):.3f}" for k, v in self.parts.items())
        self.parts = {}
        right: dict[str, list[bool]] = {}
        for i in range(0, len(self.scenes), 60):
            rows = self.asked[i : i + 60]
            ids, labels, number, place, _ = self.words.pack(rows, 400)
            _, logits = self.logits(self.seen_there[i : i + 60].float(), ids, number, place)
            hit = F.pad(logits[:, :-1].argmax(-1) == labels[:, 1:], (1, 0))
            for r, row in enumerate(rows):
                scene = self.scenes[i + r]
                for k, line in enumerate(row):
                    mine = hit[r][(number[r] == k) & (labels[r] >= 0)]
                    name = f"{line.kind} {line.language}"
                    right.setdefault(name, []).append(bool(mine.all()))
                    if name == "caption en" and scene.count == 1:
                        right.setdefault("named", []).append(bool(mine[1:3].all()))
                        if scene.unseen:
                            right.setdefault("named unseen", []).append(bool(mine[1:3].all()))
        print(step, parts, " ".join(f"{k} {np.mean(v):.3f}" for k, v in right.items()), flush=True)


# -------------------------------------------------------------------------------------- the whole


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=Path, required=True, help="folder of tiny-siglip2's folder")
    parser.add_argument("--out", type=Path, required=True, help="where the two folders go")
    parser.add_argument("--work", type=Path, required=True, help="pool and states of interrupted stages")
    parser.add_argument("--families", type=int, default=3000)
    parser.add_argument("--sight-steps", type=int, default=1800)
    parser.add_argument("--first-steps", type=int, default=2400)
    parser.add_argument("--language-steps", type=int, default=2000)
    parser.add_argument("--second-steps", type=int, default=3000)
    parser.add_argument("--until", choices=["sight", "language", "first", "second"], default="second", help="the last stage to run")
    a = parser.parse_args()
    torch.set_num_threads(1)
    a.work.mkdir(parents=True, exist_ok=True)
    first_folder, second_folder = a.out / "tiny-blip2-itm", a.out / "tiny-blip2"
    if not (first_folder / "vocab.txt").exists():
        vocabularies.write_bert(first_folder, captions())
    if not (second_folder / "merges.txt").exists():
        vocabularies.write_opt(second_folder, corpus())
    bert, gpt = AutoTokenizer.from_pretrained(first_folder), AutoTokenizer.from_pretrained(second_folder)
    pool = data.build_pool(a.work, a.families, data.BLIP2_VIEWS, data.BLIP2_SIZE, LOW, HIGH)
    scenes, pictures = validation()
    words = Words(gpt)
    first = blip2.new_first(bert.convert_tokens_to_ids("<image>"), SEED)
    second = blip2.new_second(len(gpt), words.end, SEED + 1)

    blip2.adopt_tower(first.vision_model, a.models / "tiny-siglip2/model.safetensors")
    sight = Sight(first.vision_model, pool, scenes, pictures)
    looking = [*first.vision_model.parameters(), *sight.heads.parameters()]
    fit(SEED, "sight", a.work, looking, a.sight_steps, 6e-4, sight.loss)
    sight.told(a.sight_steps)
    rounded(first.vision_model)
    if a.until == "sight":
        return

    language = Language(second, words)
    reading = list(second.language_model.model.parameters())
    fit(SEED, "language", a.work, reading, a.language_steps, 2e-3, language.loss)
    rounded(second.language_model)
    if a.until == "language":
        return

    kept = a.work / "seen.pt"
    if not kept.exists():
        began = time.time()
        torch.save(features(first.vision_model, np.load(pool / "blip2-pictures.npy", mmap_mode="r")), kept)
        print(f"what the tower sees: {time.time() - began:.0f} s", flush=True)
    seen, seen_there = torch.load(kept), features(first.vision_model, pictures)

    stage = First(first, bert, pool, seen, scenes, seen_there)
    fit(SEED, "first", a.work, stage.parameters(), a.first_steps, 1.2e-3, lambda rng, step: stage.loss(rng, step, a.first_steps))
    stage.told(a.first_steps)
    blip2.save(first, first_folder, True)
    if a.until == "first":
        return

    with torch.no_grad():
        second.vision_model.load_state_dict(first.vision_model.state_dict())
        second.query_tokens.copy_(first.query_tokens)
        second.qformer.load_state_dict(first.qformer.state_dict(), strict=False)
        size = float(second.language_model.model.decoder.embed_tokens.weight.std())
        nn.init.normal_(second.language_projection.weight, std=size / math.sqrt(WIDTH))
        second.language_projection.bias.zero_()
    rounded(second.vision_model)
    writing = Second(second, words, pool, seen, scenes, seen_there)
    fit(SEED, "second", a.work, writing.parameters(), a.second_steps, 1.5e-3, lambda rng, step: writing.loss(rng, step, a.second_steps))
    writing.told(a.second_steps)
    blip2.save(second, second_folder, False)


if __name__ == "__main__":
    main()
