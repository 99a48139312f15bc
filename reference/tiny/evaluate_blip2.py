"""What tiny-blip2 and tiny-blip2-itm say of scenes they never saw: the figures of README.md.

    python evaluate_blip2.py --models ../work [--itm ../work/tiny-blip2-itm] [--scenes 400]
    … --write ../../lmm-tiny/src/test/resources/heldout    pictures and answers for the Java tests

The checkpoints are loaded by transformers as anybody would, weights widened to float32; pictures go through the
PIL backend of their image processor. Every second scene shows one shape, three of ten hold a colour-shape pair
that no picture of the training showed. Each is described and asked five questions in either language;
with ``--itm`` it is compared with a true caption and with that of a scene which differs in one thing.

Heat maps: of the scenes of one shape, half choose the query, the layer and the head whose attention within the
shape's box is largest; on the other half that mass is compared with the share that the box has of the picture.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import argparse
import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch
import transformers
from PIL import Image
from transformers import AutoProcessor, Blip2ForConditionalGeneration, Blip2ForImageTextRetrieval

import asking
import data
import world
from evaluate import versions

SEED = 7
WRITTEN = 40


def scenes(count: int, split: str):
    """(scene, picture, boxes of its shapes in pixels)."""
    for i in range(count):
        rng = np.random.default_rng([data.SEEDS[split], SEED, i])
        while True:
            scene = world.random_scene(rng, unseen=i % 10 in (0, 3, 6))
            if (scene.count == 1) == (i % 2 == 0):
                break
        width, height = world.random_size(rng, 112, 224)
        image, items = world.draw(rng, scene, width, height, 0.0)
        boxes = []
        for _, _, points in world._points(items, width, height):
            low, high = points.min(0), points.max(0)
            boxes.append([round(float(v), 1) for v in (*np.maximum(low, 0), *np.minimum(high, [width, height]))])
        yield scene, image, boxes


def lines(rng, scene):
    """A caption and a question of each kind, in either language."""
    for language in ("en", "ko"):
        prompt = asking.KO_CAPTION if language == "ko" else ""
        yield asking.Line("caption", prompt, asking.caption(scene, language), language)
        for kind in asking.KINDS:
            line = asking.question(rng, scene, kind, language)
            yield asking.Line(line.kind, line.prompt, line.answer.strip(), language)


class Captioner:
    def __init__(self, folder: Path):
        self.model = Blip2ForConditionalGeneration.from_pretrained(folder, dtype=torch.float32).eval()
        self.processor = AutoProcessor.from_pretrained(folder, backend="pil")

    @torch.no_grad()
    def answers(self, asked: list[tuple[Image.Image, str]], batch: int = 64) -> list[str]:
        """Greedy; prompts of equal length go together, so nothing is padded."""
        groups = defaultdict(list)
        for i, (image, prompt) in enumerate(asked):
            given = self.processor(images=image, text=prompt, return_tensors="pt")
            groups[given["input_ids"].shape[1]].append((i, given))
        out = [""] * len(asked)
        for length, members in groups.items():
            for at in range(0, len(members), batch):
                part = members[at : at + batch]
                keys = part[0][1].keys()
                given = {k: torch.cat([g[k] for _, g in part]) for k in keys}
                ids = self.model.generate(**given, max_new_tokens=30, do_sample=False)[:, length:]
                for (i, _), text in zip(part, self.processor.batch_decode(ids, skip_special_tokens=True)):
                    out[i] = text.strip()
        return out

    @torch.no_grad()
    def maps(self, images: list[Image.Image]) -> np.ndarray:
        """(pictures, layers, heads, queries, patches) of attention."""
        self.model.set_attn_implementation("eager")
        pixels = self.processor(images=images, return_tensors="pt")["pixel_values"]
        seen = self.model.vision_model(pixels).last_hidden_state
        queries = self.model.query_tokens.expand(len(images), -1, -1)
        out = self.model.qformer(query_embeds=queries, encoder_hidden_states=seen, output_attentions=True)
        return torch.stack(out.cross_attentions, 1)[..., 1:].numpy()


class Matcher:
    def __init__(self, folder: Path):
        self.model = Blip2ForImageTextRetrieval.from_pretrained(folder, dtype=torch.float32).eval()
        self.processor = AutoProcessor.from_pretrained(folder, backend="pil")

    @torch.no_grad()
    def __call__(self, image: Image.Image, text: str) -> tuple[float, float]:
        given = self.processor(images=image, text=text, return_tensors="pt")
        itm = self.model(**given, use_image_text_matching_head=True).logits_per_image.softmax(-1)[0, 1]
        itc = self.model(**given, use_image_text_matching_head=False).logits_per_image[0, 0]
        return float(itm), float(itc)


def cover(box, size, side: int = 8) -> np.ndarray:
    """Which part of each patch lies in the box; patches are equal parts of the picture."""
    edges = np.arange(side + 1) / side
    part = lambda low, high: np.clip(np.minimum(edges[1:], high) - np.maximum(edges[:-1], low), 0, None) * side
    x, y = part(box[0] / size[0], box[2] / size[0]), part(box[1] / size[1], box[3] / size[1])
    return (y[:, None] * x[None]).ravel()


def heat(captioner: Captioner, single) -> dict:
    """``single`` are (scene, picture, boxes) of one shape each."""
    covers = np.stack([cover(boxes[0], image.size) for _, image, boxes in single])
    maps = captioner.maps([image for _, image, _ in single])
    inside = np.einsum("nlhqp,np->nlhq", maps, covers)
    area = covers.mean(1)
    half = len(single) // 2
    chosen = inside[:half].mean(0)
    layer, head, query = np.unravel_index(chosen.argmax(), chosen.shape)
    there, share = inside[half:, layer, head, query], area[half:]
    return {
        "query": int(query),
        "layer": int(layer) * 2,
        "head": int(head),
        "scenes": len(share),
        "mass": float(there.mean()),
        "area": float(share.mean()),
        "ratio": float(there.mean() / share.mean()),
        "mean of ratios": float((there / share).mean()),
    }


def named(scene, answer: str) -> bool:
    """Whether an English caption of one shape names its colour and its shape as one name."""
    words = answer.split()
    wanted = [world.COLOUR_NAMES[scene.colour], world.SHAPES[scene.shape]]
    return wanted in [words[i : i + 2] for i in range(len(words) - 1)]


def question_of(line) -> str | None:
    return line.prompt.removeprefix("Question: ").removesuffix(" Answer:") if line.prompt.startswith("Question: ") else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--itm", type=Path, help="folder of tiny-blip2-itm, to measure it, too")
    parser.add_argument("--scenes", type=int, default=400)
    parser.add_argument("--split", choices=["validation", "heldout"], default="heldout")
    parser.add_argument("--write", type=Path, help="where the Java tests' pictures and answers go")
    parser.add_argument("--wrong", action="store_true", help="prints the mistakes")
    a = parser.parse_args()
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()

    shown = list(scenes(a.scenes, a.split))
    asked = []
    for i, (scene, image, _) in enumerate(shown):
        asked += [(i, line) for line in lines(np.random.default_rng([SEED, 1, i]), scene)]
    captioner = Captioner(a.models / "tiny-blip2")
    given = captioner.answers([(shown[i][1], line.prompt) for i, line in asked])
    figures = defaultdict(list)
    for (i, line), answer in zip(asked, given):
        scene, right = shown[i][0], answer == line.answer
        figures[f"{line.kind} {line.language}"].append(right)
        if line.kind == "caption":
            if line.language == "en" and scene.count == 1:
                figures["colour and shape named, one shape"].append(named(scene, answer))
                if scene.unseen:
                    figures["colour and shape named, one shape, unseen pair"].append(named(scene, answer))
        else:
            if line.kind != "background":
                figures[f"questions {line.language}"].append(right)
            if scene.unseen:
                figures[f"questions, unseen pair, {line.language}"].append(right)
        if a.wrong and not right:
            print(i, scene, line.prompt, "|", answer, "|", line.answer)

    matcher = Matcher(a.itm) if a.itm else None
    compared = []
    for i, (scene, image, _) in enumerate(shown if matcher else []):
        rng = np.random.default_rng([SEED, 2, i])
        for language in ("en", "ko"):
            false = world.edit(rng, scene)
            for of, true in ((scene, True), (false, False)):
                text = world.caption(rng, of, language, full=True).text
                itm, itc = matcher(image, text)
                compared.append((i, text, true, itm, itc))
                figures[f"matching {language}"].append((itm > 0.5) == true)
                if scene.unseen:
                    figures[f"matching, unseen pair, {language}"].append((itm > 0.5) == true)
                if a.wrong and (itm > 0.5) != true:
                    print(i, scene, text, true, itm)
            figures[f"the true caption is likelier {language}"].append(compared[-2][3] > compared[-1][3])
            figures[f"the true caption is more similar {language}"].append(compared[-2][4] > compared[-1][4])
    for key, values in sorted(figures.items()):
        print(f"{key}: {100 * np.mean(values):.1f} % of {len(values)}")
    print(heat(captioner, [s for s in shown if s[0].count == 1]))

    if a.write:
        (a.write / "blip2").mkdir(parents=True, exist_ok=True)
        listed = []
        for i, (scene, image, boxes) in enumerate(shown[:WRITTEN]):
            name = f"{i:02d}.png"
            image.save(a.write / "blip2" / name, optimize=True)
            entries = [
                {
                    "kind": line.kind,
                    "language": line.language,
                    **({"question": question_of(line)} if question_of(line) else {"prompt": line.prompt}),
                    "expected": line.answer,
                    "answer": answer,
                }
                for (k, line), answer in zip(asked, given)
                if k == i
            ]
            words = [world.COLOUR_NAMES[scene.colour], world.SHAPES[scene.shape]]
            texts = [{"text": t, "true": w, "itm": p, "itc": c} for k, t, w, p, c in compared if k == i]
            listed.append(
                {"picture": name, "shapes": len(boxes), "name": " ".join(words), "boxes": boxes, "asked": entries, "texts": texts}
            )
        found = {"versions": versions(), "scenes": listed}
        (a.write / "blip2.json").write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
