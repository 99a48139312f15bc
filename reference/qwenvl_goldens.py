"""Tiny Qwen2.5-VL checkpoints in both published layouts, a Qwen2-VL, and what transformers computes with them.

    python qwenvl_goldens.py                    # makes checkpoints and goldens
    python qwenvl_goldens.py --check-mistakes   # and shows that they catch the usual mistakes

Writes lmm-qwenvl/src/test/resources/golden/<name>: ``qwen4`` has the layout of the published files (flat config,
``visual.*`` and ``model.*``, two shards, vocab.json and merges.txt, an output layer of its own), ``qwen5`` the one
transformers 5 writes (text_config, renamed tensors, tokenizer.json, tied); ``qwen2`` is a Qwen2-VL as published. golden.safetensors holds whole tensors,
golden.json conversations, ids, positions and answers. Weights are seeded bf16, made larger than at initialisation, so
that windows, masks and positions matter; everything is computed in float32.

Pictures go through the Pillow backend of the image processor, frames of a video too. Text after a picture or video goes
on at the largest position of all axes plus one: the rule of the time when the weights were published, which transformers
5.23 keeps for pictures but not for a video whose time runs past its sides (``positions`` checks where both agree).
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
import transformers
from PIL import Image
from safetensors.torch import load_file, save_file
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import (Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration, Qwen2VLConfig,
                          Qwen2VLForConditionalGeneration)
from transformers.models.qwen2.tokenization_qwen2 import PRETOKENIZE_REGEX
from transformers.models.qwen2_5_vl import modeling_qwen2_5_vl as modeling
from transformers.models.qwen2_vl import modeling_qwen2_vl as modeling2
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

sys.path.insert(0, str(Path(__file__).parent / "tiny"))

import vocabularies

OUT = Path(__file__).parent.parent / "lmm-qwenvl/src/test/resources/golden"
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|object_ref_start|>", "<|object_ref_end|>", "<|box_start|>",
           "<|box_end|>", "<|quad_start|>", "<|quad_end|>", "<|vision_start|>", "<|vision_end|>", "<|vision_pad|>",
           "<|image_pad|>", "<|video_pad|>"]
PLAIN = ["<tool_call>", "</tool_call>", "<|fim_prefix|>", "<|file_sep|>"]
MIN_PIXELS, MAX_PIXELS = 56 * 56, 56 * 56 * 22
TEMPLATE = (
    "{% set image_count = namespace(value=0) %}{% set video_count = namespace(value=0) %}{% for message in messages %}"
    "{% if loop.first and message['role'] != 'system' %}<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"
    "{% endif %}<|im_start|>{{ message['role'] }}\n{% if message['content'] is string %}{{ message['content'] }}"
    "<|im_end|>\n{% else %}{% for content in message['content'] %}{% if content['type'] == 'image' or 'image' in content"
    " or 'image_url' in content %}{% set image_count.value = image_count.value + 1 %}{% if add_vision_id %}Picture "
    "{{ image_count.value }}: {% endif %}<|vision_start|><|image_pad|><|vision_end|>{% elif content['type'] == 'video' or"
    " 'video' in content %}{% set video_count.value = video_count.value + 1 %}{% if add_vision_id %}Video "
    "{{ video_count.value }}: {% endif %}<|vision_start|><|video_pad|><|vision_end|>{% elif 'text' in content %}"
    "{{ content['text'] }}{% endif %}{% endfor %}<|im_end|>\n{% endif %}{% endfor %}{% if add_generation_prompt %}"
    "<|im_start|>assistant\n{% endif %}"
)

# Pictures: name, width, height. Odd sizes: windows at the edges are not full; one side that divides by four cells.
PICTURES = {"wide": (331, 137), "tall": (90, 250), "square": (224, 224), "small": (30, 20), "strip": (700, 10)}
# Videos: name, frames, width, height, frames a second.
VIDEOS = {"clip": (5, 150, 120, 2.0), "slow": (4, 84, 84, 0.4), "one": (1, 100, 60, 3.0)}


# Whose numbers are kept whole; the others are seen through their features.
PIXELS = ["wide", "small", "strip", "clip", "one"]


def user(text, *media):
    parts = [{"type": "video" if m in VIDEOS else "image", "name": m} for m in media]
    return {"role": "user", "content": [*parts, {"type": "text", "text": text}]}


CASES = [
    [user("What is in this picture?", "wide")],
    [user("빨간 원은 어디에 있어?", "tall")],
    [user("Compare the two pictures.", "square", "wide")],
    [user("one red circle", "small")],
    [user("a strip", "strip")],
    [user("What moves?", "clip")],
    [user("움직이는 것은?", "slow")],
    [user("one frame", "one")],
    [{"role": "system", "content": "Answer in Korean."}, user("picture and video", "tall", "clip")],
    [user("first", "tall"), {"role": "assistant", "content": "a blue star on grey"}, user("and now?", "wide")],
    [{"role": "user", "content": "no picture at all: 12 ½ Ⅳ don't"}],
]


# What a Qwen2-VL is asked: the language model is the same.
CASES2 = [CASES[i] for i in (0, 2, 5, 6, 8)]


def tokenizer(folder: Path, old: bool) -> None:
    """Byte-level pieces with Qwen's own splitting, in vocab.json and merges.txt or in tokenizer.json."""
    t = Tokenizer(models.BPE())
    t.normalizer = normalizers.NFC()
    split = pre_tokenizers.Split(Regex(PRETOKENIZE_REGEX), "isolated")
    t.pre_tokenizer = pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    t.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(vocab_size=256 + 200, initial_alphabet=alphabet, special_tokens=[], show_progress=False)
    t.train_from_iterator(vocabularies.corpus(17, 1500), trainer)
    model = json.loads(t.to_str())["model"]
    size = len(model["vocab"])
    added = {size + i: s for i, s in enumerate(SPECIAL + PLAIN)}
    token = {"lstrip": False, "normalized": False, "rstrip": False, "single_word": False}
    config = {
        "add_bos_token": False, "add_prefix_space": False, "bos_token": None, "clean_up_tokenization_spaces": False,
        "added_tokens_decoder": {str(i): {"content": s, **token, "special": s in SPECIAL} for i, s in added.items()},
        "additional_special_tokens": SPECIAL[1:], "eos_token": "<|im_end|>", "errors": "replace",
        "model_max_length": 4096, "pad_token": "<|endoftext|>", "split_special_tokens": False,
        "tokenizer_class": "Qwen2Tokenizer", "unk_token": None,
    }
    folder.mkdir(parents=True, exist_ok=True)
    if old:
        (folder / "vocab.json").write_text(json.dumps(model["vocab"], ensure_ascii=False))
        pairs = [m if isinstance(m, str) else " ".join(m) for m in model["merges"]]
        (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(pairs) + "\n")
        (folder / "chat_template.json").write_text(json.dumps({"chat_template": TEMPLATE}, indent=2) + "\n")
    else:
        whole = json.loads(t.to_str())
        whole["added_tokens"] = [{"id": i, "content": s, **token, "special": s in SPECIAL} for i, s in added.items()]
        (folder / "tokenizer.json").write_text(json.dumps(whole, ensure_ascii=False))
        (folder / "chat_template.jinja").write_text(TEMPLATE)
    (folder / "tokenizer_config.json").write_text(json.dumps(config, ensure_ascii=False, indent=1) + "\n")


def ids_of(folder: Path) -> dict[str, int]:
    config = json.loads((folder / "tokenizer_config.json").read_text())
    return {v["content"]: int(k) for k, v in config["added_tokens_decoder"].items()}


@torch.no_grad()
def larger(model: torch.nn.Module, seed: int) -> None:
    g = torch.Generator().manual_seed(seed)
    for name, p in sorted(model.named_parameters()):
        r = torch.randn(p.shape, generator=g)
        if p.ndim == 1:
            p.copy_(1 + 0.2 * r if ("norm" in name or "ln_q" in name) and name.endswith("weight") else 0.2 * r)
        elif "embed_tokens" in name:
            p.copy_(0.25 * r)
        elif "lm_head" in name:
            p.copy_(0.3 * r)
        else:
            # Small at first, so that the norms' epsilon counts.
            sharp = 0.3 if "patch_embed" in name else 1.6 if any(part in name for part in ("q_proj", "k_proj", "qkv")) else 1.2
            p.copy_(r * sharp / p[0].numel() ** 0.5)
    model.to(torch.bfloat16)


def make(name: str, folder: Path) -> None:
    old, second = name != "qwen5", name == "qwen2"
    shutil.rmtree(folder, ignore_errors=True)
    tokenizer(folder, old)
    ids = ids_of(folder)
    vision = dict(depth=4, hidden_size=48, intermediate_size=60, num_heads=2, out_hidden_size=64, patch_size=14,
                  spatial_merge_size=2, temporal_patch_size=2, window_size=112, fullatt_block_indexes=[1, 3], tokens_per_second=2)
    if second:
        vision = dict(depth=3, embed_dim=48, mlp_ratio=2, num_heads=2, hidden_size=64, patch_size=14, spatial_merge_size=2,
                      temporal_patch_size=2)
    # No published checkpoint has windows in its language model; the second layer and those behind it have some here.
    sliding = dict(use_sliding_window=second, sliding_window=24 if second else 4096, max_window_layers=1 if second else 3)
    rope = {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [2, 3, 3]}
    text = dict(vocab_size=max(ids.values()) + 7, hidden_size=64, intermediate_size=96, num_hidden_layers=3,
                num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=4096, rope_parameters=rope,
                tie_word_embeddings=not old, rms_norm_eps=1e-6, **sliding, bos_token_id=ids["<|endoftext|>"], eos_token_id=ids["<|im_end|>"], pad_token_id=ids["<|endoftext|>"])
    named = dict(image_token_id=ids["<|image_pad|>"], video_token_id=ids["<|video_pad|>"],
                 vision_start_token_id=ids["<|vision_start|>"], vision_end_token_id=ids["<|vision_end|>"])
    config = (Qwen2VLConfig if second else Qwen2_5_VLConfig)(
        text_config=text, vision_config=vision, tie_word_embeddings=not old, **named)
    model = MODELS[name](config)
    larger(model, SEEDS[name])
    model.tie_weights()
    ends = [ids["<|im_end|>"], ids["<|endoftext|>"]]
    generation = {"bos_token_id": ends[1], "pad_token_id": ends[1], "do_sample": old, "eos_token_id": ends}
    sizes = {"image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711],
             "image_processor_type": "Qwen2VLImageProcessor", "merge_size": 2, "patch_size": 14, "temporal_patch_size": 2}
    if old:
        generation |= {"repetition_penalty": 1.05, "temperature": 0.000001}
        sizes |= {"min_pixels": MIN_PIXELS, "max_pixels": MAX_PIXELS, "processor_class": "Qwen2_5_VLProcessor"}
        write_old(model, folder, text, vision, named)
    else:
        sizes |= {"size": {"shortest_edge": MIN_PIXELS, "longest_edge": MAX_PIXELS}, "resample": 3, "do_resize": True,
                  "do_rescale": True, "do_normalize": True, "rescale_factor": 1 / 255, "do_convert_rgb": True}
        model.save_pretrained(folder)
    (folder / "generation_config.json").write_text(json.dumps(generation, indent=2) + "\n")
    (folder / "preprocessor_config.json").write_text(json.dumps(sizes, indent=2) + "\n")


def write_old(model, folder: Path, text: dict, vision: dict, named: dict) -> None:
    """What was published: one flat config, the names of then, two shards."""
    tensors = {}
    for key, value in model.state_dict().items():
        key = key.replace("model.visual.", "visual.").replace("model.language_model.", "model.")
        tensors[key] = value.contiguous()
    names = sorted(tensors)
    # A layer's tensors lie in both shards.
    shards = [names[::2], names[1::2]]
    where = {}
    for i, part in enumerate(shards):
        file = f"model-{i + 1:05d}-of-00002.safetensors"
        save_file({n: tensors[n] for n in part}, folder / file, metadata={"format": "pt"})
        where |= {n: file for n in part}
    total = sum(t.numel() * t.element_size() for t in tensors.values())
    (folder / "model.safetensors.index.json").write_text(
        json.dumps({"metadata": {"total_size": total}, "weight_map": where}, indent=1) + "\n")
    rope = text["rope_parameters"]
    flat = {k: v for k, v in text.items() if k not in ("rope_parameters", "pad_token_id")}
    config = {
        "architectures": [type(model).__name__], "attention_dropout": 0.0, **flat, **named, "hidden_act": "silu",
        "model_type": model.config.model_type, "rope_theta": rope["rope_theta"],
        "rope_scaling": {"type": "mrope", "mrope_section": rope["mrope_section"]}, "torch_dtype": "bfloat16",
        "transformers_version": "4.41.2", "use_cache": True,
        "vision_config": {**vision, "hidden_act": model.config.vision_config.hidden_act, "in_chans": 3, "spatial_patch_size": 14},
    }
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")


MODELS = {"qwen4": Qwen2_5_VLForConditionalGeneration, "qwen5": Qwen2_5_VLForConditionalGeneration,
          "qwen2": Qwen2VLForConditionalGeneration}
SEEDS = {"qwen4": 6, "qwen5": 5, "qwen2": 7}


def picture(seed: int, width: int, height: int, shift: float = 0) -> Image.Image:
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width] / max(width, height)
    x = x + shift
    base = np.stack([200 * np.sin(3 * x + y) ** 2, 255 * y, 128 + 100 * np.sin(9 * x + 4 * y)], -1)
    blot = ((x - 0.5) ** 2 + (y - 0.3) ** 2 < 0.03)[..., None] * np.array([90, -200, 160])
    return Image.fromarray(np.clip(base + blot + rng.normal(0, 9, (height, width, 3)), 0, 255).astype(np.uint8))


def media(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for i, (name, (w, h)) in enumerate(PICTURES.items()):
        picture(100 + i, w, h).save(folder / f"{name}.png")
    for i, (name, (n, w, h, _)) in enumerate(VIDEOS.items()):
        (folder / name).mkdir()
        for k in range(n):
            picture(200 + i, w, h, 0.12 * k).save(folder / name / f"{k:03d}.png")


class Reference:
    """A checkpoint as transformers computes it in float32, one conversation at a time."""

    def __init__(self, name: str):
        self.folder = OUT / name
        self.model = MODELS[name].from_pretrained(self.folder, dtype=torch.float32).eval()
        assert self.model.dtype == torch.float32
        self.ids = ids_of(self.folder)
        self.tokenizer = transformers.AutoTokenizer.from_pretrained(self.folder)
        self.processor = Qwen2VLImageProcessorPil.from_pretrained(self.folder)
        self.sections = (2, 3, 3)
        self.old = name == "qwen4"
        self.second = name == "qwen2"
        self.cases = CASES2 if self.second else CASES

    def pixels(self, name: str, resample=None):
        """Rows of patches and the grid; two frames stand in each row."""
        more = {} if resample is None else {"resample": resample}
        one = lambda file: self.processor(Image.open(file), return_tensors="pt", **more)
        file = OUT / "media" / f"{name}.png"
        if name in PICTURES:
            made = one(file)
            return made["pixel_values"], made["image_grid_thw"]
        frames = [one(f) for f in sorted((OUT / "media" / name).iterdir())]
        frames += frames[-1:] * (len(frames) % 2)
        rows = [f["pixel_values"].view(-1, 3, 2, 14 * 14) for f in frames]
        pairs = [torch.stack([a[:, :, 0], b[:, :, 0]], 2).reshape(len(a), -1) for a, b in zip(rows[::2], rows[1::2])]
        grid = frames[0]["image_grid_thw"].clone()
        grid[0, 0] = len(pairs)
        return torch.cat(pairs), grid

    def conversation(self, messages) -> dict:
        text = self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True, chat_template=TEMPLATE)
        parts = [p for m in messages if isinstance(m["content"], list) for p in m["content"] if p["type"] != "text"]
        pixels = {p["name"]: self.pixels(p["name"]) for p in parts}
        for kind, token in (("image", "<|image_pad|>"), ("video", "<|video_pad|>")):
            own = [p for p in parts if p["type"] == kind]
            pieces = text.split(token)
            text = pieces[0]
            for p, piece in zip(own, pieces[1:]):
                text += "<hole>" * int(pixels[p["name"]][1].prod() // 4) + piece
            text = text.replace("<hole>", token)
        ids = torch.tensor(self.tokenizer(text)["input_ids"])
        return {"ids": ids, "parts": parts, "pixels": pixels, "positions": self.positions(ids, parts, pixels)}

    def positions(self, ids, parts, pixels, check=True) -> torch.Tensor:
        rows, start, at, part = [], 0, 0, 0
        pads = {self.ids["<|image_pad|>"], self.ids["<|video_pad|>"]}
        while at < len(ids):
            if int(ids[at]) not in pads:
                rows.append(torch.full((3, 1), start))
                start, at = start + 1, at + 1
                continue
            name = parts[part]["name"]
            part += 1
            t, h, w = (int(n) for n in pixels[name][1][0])
            h, w = h // 2, w // 2
            seconds = name in VIDEOS and not self.second
            step = np.float32(2 * (2 / VIDEOS[name][3])) if seconds else np.float32(1)
            times = torch.tensor([int(np.float32(i) * step) for i in range(t)])
            grid = torch.stack(torch.meshgrid(times, torch.arange(h), torch.arange(w), indexing="ij")).reshape(3, -1) + start
            rows.append(grid)
            start, at = int(grid.max()) + 1, at + t * h * w
        mine = torch.cat(rows, 1)
        if not check:
            return mine
        kinds = torch.tensor([[1 if int(i) == self.ids["<|image_pad|>"] else 2 if int(i) == self.ids["<|video_pad|>"] else 0 for i in ids]])
        grids = {k: [pixels[p["name"]][1] for p in parts if p["type"] == k] for k in ("image", "video")}
        seconds = [2 / VIDEOS[p["name"]][3] for p in parts if p["type"] == "video"]
        more = {} if self.second else {"second_per_grid_ts": torch.tensor(seconds) if seconds else None}
        theirs, _ = self.model.model.get_rope_index(
            ids[None], kinds, torch.cat(grids["image"]) if grids["image"] else None,
            torch.cat(grids["video"]) if grids["video"] else None, **more)
        if "video" not in {p["type"] for p in parts}:
            assert torch.equal(theirs[:, 0], mine), "positions"
        return mine

    @torch.no_grad()
    def features(self, rows, grid) -> torch.Tensor:
        return self.model.model.visual(rows, grid_thw=grid).pooler_output

    @torch.no_grad()
    def logits(self, c: dict, extra: list[int] = [], positions=None) -> torch.Tensor:
        """Logits after the conversation and the tokens of an answer."""
        positions = c["positions"] if positions is None else positions
        ids = torch.cat([c["ids"], torch.tensor(extra, dtype=torch.long)])
        more = int(positions.max()) + 1 + torch.arange(len(extra))
        positions = torch.cat([positions, more.expand(3, -1)], 1)
        x = self.model.model.language_model.embed_tokens(ids)
        pads = {self.ids["<|image_pad|>"], self.ids["<|video_pad|>"]}
        # A placeholder that the model itself writes is a token like others.
        holes = torch.tensor([i < len(c["ids"]) and int(id) in pads for i, id in enumerate(ids)])
        if holes.any():
            x[holes] = torch.cat([c["features"][p["name"]] for p in c["parts"]])
        hidden = self.model.model.language_model(inputs_embeds=x[None], position_ids=positions[:, None]).last_hidden_state
        return self.model.lm_head(hidden[0, -1])

    def answer(self, c: dict, tokens: int, penalty: float):
        """Greedy after the penalty over everything so far; the model's own log-probabilities."""
        written, logprobs, margin, first = [], [], 1e9, None
        for _ in range(tokens):
            logits = self.logits(c, written)
            first = logits if first is None else first
            own = logits.double().log_softmax(-1)
            scores = logits.clone()
            if penalty != 1:
                seen = torch.tensor(sorted(set(c["ids"].tolist() + written)))
                scores[seen] = torch.where(scores[seen] < 0, scores[seen] * penalty, scores[seen] / penalty)
            # Ends are forbidden, so that every answer has its 64 tokens.
            scores[[self.ids["<|im_end|>"], self.ids["<|endoftext|>"]]] = -torch.inf
            best = scores.topk(2).values
            margin = min(margin, float(best[0] - best[1]))
            written.append(int(scores.argmax()))
            logprobs.append(float(own[written[-1]]))
        return first, written, logprobs, margin


def table() -> torch.Tensor:
    """What the processor makes of each of the 256 levels of each channel, [3, 256]."""
    square = np.arange(256, dtype=np.uint8).repeat(3).reshape(1, 256, 3).repeat(56, 0)
    made = Qwen2VLImageProcessorPil(do_resize=False)(Image.fromarray(np.concatenate([square, square], 1)[:, :280]), return_tensors="pt")
    rows = made["pixel_values"].view(2, 10, 2, 2, 3, 2, 14, 14)
    return rows[0, :, 0, :, :, 0, 0].permute(2, 0, 1, 3).reshape(3, 280)[:, :256].contiguous()


def levels(rows: torch.Tensor) -> torch.Tensor:
    """The level of each number, uint8: a quarter of the size, and nothing is lost."""
    of, by_channel = table(), rows.view(len(rows), 3, -1)
    found = torch.stack([(by_channel[:, c, :, None] - of[c]).abs().argmin(-1) for c in range(3)], 1)
    back = torch.stack([of[c][found[:, c]] for c in range(3)], 1)
    assert torch.equal(back, by_channel)
    return found.to(torch.uint8).view(len(rows), -1).contiguous()


def golden(name: str) -> None:
    r = Reference(name)
    tensors, cases = {}, []
    if r.old:
        tensors["table"] = table()
    for media_name in [*PICTURES, *VIDEOS]:
        rows, grid = r.pixels(media_name)
        if r.old and media_name in PIXELS:
            tensors[f"levels.{media_name}"] = levels(rows)
        tensors[f"grid.{media_name}"] = grid[0].to(torch.int64).contiguous()
        tensors[f"features.{media_name}"] = r.features(rows, grid).contiguous()
    for i, messages in enumerate(r.cases):
        c = r.conversation(messages)
        c["features"] = {n: tensors[f"features.{n}"] for n in c["pixels"]}
        first, written, logprobs, margin = r.answer(c, 64, 1.0 if name == "qwen5" else 1.05)
        assert margin > 3e-5, (name, i, margin)
        tensors[f"logits.{i}"] = first.contiguous()
        cases.append({"messages": messages, "ids": c["ids"].tolist(), "positions": c["positions"].tolist(),
                      "answer": written, "logprobs": logprobs, "text": r.tokenizer.decode(written, skip_special_tokens=True)})
        print(name, i, len(c["ids"]), "entries, margin", round(margin, 4), "different", len(set(written)))
    save_file(tensors, r.folder / "golden.safetensors")
    value = {"transformers": transformers.__version__, "torch": torch.__version__, "cases": cases,
             "videos": {n: {"frames": v[0], "fps": v[3]} for n, v in VIDEOS.items()}}
    (r.folder / "golden.json").write_text(json.dumps(value, ensure_ascii=False) + "\n")
    size = sum(f.stat().st_size for f in r.folder.rglob("*") if f.is_file())
    print(name, size // 1000, "kB")


def mistakes(name: str) -> list[tuple[str, float]]:
    """What usual mistakes change, at most over all cases."""
    r = Reference(name)
    golden = load_file(r.folder / "golden.safetensors")
    rows = []

    def features_off(what, names=(*PICTURES, *VIDEOS), change=None):
        worst = 0.0
        for n in names:
            pixels, grid = r.pixels(n)
            made = change(pixels, grid) if change else r.features(pixels, grid)
            worst = max(worst, float((made - golden[f"features.{n}"]).abs().max()))
        rows.append((f"vision: {what}", worst))

    def logits_off(what, change, before=lambda c: None):
        worst = 0.0
        for i, messages in enumerate(CASES):
            c = r.conversation(messages)
            c["features"] = {n: golden[f"features.{n}"] for n in c["pixels"]}
            before(c)
            worst = max(worst, float((r.logits(c, positions=change(c)) - golden[f"logits.{i}"]).abs().max()))
        rows.append((f"text: {what}", worst))

    v, t = r.model.model.visual, r.model.model.language_model
    assert max(float((r.features(*r.pixels(n)) - golden[f"features.{n}"]).abs().max()) for n in PICTURES) < 1e-6

    def patched(owner, attribute, value, what, **more):
        kept = getattr(owner, attribute)
        setattr(owner, attribute, value)
        try:
            features_off(what, **more)
        finally:
            setattr(owner, attribute, kept)

    patched(v, "fullatt_block_indexes", [0, 1, 2, 3], "full attention everywhere")
    patched(v, "fullatt_block_indexes", [], "windows everywhere")
    patched(v, "fullatt_block_indexes", [0, 2], "full attention in the wrong blocks")
    kept = modeling.get_vision_window_index

    def windows(size):
        return lambda grid, **k: kept(grid, **{**k, "window_size": size})

    patched(modeling, "get_vision_window_index", windows(56), "windows half as wide")
    patched(modeling, "get_vision_window_index", windows(224), "windows twice as wide")
    patched(modeling, "get_vision_attention_seqlens",
            lambda grid, c, **k: (torch.tensor([0, int(grid.prod())], dtype=torch.int32), int(grid.prod())),
            "full attention over all times of a video", names=["clip", "slow"])
    kept_ids = modeling.get_vision_position_ids
    patched(modeling, "get_vision_position_ids", lambda *a, **k: kept_ids(*a, **k).flip(1), "height and width swapped in the rotation")
    patched(modeling, "get_vision_position_ids", lambda *a, **k: 0 * kept_ids(*a, **k), "no rotation")
    patched(modeling, "get_vision_position_ids",
            lambda grid, m, **k: torch.stack([torch.arange(int(grid[0, 1])).repeat_interleave(int(grid[0, 2])).repeat(int(grid[0, 0])),
                                              torch.arange(int(grid[0, 2])).repeat(int(grid[0, 1])).repeat(int(grid[0, 0]))], 1).to(grid.dtype),
            "positions row by row instead of cell by cell")
    patched(v.merger.mlp, "1", torch.nn.GELU(approximate="tanh"), "tanh gelu in the merger")
    for block in v.blocks:
        block.mlp.act_fn = torch.nn.GELU()
    features_off("gelu instead of silu")
    for block in v.blocks:
        block.mlp.act_fn = torch.nn.SiLU()
    for part in v.modules():
        if hasattr(part, "variance_epsilon"):
            part.variance_epsilon = 1e-5
    features_off("norm epsilon 1e-5")
    for part in v.modules():
        if hasattr(part, "variance_epsilon"):
            part.variance_epsilon = 1e-6
    features_off("second frame of a pair left out", names=["clip", "slow"],
                 change=lambda p, g: r.features(p.view(-1, 3, 2, 196)[:, :, :1].expand(-1, -1, 2, -1).reshape(len(p), -1), g))
    features_off("time before channel in a row", names=["clip"],
                 change=lambda p, g: r.features(p.view(-1, 3, 2, 196).transpose(1, 2).reshape(len(p), -1), g))
    features_off("bilinear instead of bicubic", names=["wide"], change=lambda p, g: r.features(*r.pixels("wide", 2)))

    logits_off("one axis of positions", lambda c: torch.arange(len(c["ids"])).expand(3, -1))
    logits_off("height and width swapped", lambda c: c["positions"][[0, 2, 1]])
    logits_off("time and height swapped", lambda c: c["positions"][[1, 0, 2]])

    def after_sides(c):
        p = c["positions"].clone()
        pads = {r.ids["<|image_pad|>"], r.ids["<|video_pad|>"]}
        seen = False
        for i, token in enumerate(c["ids"].tolist()):
            if token in pads:
                seen = True
            elif seen:
                p[:, i] += 1
        return p

    logits_off("text after a picture one further", after_sides)

    def whole_seconds(c):
        p = c["positions"].clone()
        for i, token in enumerate(c["ids"].tolist()):
            if token == r.ids["<|video_pad|>"]:
                p[0, i] = p[1:, i].min()
        return p

    logits_off("a video without time", whole_seconds)
    logits_off("pictures in the wrong order", lambda c: None,
               lambda c: c.update(parts=c["parts"][::-1]) if len(c["parts"]) > 1 else None)
    sections = t.rotary_emb.mrope_section
    t.rotary_emb.mrope_section = [3, 3, 2]
    logits_off("sections of other lengths", lambda c: None)
    t.rotary_emb.mrope_section = sections
    kept_freq = t.rotary_emb.inv_freq.clone()
    t.rotary_emb.inv_freq = torch.nn.Buffer(1 / (1e6 ** (torch.arange(0, 16, 2) / 16)), persistent=False)
    logits_off("another theta", lambda c: None)
    t.rotary_emb.inv_freq = torch.nn.Buffer(kept_freq, persistent=False)
    for part in t.modules():
        if hasattr(part, "variance_epsilon"):
            part.variance_epsilon = 1e-5
    logits_off("norm epsilon 1e-5", lambda c: None)
    for part in t.modules():
        if hasattr(part, "variance_epsilon"):
            part.variance_epsilon = 1e-6
    for layer in t.layers:
        layer.self_attn.k_proj.bias.data.zero_()
        layer.self_attn.q_proj.bias.data.zero_()
    logits_off("no bias of queries and keys", lambda c: None)
    return rows


def mistakes2() -> list[tuple[str, float]]:
    """What usual mistakes change in Qwen2-VL, where it differs from Qwen2.5-VL."""
    r = Reference("qwen2")
    golden = load_file(r.folder / "golden.safetensors")
    v = r.model.model.visual
    rows = []

    def features_off(what, names=(*PICTURES, *VIDEOS)):
        off = [float((r.features(*r.pixels(n)) - golden[f"features.{n}"]).abs().max()) for n in names]
        rows.append((f"vision: {what}", max(off)))

    assert max(float((r.features(*r.pixels(n)) - golden[f"features.{n}"]).abs().max()) for n in PICTURES) < 1e-6
    for what, act in (("gelu instead of quick gelu", torch.nn.GELU()), ("silu instead of quick gelu", torch.nn.SiLU())):
        kept = [b.mlp.act for b in v.blocks]
        for b in v.blocks:
            b.mlp.act = act
        features_off(what)
        for b, act in zip(v.blocks, kept):
            b.mlp.act = act
    norms = {n: m for n, m in v.named_modules() if isinstance(m, torch.nn.LayerNorm)}
    forward = torch.nn.LayerNorm.forward
    torch.nn.LayerNorm.forward = lambda m, x: torch.nn.functional.rms_norm(x, m.normalized_shape, m.weight, m.eps)
    features_off("RMS norms instead of layer norms")
    torch.nn.LayerNorm.forward = forward
    for m in norms.values():
        m.eps = 1e-5
    features_off("norm epsilon 1e-5")
    for m in norms.values():
        m.eps = 1e-6
    for what, value in (
        ("full attention over all times of a video",
         lambda grid, c, **k: (torch.tensor([0, int(grid.prod())], dtype=torch.int32), int(grid.prod()))),
    ):
        kept = modeling2.get_vision_attention_seqlens
        modeling2.get_vision_attention_seqlens = value
        features_off(what, ["clip", "slow"])
        modeling2.get_vision_attention_seqlens = kept
    kept = modeling2.get_vision_position_ids
    modeling2.get_vision_position_ids = lambda *a, **k: kept(*a, **k).flip(1)
    features_off("height and width swapped in the rotation")
    modeling2.get_vision_position_ids = kept
    worst = 0.0
    for i, messages in enumerate(r.cases):
        c = r.conversation(messages)
        c["features"] = {n: golden[f"features.{n}"] for n in c["pixels"]}
        r.second = False
        positions = r.positions(c["ids"], c["parts"], c["pixels"], check=False)
        r.second = True
        worst = max(worst, float((r.logits(c, positions=positions) - golden[f"logits.{i}"]).abs().max()))
    text = r.model.model.language_model.config

    def windows_off(what, change, back):
        change()
        worst = 0.0
        for i, messages in enumerate(r.cases):
            c = r.conversation(messages)
            c["features"] = {n: golden[f"features.{n}"] for n in c["pixels"]}
            worst = max(worst, float((r.logits(c) - golden[f"logits.{i}"]).abs().max()))
        back()
        rows.append((f"text: {what}", worst))

    types = list(text.layer_types)
    set_types = lambda value: lambda: setattr(text, "layer_types", value)
    windows_off("no windows", set_types(["full_attention"] * 3), set_types(types))
    windows_off("windows in the wrong layers", set_types(types[::-1]), set_types(types))
    set_window = lambda value: lambda: setattr(text, "sliding_window", value)
    windows_off("windows one entry shorter", set_window(23), set_window(24))
    rows.append(("text: times of a video in seconds, as Qwen2.5-VL has them", worst))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check-mistakes", action="store_true", help="write reference/mistakes-qwenvl.md")
    parser.add_argument("--only", nargs="*", choices=list(MODELS), help="make these alone")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    transformers.logging.set_verbosity_error()
    torch.set_num_threads(1)
    media(OUT / "media")
    for name in arguments.only or MODELS:
        make(name, OUT / name)
        golden(name)
    if arguments.check_mistakes:
        tables = {name: mistakes(name) for name in ("qwen4", "qwen5")}
        lines = ["# What the Qwen2.5-VL goldens catch", "",
                 "How far each mistake moves a golden, at most over all cases. The Java tests allow 1e-4.", "",
                 "| mistake | qwen4 | qwen5 |", "|---|---|---|"]
        for (what, a), (_, b) in zip(tables["qwen4"], tables["qwen5"]):
            lines.append(f"| {what} | {a:.2g} | {b:.2g} |")
        lines += ["", "Qwen2-VL, where it differs:", "", "| mistake | qwen2 |", "|---|---|"]
        tables["qwen2"] = mistakes2()
        lines += [f"| {what} | {off:.2g} |" for what, off in tables["qwen2"]]
        (Path(__file__).parent / "mistakes-qwenvl.md").write_text("\n".join(lines) + "\n")
        print("\n".join(lines))
        missed = [w for rows in tables.values() for w, off in rows if not off > 2e-4]
        assert not missed, missed


if __name__ == "__main__":
    main()
