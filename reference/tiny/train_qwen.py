"""Trains tiny-qwen2.5-vl from scratch on CPU cores: a Qwen2.5-VL that finds, counts and describes drawn shapes.

    python train_qwen.py --out ../work/tiny-qwen2.5-vl --work ../work/qwen
    torchrun --nproc-per-node 2 train_qwen.py …        two cores, gradients averaged: what the step counts are for

Three stages, each skipped when complete and resumed when interrupted; all randomness comes from the stage,
the step and a seed:

* sight: the tower and the first decoder layers on pictures alone. Linear heads, for training only, read
  colour, shape and box off every image token.
* search: the tower rests. Questions, mostly cut after the first box begins; one attention head in two
  middle layers is rewarded for looking at the object that is written next, or at none if none is left.
* answers: everything, whole answers. The hidden state of a token in the middle layers must tell the box
  that is being written.

The forward pass here packs several questions on one picture into a row, with a mask that hides them from
each other; ``--check`` shows that it equals the library's.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import nn
from transformers import AutoTokenizer, Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration
from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import rotate_half
from transformers.vision_utils import get_vision_position_ids, get_vision_window_index

import objects
import vocabularies
from models import CLIP_MEAN, CLIP_STD, write_sums
from objects import CELL, NO_COLOUR, NO_SHAPE
from training import fit

SEED = 23
PATCH, WINDOW = 14, 112
SEEING = 2  # decoder layers that the sight stage trains
SEARCHING = (2, 3)  # decoder layers whose first head must look at what is written next
ROW = 230  # tokens of questions and answers of one picture
NONE_LEFT, NOTHING = 99, -1  # where to look

# What Qwen2.5-VL publishes, as far as this model needs it.
TEMPLATE = """{% set image_count = namespace(value=0) %}{% set video_count = namespace(value=0) %}{% for message in messages %}{% if loop.first and message['role'] != 'system' %}<|im_start|>system
You are a helpful assistant.<|im_end|>
{% endif %}<|im_start|>{{ message['role'] }}
{% if message['content'] is string %}{{ message['content'] }}<|im_end|>
{% else %}{% for content in message['content'] %}{% if content['type'] == 'image' or 'image' in content or 'image_url' in content %}{% set image_count.value = image_count.value + 1 %}{% if add_vision_id %}Picture {{ image_count.value }}: {% endif %}<|vision_start|><|image_pad|><|vision_end|>{% elif content['type'] == 'video' or 'video' in content %}{% set video_count.value = video_count.value + 1 %}{% if add_vision_id %}Video {{ video_count.value }}: {% endif %}<|vision_start|><|video_pad|><|vision_end|>{% elif 'text' in content %}{{ content['text'] }}{% endif %}{% endfor %}<|im_end|>
{% endif %}{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""
OPENING = "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n<|vision_start|>"
TURN = "<|im_end|>\n<|im_start|>assistant\n"


def corpus() -> list[str]:
    rng = np.random.default_rng([SEED, 0])
    lines = ["system\nYou are a helpful assistant.", "user\n", "assistant\n"] * 300
    for _ in range(1500):
        scene = objects.scene(rng, 168, 168)
        for task in ("locate", "all", "caption", "count"):
            q = objects.question(rng, scene, task)
            lines += [q.text, q.answer]
    return lines


def configuration(tokenizer) -> Qwen2_5_VLConfig:
    token = tokenizer.convert_tokens_to_ids
    return Qwen2_5_VLConfig(
        vision_config=dict(
            depth=4,
            hidden_size=96,
            num_heads=3,
            intermediate_size=256,
            out_hidden_size=128,
            patch_size=PATCH,
            spatial_merge_size=2,
            temporal_patch_size=2,
            window_size=WINDOW,
            fullatt_block_indexes=[1, 3],
            tokens_per_second=2,
            initializer_range=0.04,
        ),
        text_config=dict(
            vocab_size=len(tokenizer),
            hidden_size=128,
            intermediate_size=384,
            num_hidden_layers=5,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=2048,
            rms_norm_eps=1e-6,
            initializer_range=0.04,
            tie_word_embeddings=True,
            bos_token_id=token("<|endoftext|>"),
            eos_token_id=token("<|im_end|>"),
            pad_token_id=token("<|endoftext|>"),
            # At the published base of 1e6 a head of 32 hardly sees the width axis of so small a picture.
            rope_parameters=dict(rope_type="default", rope_theta=1000.0, mrope_section=[2, 3, 11]),
        ),
        image_token_id=token("<|image_pad|>"),
        video_token_id=token("<|video_pad|>"),
        vision_start_token_id=token("<|vision_start|>"),
        vision_end_token_id=token("<|vision_end|>"),
        tie_word_embeddings=True,
    )


def new_model(config) -> Qwen2_5_VLForConditionalGeneration:
    torch.manual_seed(SEED)
    model = Qwen2_5_VLForConditionalGeneration._from_config(config, attn_implementation="sdpa")
    with torch.no_grad():
        for name, p in model.named_parameters():
            if name.endswith(("o_proj.weight", "down_proj.weight", "attn.proj.weight")):
                p.mul_(0.3)  # residual branches start small
            elif name.endswith(("q_proj.bias", "k_proj.bias")):
                p.normal_(0, 1)  # attention by position from the first step
    return model


def rms(norm, x):
    return F.rms_norm(x, (x.shape[-1],), norm.weight, norm.variance_epsilon)


def patches(picture: np.ndarray) -> np.ndarray:
    """(height, width, 3) to (patches, 588), blocks of 2x2 patches together; one of two equal frames."""
    height, width, _ = picture.shape
    x = (picture.astype(np.float32) / 255 - np.float32(CLIP_MEAN)) / np.float32(CLIP_STD)
    x = x.reshape(height // CELL, 2, PATCH, width // CELL, 2, PATCH, 3)
    return x.transpose(0, 3, 1, 4, 6, 2, 5).reshape(-1, 3 * PATCH * PATCH)


class Network:
    """The model's sums for a batch of equally sized pictures with packed questions, and the training heads."""

    def __init__(self, model):
        self.model = model
        self.config = model.config
        self.tower, self.decoder = model.model.visual, model.model.language_model
        width = self.config.text_config.hidden_size
        torch.manual_seed(SEED + 1)
        self.heads = nn.ModuleDict(
            {
                "cell": nn.Linear(width, 9 + 7 + 4 + 1),  # off the tower: colour, shape, box from here, middle?
                "digits": nn.Linear(width, 4 * 3 * 11),  # off the decoder: the box as three characters a number
                "place": nn.Linear(width, 4 + 2),  # the box, and where the token itself is
                "kind": nn.Linear(width, 9 + 7),  # colour and shape, of a cell or asked for
            }
        )
        self.geometry: dict[tuple[int, int], tuple] = {}

    def _geometry(self, height: int, width: int):
        if (height, width) not in self.geometry:
            grid = torch.tensor([[1, height // PATCH, width // PATCH]])
            order, bounds = get_vision_window_index(grid, spatial_merge_size=2, window_size=WINDOW, patch_size=PATCH)
            count = height * width // (PATCH * PATCH)
            permutation = torch.arange(count).view(-1, 4)[order].view(-1)
            cos, sin = self.tower.rotary_pos_emb(torch.zeros(1), get_vision_position_ids(grid, 2))
            cos, sin = (r.view(count, -1)[permutation][None, None] for r in (cos, sin))
            edges = sorted(set(torch.as_tensor(bounds).tolist()))
            self.geometry[height, width] = permutation, torch.argsort(order), cos, sin, edges
        return self.geometry[height, width]

    def see(self, pixels, height: int, width: int):
        """(B, patches, 588) to (B, patches / 4, width of the decoder)."""
        config = self.config.vision_config
        permutation, inverse, cos, sin, edges = self._geometry(height, width)
        b, n, _ = pixels.shape
        d, heads = config.hidden_size, config.num_heads
        h = F.linear(pixels[:, permutation], self.tower.patch_embed.proj.weight.sum(2).view(d, -1))
        for i, block in enumerate(self.tower.blocks):
            qkv = block.attn.qkv(rms(block.norm1, h)).view(b, n, 3, heads, d // heads)
            q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
            q, k = (x * cos + rotate_half(x) * sin for x in (q, k))
            if i in config.fullatt_block_indexes:
                o = F.scaled_dot_product_attention(q, k, v)
            else:
                windows = zip(edges[:-1], edges[1:])
                o = torch.cat([F.scaled_dot_product_attention(*(x[:, :, s:e] for x in (q, k, v))) for s, e in windows], 2)
            h = h + block.attn.proj(o.transpose(1, 2).reshape(b, n, d))
            y = rms(block.norm2, h)
            h = h + block.mlp.down_proj(F.silu(block.mlp.gate_proj(y)) * block.mlp.up_proj(y))
        merged = self.tower.merger.mlp(rms(self.tower.merger.ln_q, h).view(b, n // 4, 4 * d))
        return merged[:, inverse]

    def read(self, h, positions, mask, layers=None):
        """The decoder's layers on embeddings (B, S, width). Returns the states after each layer, and the
        queries and keys of the first head of the searching layers."""
        config = self.config.text_config
        cos, sin = (r[:, None] for r in self.decoder.rotary_emb(h, positions))
        heads, groups = config.num_attention_heads, config.num_key_value_heads
        b, s, width = h.shape
        d = width // heads
        states, looks = [], {}
        for i, layer in enumerate(self.decoder.layers[:layers]):
            y, attention = rms(layer.input_layernorm, h), layer.self_attn
            q = attention.q_proj(y).view(b, s, heads, d).transpose(1, 2)
            k, v = (p(y).view(b, s, groups, d).transpose(1, 2) for p in (attention.k_proj, attention.v_proj))
            q, k = (x * cos + rotate_half(x) * sin for x in (q, k))
            k, v = (x.repeat_interleave(heads // groups, 1) for x in (k, v))
            if i in SEARCHING:
                looks[i] = q[:, 0], k[:, 0]
            o = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=mask is None)
            h = h + attention.o_proj(o.transpose(1, 2).reshape(b, s, width))
            y = rms(layer.post_attention_layernorm, h)
            h = h + layer.mlp.down_proj(F.silu(layer.mlp.gate_proj(y)) * layer.mlp.up_proj(y))
            states.append(h)
        return states, looks

    def head(self, name: str, states):
        return self.heads[name](rms(self.decoder.norm, states))


# ---------------------------------------------------------------------------------------- batches


def characters(number: int) -> list[int]:
    """Three classes: a digit each, 10 behind the end."""
    text = str(number)
    return [int(text[i]) if i < len(text) else 10 for i in range(3)]


class Batches:
    """Draws scenes and their questions as tensors."""

    def __init__(self, tokenizer):
        self.tokenizer = tokenizer
        ids = lambda text: tokenizer(text)["input_ids"]
        token = tokenizer.convert_tokens_to_ids
        self.opening, self.turn = ids(OPENING), ids(TURN)
        self.image, self.vision_end = token("<|image_pad|>"), token("<|vision_end|>")
        self.end, self.pad = token("<|im_end|>"), token("<|endoftext|>")
        names = tokenizer.convert_ids_to_tokens(range(len(tokenizer)))
        self.digit = torch.tensor([name in set("0123456789") for name in names])

    def answer(self, scene, q) -> tuple[list[int], list[int]]:
        """The answer's ids, and where to look when each of them, and the one after, is to be written."""
        encoded = self.tokenizer(q.answer, return_offsets_mapping=True)
        ids = encoded["input_ids"]
        if q.task == "count":
            return ids, [NOTHING] * (len(ids) + 1)
        ends, at = [], 0
        for i in q.targets:
            o = scene.objects[i]
            name = o.korean if q.task == "caption" and q.korean else o.name
            at = q.answer.lower().index(name, at) + len(name)
            ends.append(at)
        done, look = 0, []
        for _, end in [(0, 0), *encoded["offset_mapping"]]:
            while done < len(ends) and end >= ends[done]:
                done += 1
            look.append(q.targets[done] if done < len(ends) else NONE_LEFT)
        return ids, look

    def turns(self, rng, scene, short: bool):
        """Questions until the row is full: (ids, labels, weights, where to look, colour, shape asked) each."""
        used, first = 0, True
        while True:
            u = rng.random()
            if short:
                task = "locate" if u < 0.68 else "absent" if u < 0.9 else "all" if u < 0.96 else "count"
            elif first and u < 0.5:
                task = "locate"
            else:
                u = rng.random()
                task = ["locate", "all", "absent", "caption", "count"][int(np.searchsorted([0.5, 0.66, 0.76, 0.9], u))]
            q = objects.question(rng, scene, task)
            asked = [*self.tokenizer(q.text)["input_ids"], *self.turn]
            ids, look = self.answer(scene, q)
            whole = not short or len(ids) <= 7
            ids, look = (ids, look) if whole else (ids[:7], look[:8])
            answer = [*ids, self.end] if whole else ids
            if not first and used + len(asked) + len(answer) > ROW:
                return
            weights = [2.2 if self.digit[i] else 1.0 for i in answer]
            weights[0] = 4.0  # an empty list or not
            for i in range(1, min(len(look), len(answer))):
                if look[i] != look[i - 1]:
                    weights[min(i + 1, len(weights) - 1)] = 3.0  # one more object or the end
            # "None left" is asked for once: where it is decided that the list ends.
            over = [i for i, x in enumerate(look) if x == NONE_LEFT]
            look = [NOTHING if i in over[1:] and q.targets else x for i, x in enumerate(look)]
            lead = len(asked)
            # The token before an answer's token is the one that must look.
            look = ([NOTHING] * (lead - 1) + look + [NOTHING])[: lead + len(answer)]
            tells = q.task not in ("count",)
            kind = [-1] * (lead - 1) + [1 if tells else -1] * (len(answer) + 1)
            yield {
                "ids": [*asked, *answer],
                "labels": [-100] * lead + answer,
                "weights": [0.0] * lead + weights,
                "look": look,
                "colour": [q.colour if k > 0 else -1 for k in kind],
                "shape": [q.shape if k > 0 else -1 for k in kind],
            }
            used += len(asked) + len(answer)
            first = False

    def draw(self, rng, step: int, count: int, questions: bool, short: float = 0.0) -> dict:
        # The size is the same in all processes, so that none waits for another.
        width, height = objects.random_size(np.random.default_rng([SEED, 1, step]))
        n = (height // CELL) * (width // CELL)
        prefix = [*self.opening, *[self.image] * n, self.vision_end]
        start = len(self.opening)
        gy, gx = np.divmod(np.arange(n), width // CELL)
        after = start + max(height, width) // CELL
        grid = np.stack([np.full(n, start), gy + start, gx + start])
        prefix_positions = np.concatenate([np.tile(np.arange(start), (3, 1)), grid, np.full((3, 1), after)], 1)
        middle = np.stack([gx, gy, gx, gy], 1) * CELL + CELL // 2

        pictures, cells, rows = [], [], []
        for _ in range(count):
            single = rng.random() < 0.1
            scene = objects.scene(rng, width, height, 1 if single else 2, 1 if single else 4)
            pictures.append(patches(scene.picture))
            owner = scene.cells()
            seen = np.maximum(owner, 0)
            box = np.array([o.box for o in scene.objects])
            centre = np.zeros(n, np.float32)  # the cell nearest to an object's middle tells its box
            distance = np.abs((box[seen][:, :2] + box[seen][:, 2:]) / 2 - middle[:, :2]).max(1)
            for i in range(len(scene.objects)):
                mine = np.flatnonzero(owner == i)
                if len(mine):
                    centre[mine[np.argmin(distance[mine])]] = 1
            digits = np.array([[characters(v) for v in b] for b in box])
            cells.append(
                {
                    "owner": owner,
                    "cell colour": np.where(owner < 0, NO_COLOUR, np.array([o.colour for o in scene.objects])[seen]),
                    "cell shape": np.where(owner < 0, NO_SHAPE, np.array([o.shape for o in scene.objects])[seen]),
                    "offset": ((box[seen] - middle) / CELL).astype(np.float32),
                    "box": ((box[seen] - 98) / 56).astype(np.float32),
                    "digits": digits[seen],
                    "centre": centre,
                }
            )
            if questions:
                rows.append(self._row(rng, scene, prefix, prefix_positions, after, box, digits, rng.random() < short))
        batch = {key: torch.from_numpy(np.stack([c[key] for c in cells])) for key in cells[0]}
        batch |= {
            "width": width,
            "height": height,
            "start": start,
            "cells": n,
            "pixels": torch.from_numpy(np.stack(pictures)),
            "here": torch.from_numpy(np.stack([gx - 3.5, gy - 3.5], 1) / 2).float(),
        }
        if not questions:
            batch["ids"] = torch.tensor([prefix[: start + n]] * count)
            batch["positions"] = torch.from_numpy(prefix_positions[:, : start + n])[:, None].expand(-1, count, -1)
            return batch
        longest = max(len(r["ids"]) for r in rows)
        fill = {"ids": self.pad, "labels": -100, "weights": 0.0, "look": NOTHING, "colour": -1, "shape": -1, "segment": -1}
        for key, value in fill.items():
            batch[key] = torch.tensor([r[key] + [value] * (longest - len(r[key])) for r in rows])
        batch["positions"] = torch.stack(
            [F.pad(torch.from_numpy(r["positions"]), (0, longest - r["positions"].shape[1])) for r in rows], 1
        )
        for key in ("written box", "written digits"):
            whole = np.zeros((count, longest, *rows[0][key].shape[1:]), rows[0][key].dtype)
            for i, r in enumerate(rows):
                whole[i, : len(r[key])] = r[key]
            batch[key] = torch.from_numpy(whole)
        segment = batch["segment"]
        mine = (segment[:, None] == 0) | (segment[:, None] == segment[:, :, None])
        batch["mask"] = (mine & torch.ones(longest, longest, dtype=torch.bool).tril())[:, None]
        return batch

    def _row(self, rng, scene, prefix, prefix_positions, after, box, digits, short):
        length = len(prefix)
        row = {
            "ids": list(prefix),
            "labels": [-100] * length,
            "weights": [0.0] * length,
            "look": [NOTHING] * length,
            "colour": [-1] * length,
            "shape": [-1] * length,
            "segment": [0] * length,
        }
        positions = [prefix_positions]
        for number, turn in enumerate(self.turns(rng, scene, short), 1):
            for key, values in turn.items():
                row[key] += values
            row["segment"] += [number] * len(turn["ids"])
            positions.append(np.tile(np.arange(len(turn["ids"])) + after + 1, (3, 1)))
        row["positions"] = np.concatenate(positions, 1)
        look = np.array(row["look"])
        target = np.where((look >= 0) & (look < NONE_LEFT), look, 0)
        row["written box"] = ((box[target] - 98) / 56).astype(np.float32)
        row["written digits"] = digits[target]
        return row


# ----------------------------------------------------------------------------------------- losses


class Losses:
    def __init__(self, network: Network, batches: Batches):
        self.network, self.batches = network, batches
        self.told: dict[str, list[float]] = {}

    def tell(self, step: int, every: int = 100, **values) -> None:
        """Prints the means of what is going on."""
        for key, value in values.items():
            self.told.setdefault(key, []).append(float(torch.as_tensor(value).detach()))
        if (step + 1) % every == 0:
            if not dist.is_initialized() or dist.get_rank() == 0:
                print(step + 1, " ".join(f"{k} {np.mean(v):.3f}" for k, v in self.told.items()), flush=True)
            self.told = {}

    def cells(self, b: dict, seen, states):
        """What the heads read off the image tokens: after the tower, and after the seeing layers."""
        net = self.network
        out = net.heads["cell"](seen)
        there = b["owner"] >= 0
        colour = F.cross_entropy(out[..., :9].flatten(0, 1), b["cell colour"].flatten())
        shape = F.cross_entropy(out[..., 9:16].flatten(0, 1), b["cell shape"].flatten())
        centre = b["centre"][there]
        weight = 0.1 + 0.9 * centre
        weight = weight / weight.sum()
        mean = lambda x: (x.flatten(1).mean(1) * weight).sum()
        offset = mean(F.smooth_l1_loss(out[..., 16:20][there], b["offset"][there], beta=0.1, reduction="none"))
        middle = F.binary_cross_entropy_with_logits(out[..., 20][there], centre)
        digits = net.head("digits", states[there]).view(-1, 11)
        digits = mean(F.cross_entropy(digits, b["digits"][there].flatten(), reduction="none").view(-1, 12))
        place = net.head("place", states)
        box = mean(F.smooth_l1_loss(place[..., :4][there], b["box"][there], beta=0.1, reduction="none"))
        here = F.smooth_l1_loss(place[..., 4:], b["here"].expand(len(place), -1, -1), beta=0.1)
        kind = net.head("kind", states[there])
        kind = F.cross_entropy(kind[:, :9], b["cell colour"][there]) + F.cross_entropy(kind[:, 9:], b["cell shape"][there])
        middles = b["centre"] > 0
        right = lambda logits, truth: (logits.argmax(-1) == truth)[there].float().mean()
        figures = {
            "colour": right(out[..., :9], b["cell colour"]),
            "shape": right(out[..., 9:16], b["cell shape"]),
            "pixels": (place[..., :4][middles] - b["box"][middles]).abs().mean().detach() * 56,
        }
        return 0.5 * middle + colour + shape + 2 * offset + digits + 2 * box + here + kind, figures

    def sight(self, rng, step: int):
        b = self.batches.draw(rng, step, 32, questions=False)
        net, start = self.network, b["start"]
        seen = net.see(b["pixels"], b["height"], b["width"])
        h = torch.cat([net.decoder.embed_tokens(b["ids"][:, :start]), seen], 1)
        states, _ = net.read(h, b["positions"], None, SEEING)
        loss, figures = self.cells(b, seen, states[-1][:, start:])
        self.tell(step, **figures)
        return loss

    def looking(self, b: dict, looks) -> tuple[torch.Tensor, dict]:
        """One head must have its mass on the object that is written next; on none of them if none is left."""
        rows, at = (b["look"] >= 0).nonzero(as_tuple=True)
        target = b["look"][rows, at]
        owner = b["owner"][rows]
        mine = owner == target[:, None]
        centre = mine & (b["centre"][rows] > 0)
        some, none = centre.any(1), target == NONE_LEFT
        first = b["start"]
        total, figures = 0.0, {}
        for i, (q, k) in looks.items():
            scores = (q @ k.transpose(1, 2) * q.shape[-1] ** -0.5)[rows, at]
            scores = scores.masked_fill(~b["mask"][:, 0][rows, at], -1e4)
            on_cells = F.log_softmax(scores, -1)[:, first : first + b["cells"]]
            mass = lambda cells, which: torch.logsumexp(on_cells[which].masked_fill(~cells[which], -1e4), -1)
            on_object, on_centre = mass(mine, some), mass(centre, some)
            on_any = mass(owner >= 0, none).clamp(max=-1e-4)
            away = -torch.log1p(-on_any.exp()).clamp(min=-8)
            total = total + (-0.5 * (on_object + on_centre).sum() + away.sum()) / max(1, len(rows))
            figures[f"on {i}"] = on_object.exp().mean().detach()
        return total, figures

    def answers(self, rng, step: int, short: float, see: bool, helped: float):
        """``short`` questions stop at the first box; ``see`` trains the tower; ``helped`` weighs the heads."""
        b = self.batches.draw(rng, step, 16, questions=True, short=short)
        net, start, n = self.network, b["start"], b["cells"]
        with torch.set_grad_enabled(see):
            seen = net.see(b["pixels"], b["height"], b["width"])
        h = net.decoder.embed_tokens(b["ids"])
        h = torch.cat([h[:, :start], seen, h[:, start + n :]], 1)
        states, looks = net.read(h, b["positions"], b["mask"])
        last = rms(net.decoder.norm, states[-1])
        goal, weight = b["labels"][:, 1:], b["weights"][:, 1:]
        asked = goal >= 0
        logits = F.linear(last[:, :-1][asked], net.model.lm_head.weight)
        each = F.cross_entropy(logits, goal[asked], reduction="none")
        weight = weight[asked]
        words = (each * weight).sum() / weight.sum()

        cells, figures = self.cells(b, seen, states[SEEING - 1][:, start : start + n])
        known = b["colour"] >= 0
        kind = net.head("kind", states[SEEING - 1][known])
        heard = F.cross_entropy(kind[:, :9], b["colour"][known]) + F.cross_entropy(kind[:, 9:], b["shape"][known])
        looking, on = self.looking(b, looks)
        writing = (b["look"] >= 0) & (b["look"] < NONE_LEFT)
        written = 0.0
        for i, share in zip(SEARCHING, (0.5, 1.0)):
            state = states[i][writing]
            digits = F.cross_entropy(net.head("digits", state).view(-1, 11), b["written digits"][writing].flatten())
            place = net.head("place", state)[:, :4]
            written = written + share * (digits + 2 * F.smooth_l1_loss(place, b["written box"][writing], beta=0.1))
        digit = self.batches.digit[goal[asked]]
        self.tell(
            step,
            words=words,
            digit=each[digit].mean() if digit.any() else 0,
            first=each[weight == 4].mean(),
            more=each[weight == 3].mean() if (weight == 3).any() else 0,
            heard=heard,
            **on,
            pixels=figures["pixels"],
        )
        return 3 * words + helped * (0.3 * cells + heard + looking + written)


# --------------------------------------------------------------------------------------- the whole


def check(network: Network, batches: Batches) -> None:
    """The packed pass equals the library's, turn by turn."""
    b = batches.draw(np.random.default_rng(5), 0, 2, questions=True)
    model, start, n = network.model.eval(), b["start"], b["cells"]
    with torch.no_grad():
        seen = network.see(b["pixels"], b["height"], b["width"])
        h = network.decoder.embed_tokens(b["ids"])
        h = torch.cat([h[:, :start], seen, h[:, start + n :]], 1)
        logits = F.linear(rms(network.decoder.norm, network.read(h, b["positions"], b["mask"])[0][-1]), model.lm_head.weight)
        for row in range(2):
            pixels = b["pixels"][row].view(-1, 3, 1, PATCH * PATCH).expand(-1, -1, 2, -1).reshape(-1, 6 * PATCH * PATCH)
            segment = b["segment"][row]
            for turn in range(1, int(segment.max()) + 1):
                keep = (segment == 0) | (segment == turn)
                ids = b["ids"][row][keep][None]
                theirs = model(
                    input_ids=ids,
                    pixel_values=pixels,
                    image_grid_thw=torch.tensor([[1, b["height"] // PATCH, b["width"] // PATCH]]),
                    mm_token_type_ids=(ids == batches.image).int(),
                    attention_mask=torch.ones_like(ids),
                ).logits[0]
                off = (logits[row][keep] - theirs).abs().max().item()
                print(f"picture {row}, turn {turn}: {off:.1e}")
                assert off < 1e-3
        print(batches.tokenizer.decode(b["ids"][0].tolist()))


def save(model, tokenizer, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    token = tokenizer.convert_tokens_to_ids
    half = copy.deepcopy(model).half()
    half.generation_config.eos_token_id = [token("<|im_end|>"), token("<|endoftext|>")]
    half.generation_config.pad_token_id = token("<|endoftext|>")
    half.generation_config.do_sample = False
    half.save_pretrained(folder)
    # As published: the template in both files. One in chat_template.jinja would not be in SHA256SUMS.
    tokenizer.save_pretrained(folder, save_jinja_files=False)
    (folder / "chat_template.json").write_text(json.dumps({"chat_template": tokenizer.chat_template}, indent=2) + "\n")
    processor = {
        "do_convert_rgb": True,
        "do_normalize": True,
        "do_rescale": True,
        "do_resize": True,
        "image_mean": CLIP_MEAN,
        "image_processor_type": "Qwen2VLImageProcessor",
        "image_std": CLIP_STD,
        "max_pixels": 448 * 448,
        "merge_size": 2,
        "min_pixels": 56 * 56,
        "patch_size": PATCH,
        "resample": 3,
        "rescale_factor": 1 / 255,
        "temporal_patch_size": 2,
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(processor, indent=2) + "\n")
    write_sums(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True, help="states of interrupted stages")
    parser.add_argument("--sight-steps", type=int, default=1000)
    parser.add_argument("--search-steps", type=int, default=600)
    parser.add_argument("--answer-steps", type=int, default=1700)
    parser.add_argument("--check", action="store_true", help="only compare the training's sums with the library's")
    a = parser.parse_args()
    torch.set_num_threads(1)
    if "RANK" in os.environ:
        dist.init_process_group("gloo")
    rank = int(os.environ.get("RANK", 0))

    a.work.mkdir(parents=True, exist_ok=True)
    vocabulary = a.work / "tokenizer"
    if rank == 0 and not (vocabulary / "tokenizer.json").exists():
        vocabularies.write_qwen(vocabulary, corpus(), TEMPLATE)
    if dist.is_initialized():
        dist.barrier()
    tokenizer = AutoTokenizer.from_pretrained(vocabulary)
    network = Network(new_model(configuration(tokenizer)))
    batches = Batches(tokenizer)
    if a.check:
        check(network, batches)
        return
    losses = Losses(network, batches)
    everything = [*network.model.parameters(), *network.heads.parameters()]
    tower = {id(p) for p in network.tower.parameters()}
    layers = [p for layer in network.decoder.layers[:SEEING] for p in layer.parameters()]
    seeing = [*network.tower.parameters(), *layers, network.decoder.norm.weight, *network.heads.parameters()]
    fit(SEED, "sight", a.work, seeing, a.sight_steps, 2e-3, losses.sight, warm=0.01, end=0.3)
    resting = [p for p in everything if id(p) not in tower]
    search = lambda rng, step: losses.answers(rng, step, short=0.7, see=False, helped=1.0)
    fit(SEED, "search", a.work, resting, a.search_steps, 1.3e-3, search, warm=0.03, end=0.5, decay=0.02)

    def answers(rng, step):
        f = step / a.answer_steps
        return losses.answers(rng, step, short=0.35 * (1 - f), see=True, helped=1.0 if f < 0.6 else max(0.2, 2.5 - 2.5 * f))

    fit(SEED, "answers", a.work, everything, a.answer_steps, 1.3e-3, answers, warm=0.03, end=0.03, decay=0.02)
    if rank == 0:
        save(network.model, tokenizer, a.out)


if __name__ == "__main__":
    main()
