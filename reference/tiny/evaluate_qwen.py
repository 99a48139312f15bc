"""What tiny-qwen2.5-vl answers about scenes it never saw: the figures of README.md.

    python evaluate_qwen.py --model ../../lmm-tiny/models/tiny-qwen2.5-vl [--scenes 200] [--videos 40]
    … --write ../../lmm-tiny/src/test/resources/heldout    pictures and answers for the Java tests

The checkpoint is loaded by transformers as anybody would, weights widened to float32, and answers greedily;
pictures go through the PIL backend of its image processor. Every scene is asked, in each language, for one
colour or shape, for what is not there or for every shape, for a description and for a count. Scenes hold the
colour-shape pairs that training never showed among others.

A target is found when an answered box covers it with an IoU of at least 0.5, each box used once; a target
without a box counts with IoU 0. "The moving object" is asked for in every frame of a short clip by itself,
as tracking does: training saw no videos.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import argparse
import json
import re
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from transformers import AutoTokenizer, Qwen2_5_VLForConditionalGeneration
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

import objects

SEED = 41
FRAMES = 8


class Answers:
    """Greedy answers of a checkpoint to (picture, question) pairs."""

    def __init__(self, folder: Path):
        self.model = Qwen2_5_VLForConditionalGeneration.from_pretrained(folder, dtype=torch.float32).eval()
        self.tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left")
        self.processor = Qwen2VLImageProcessorPil.from_pretrained(folder)

    def __call__(self, asked: list[tuple[np.ndarray, str]], batch: int = 32) -> list[str]:
        out = [""] * len(asked)
        order = sorted(range(len(asked)), key=lambda i: asked[i][0].shape)
        for at in range(0, len(order), batch):
            part = order[at : at + batch]
            for i, answer in zip(part, self._answer([asked[i] for i in part])):
                out[i] = answer
        return out

    @torch.no_grad()
    def _answer(self, asked):
        seen = self.processor(images=[Image.fromarray(p) for p, _ in asked], return_tensors="pt")
        pad = self.tokenizer.convert_ids_to_tokens(self.model.config.image_token_id)
        texts = []
        for (_, question), grid in zip(asked, seen["image_grid_thw"]):
            turn = {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": question}]}
            text = self.tokenizer.apply_chat_template([turn], tokenize=False, add_generation_prompt=True)
            texts.append(text.replace(pad, pad * int(grid.prod() // 4)))
        told = self.tokenizer(texts, return_tensors="pt", padding=True)
        ids = self.model.generate(
            input_ids=told["input_ids"],
            attention_mask=told["attention_mask"],
            mm_token_type_ids=(told["input_ids"] == self.model.config.image_token_id).int(),
            **seen,
            max_new_tokens=170,
            do_sample=False,
        )
        return self.tokenizer.batch_decode(ids[:, told["input_ids"].shape[1] :], skip_special_tokens=True)


def iou(a, b) -> float:
    wide, tall = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if wide <= 0 or tall <= 0:
        return 0.0
    area = lambda c: (c[2] - c[0]) * (c[3] - c[1])
    return wide * tall / (area(a) + area(b) - wide * tall)


def regions(answer: str) -> list[dict] | None:
    """The boxes of an answer, or None if it is not exactly a list of them."""
    try:
        found = json.loads(answer)
    except ValueError:
        return None
    if not isinstance(found, list):
        return None
    for r in found:
        if not (isinstance(r, dict) and isinstance(r.get("label"), str) and isinstance(r.get("bbox_2d"), list)):
            return None
        if len(r["bbox_2d"]) != 4 or not all(type(v) is int for v in r["bbox_2d"]):
            return None
    return found


def assign(targets: list[list[int]], found: list[list[int]]) -> list[tuple[float, int]]:
    """For every target the IoU and the index of its box: the best pairs first, each box once."""
    pairs = sorted(((iou(t, f), i, j) for i, t in enumerate(targets) for j, f in enumerate(found)), reverse=True)
    out, used = [(0.0, -1)] * len(targets), set()
    for value, i, j in pairs:
        if value > 0 and out[i][1] < 0 and j not in used:
            out[i] = value, j
            used.add(j)
    return out


class Figures:
    def __init__(self):
        self.values: dict[str, list[float]] = defaultdict(list)

    def add(self, name: str, value) -> None:
        self.values[name].append(float(value))

    def found(self, name: str, scene, q, answer: str) -> None:
        """Judges an answer that should list ``q.targets``."""
        parsed = regions(answer)
        self.add(f"{name}: parses", parsed is not None)
        parsed = parsed or []
        targets = [scene.objects[i] for i in q.targets]
        self.add(f"{name}: right number of boxes", len(parsed) == len(targets))
        for o, (value, j) in zip(targets, assign([o.box for o in targets], [r["bbox_2d"] for r in parsed])):
            label = j >= 0 and parsed[j]["label"] == o.name
            for key in (name, f"{name}, {len(scene.objects)} objects"):
                self.add(f"{key}: recall at 0.5", value >= 0.5)
                self.add(f"{key}: mean IoU", value)
            self.add(f"{name}: found and labelled", value >= 0.5 and label)
            if (o.colour, o.shape) in objects.UNSEEN and len(scene.objects) > 1:
                self.add("unseen pairs among others: found and labelled", value >= 0.5 and label)
        for r in parsed:
            best = max((iou(o.box, r["bbox_2d"]) for o in targets), default=0.0)
            self.add(f"{name}: precision at 0.5", best >= 0.5)

    def described(self, name: str, scene, q, answer: str) -> None:
        self.add(f"{name}: exact", answer == q.answer)
        rest, named = answer.lower(), 0
        for o in scene.objects:
            words = o.korean if q.korean else o.name
            # Whole words: "red star" is not in "red stars"; a Korean noun may carry a particle.
            hit = re.search(rf"(?<!\w){re.escape(words)}" + ("(?:이|가)?" if q.korean else "") + r"(?!\w)", rest)
            if hit:
                rest = rest[: hit.start()] + "#" + rest[hit.end() :]
                named += 1
            self.add(f"{name}: objects named", hit is not None)
        self.add(f"{name}: all objects named", named == len(scene.objects))

    def report(self) -> dict[str, list]:
        return {key: [round(float(np.mean(v)), 4), len(v)] for key, v in sorted(self.values.items())}


def pictures(count: int):
    """(scene, question) pairs: four questions of each scene in each language."""
    for i in range(count):
        rng = np.random.default_rng([SEED, i])
        scene = objects.scene(rng, *objects.random_size(rng), training=False)
        for korean in (False, True):
            for task in ("locate", "absent" if i % 2 else "all", "caption", "count"):
                yield scene, objects.question(rng, scene, task, korean, training=False)


def clips(count: int):
    """One object on a straight way, others at rest: (scene, question about the moving one) of each frame."""
    for i in range(count):
        rng = np.random.default_rng([SEED, 1, i])
        while True:
            width, height = objects.random_size(rng)
            scene = objects.scene(rng, width, height, 1, 3, training=False)
            moving = int(rng.integers(len(scene.objects)))
            o = scene.objects[moving]
            size = np.array(o.box[2:]) - o.box[:2]
            goal = rng.integers(0, [width - size[0] + 1, height - size[1] + 1])
            way = [np.rint(o.box[:2] + (goal - o.box[:2]) * f).astype(int) for f in np.linspace(0, 1, FRAMES)]
            boxes = [[*map(int, p), *map(int, p + size)] for p in way]
            others = [x for x in scene.objects if x is not o]
            alike = any((x.colour, x.shape) == (o.colour, o.shape) for x in others)
            apart = all(iou(b, [v + d for v, d in zip(x.box, (-3, -3, 3, 3))]) == 0 for b in boxes for x in others)
            if not alike and apart and np.abs(goal - o.box[:2]).max() >= 28:
                break
        look = int(rng.integers(2**31))  # the same background and colours in every frame
        for korean in (False, True):
            words = objects.phrases(o.colour, o.shape, korean)
            text = str(rng.choice(objects.KO_LOCATE if korean else objects.EN_LOCATE)).format(**words)
            for box in boxes:
                now = [objects.Object(x.colour, x.shape, box if x is o else x.box) for x in scene.objects]
                frame = objects.paint(np.random.default_rng(look), width, height, now)
                answer = objects.boxes([now[moving]])
                yield frame, objects.Question("locate", text, answer, [moving], o.colour, o.shape, korean)


WRITTEN = 16


def write(folder: Path, log: list[dict], scenes) -> None:
    """The first scenes and all that was asked about them and answered."""
    (folder / "qwen").mkdir(parents=True, exist_ok=True)
    listed: list[dict] = []
    for entry, (scene, q) in zip(log, scenes):
        if not listed or listed[-1]["scene"] is not scene:
            if len(listed) == WRITTEN:
                break
            name = f"{len(listed):02d}.png"
            Image.fromarray(scene.picture).save(folder / "qwen" / name, optimize=True)
            listed.append({"picture": name, "scene": scene, "asked": []})
        boxes = [scene.objects[i].box for i in q.targets]
        listed[-1]["asked"].append({**entry, "boxes": boxes})
    for entry in listed:
        del entry["scene"]
    (folder / "qwen.json").write_text(json.dumps({"scenes": listed}, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--scenes", type=int, default=200)
    parser.add_argument("--videos", type=int, default=40)
    parser.add_argument("--json", type=Path, help="where to write the figures")
    parser.add_argument("--write", type=Path, help="where the Java tests' pictures and answers go")
    parser.add_argument("--answers", type=Path, help="where to write every question and answer")
    a = parser.parse_args()
    torch.set_num_threads(1)

    answers, figures, log = Answers(a.model), Figures(), []
    still, moving = list(pictures(a.scenes)), list(clips(a.videos))
    began = time.time()
    given = answers([(s.picture, q.text) for s, q in still + moving])
    print(f"{len(given)} questions in {time.time() - began:.0f} s")
    for at, ((scene, q), answer) in enumerate(zip(still + moving, given)):
        language = "ko" if q.korean else "en"
        if at >= len(still):
            figures.found(f"{language} moving object", scene, q, answer)
        elif q.task == "caption":
            figures.described(f"{language} caption", scene, q, answer)
        elif q.task == "count":
            figures.add(f"{language} count: right", answer == q.answer)
            figures.add(f"{language} count, {len(scene.objects)} objects: right", answer == q.answer)
        elif not q.targets:  # objects.question falls back to what is there if nothing is absent
            figures.add(f"{language} absent: empty list", answer == "[]")
        else:
            figures.found(f"{language} {'all' if q.task == 'all' else 'locate'}", scene, q, answer)
        log.append({"task": q.task, "question": q.text, "expected": q.answer, "answer": answer})
    report = figures.report()
    for key, (value, count) in report.items():
        print(f"{key} {value:.3f} ({count})")
    if a.json:
        a.json.write_text(json.dumps(report, indent=1) + "\n")
    if a.write:
        write(a.write, log, still)
    if a.answers:
        a.answers.write_text(json.dumps(log, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
