"""Evaluates a saved checkpoint on held-out scenes, and writes what the Java tests compare with.

    python evaluate.py --model clip --checkpoint ../../lmm-tiny/models/tiny-clip --scenes 1000
    python evaluate.py --write ../../lmm-tiny/src/test/resources/heldout --models ../../lmm-tiny/models

The checkpoint is loaded as anybody would load it: transformers' model, tokenizer and Pillow image
processor from the folder's files, weights widened to fp32. For each scene the right one of 40 captions
must score highest.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import argparse
import json
import platform
from pathlib import Path

import numpy as np
import PIL
import tokenizers
import torch
import transformers
from PIL import Image
from transformers import AutoModel, AutoTokenizer, CLIPTokenizer
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

import data

NAMES = {"clip": "tiny-clip", "siglip2": "tiny-siglip2"}


class Checkpoint:
    def __init__(self, kind: str, folder: Path):
        self.kind = kind
        self.model = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
        processor = CLIPImageProcessorPil if kind == "clip" else SiglipImageProcessorPil
        self.processor = processor.from_pretrained(folder)
        # The reference's AutoProcessor leaves SigLIP 2's text in the case it has; the model wants lower case.
        self.tokenizer = (CLIPTokenizer if kind == "clip" else AutoTokenizer).from_pretrained(folder)

    @torch.no_grad()
    def logits(self, image: Image.Image, texts: list[str]) -> np.ndarray:
        """The model's logits per image for one picture and its captions, float32."""
        pixels = self.processor(image, return_tensors="pt")["pixel_values"]
        if self.kind == "clip":
            tokens = self.tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
            out = self.model(pixel_values=pixels, **tokens)
        else:
            tokens = self.tokenizer(
                [t.lower() for t in texts], padding="max_length", max_length=64, truncation=True, return_tensors="pt"
            )
            out = self.model(pixel_values=pixels, input_ids=tokens["input_ids"])
        return out.logits_per_image[0].numpy()


def accuracy(results: list[dict]) -> dict:
    """Shares of right answers by language, over all scenes and those with pairs kept out of training."""
    figures = {}
    for language in ("en", "ko"):
        right = np.array([r["right"] == r[language]["top1"] for r in results])
        unseen = np.array([r["unseen"] for r in results])
        figures[language] = round(float(right.mean()), 4)
        figures[language + "_unseen_pairs"] = round(float(right[unseen].mean()), 4)
    return figures


def evaluate(checkpoint: Checkpoint, scenes) -> list[dict]:
    results = []
    for i, (scene, image, right, en, ko) in enumerate(scenes):
        result = {"case": i, "right": right, "unseen": scene.unseen, "scene": scene}
        for language, texts in (("en", en), ("ko", ko)):
            logits = checkpoint.logits(image, texts)
            result[language] = {"top1": int(logits.argmax()), "logits": [float(f"{x:.9g}") for x in logits]}
            if result[language]["top1"] != right:
                result[language]["instead"] = (texts[right], texts[result[language]["top1"]])
        results.append(result)
    return results


def versions() -> dict:
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "tokenizers": tokenizers.__version__,
        "pillow": PIL.__version__,
        "numpy": np.__version__,
    }


def write(folder: Path, checkpoints: Path, count: int, only: list[str]) -> None:
    """Pictures and captions once, and for each model Python's answers and logits, case by case."""
    scenes = list(data.heldout("heldout", count))
    (folder / "pictures").mkdir(parents=True, exist_ok=True)
    listed = []
    for i, (scene, image, right, en, ko) in enumerate(scenes):
        name = f"{i:03d}.png"
        image.save(folder / "pictures" / name, optimize=True)
        listed.append({"picture": name, "unseenPair": scene.unseen, "right": right, "en": en, "ko": ko})
    with open(folder / "scenes.json", "w", encoding="utf-8") as f:
        json.dump({"versions": versions(), "scenes": listed}, f, ensure_ascii=False, indent=1)
        f.write("\n")
    for kind in only:
        name = NAMES[kind]
        results = evaluate(Checkpoint(kind, checkpoints / name), scenes)
        cases = [
            {
                "picture": f"{r['case']:03d}.png",
                **{k: {"top1": r[k]["top1"], "logits": r[k]["logits"]} for k in ("en", "ko")},
            }
            for r in results
        ]
        lines = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases)
        head = json.dumps({"model": name, "versions": versions(), "accuracy": accuracy(results)})
        (folder / f"{name}.json").write_text(head[:-1] + ', "cases": [\n' + lines + "\n]}\n", encoding="utf-8")
        print(name, accuracy(results))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", choices=NAMES, nargs="*", default=list(NAMES))
    parser.add_argument("--checkpoint", type=Path, help="folder of one model")
    parser.add_argument("--scenes", type=int, default=1000)
    parser.add_argument("--split", choices=["validation", "heldout"], default="heldout")
    parser.add_argument("--wrong", action="store_true", help="prints the mistakes")
    parser.add_argument("--write", type=Path, help="writes 100 scenes and both models' answers here")
    parser.add_argument("--models", type=Path, help="folder of both models' folders, for --write")
    a = parser.parse_args()
    torch.set_num_threads(1)
    if a.write:
        write(a.write, a.models, 100, a.model)
        return
    results = evaluate(Checkpoint(a.model[0], a.checkpoint), data.heldout(a.split, a.scenes))
    print(a.model[0], len(results), "scenes", accuracy(results))
    if a.wrong:
        for r in results:
            for language in ("en", "ko"):
                if "instead" in r[language]:
                    print(r["case"], "unseen" if r["unseen"] else "", *r[language]["instead"], sep=" | ")


if __name__ == "__main__":
    main()
