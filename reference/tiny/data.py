"""The training pool: drawn pictures as each model's processor sees them, and tokenized captions.

Made once, kept in the work folder as memory-mapped arrays; both models share the pictures' scenes.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from PIL import Image

import world

SIZE = 64  # side of the models' input
BLIP2_SIZE = 112
CELLS = 8  # patches on a side
FAMILY = 8  # scenes that are hard negatives of each other
CAPTIONS = 4  # per scene and language: the first two are full
SEEDS = {"train": 1, "validation": 2, "heldout": 3, "demo": 4}


def center_crop_bicubic(image: Image.Image) -> Image.Image:
    """CLIP's processor: shortest side to SIZE, bicubic, centre crop."""
    w, h = image.size
    short, long = min(w, h), max(w, h)
    target = int(SIZE * long / short)
    w, h = (SIZE, target) if w <= h else (target, SIZE)
    image = image.resize((w, h), Image.BICUBIC)
    left, top = (w - SIZE) // 2, (h - SIZE) // 2
    return image.crop((left, top, left + SIZE, top + SIZE))


def squash_bilinear(image: Image.Image) -> Image.Image:
    """SigLIP 2's processor: to a square, bilinear, the aspect not kept."""
    return image.resize((SIZE, SIZE), Image.BILINEAR)


VIEWS = {"clip": (center_crop_bicubic, True), "siglip2": (squash_bilinear, False)}


def squash_bicubic(image: Image.Image) -> Image.Image:
    """BLIP-2's processor: to a square, bicubic, the aspect not kept."""
    return image.resize((BLIP2_SIZE, BLIP2_SIZE), Image.BICUBIC)


BLIP2_VIEWS = {"blip2": (squash_bicubic, False)}


def build_pool(work: Path, families: int, views=VIEWS, size: int = SIZE, low: int = 64, high: int = 512) -> Path:
    """Draws ``families`` families of scenes; returns the folder. Does nothing where it is complete.

    ``views`` make squares of ``size`` pixels of the pictures, whose sides are ``low`` to ``high``.
    """
    folder = work / f"pool-{families}"
    if (folder / "done").exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    n = families * FAMILY
    pictures = {
        m: np.lib.format.open_memmap(folder / f"{m}-pictures.npy", "w+", np.uint8, (n, size, size, 3)) for m in views
    }
    cells = {m: np.lib.format.open_memmap(folder / f"{m}-cells.npy", "w+", np.int8, (n, CELLS, CELLS)) for m in views}
    attributes = np.empty((n, len(world.ATTRIBUTES)), np.int8)
    for f in range(families):
        rng = np.random.default_rng([SEEDS["train"], f])
        for i, scene in enumerate(world.family(rng, FAMILY), f * FAMILY):
            width, height = world.random_size(rng, low, high)
            image, items = world.draw(rng, scene, width, height)
            attributes[i] = scene.attributes()
            for m, (view, crop) in views.items():
                pictures[m][i] = np.asarray(view(image))
                cells[m][i] = world.owners(items, width, height, size, CELLS, crop)
    np.save(folder / "attributes.npy", attributes)
    for array in (*pictures.values(), *cells.values()):
        array.flush()
    (folder / "done").write_text(f"{n} scenes\n")
    return folder


def scene_of(attributes) -> world.Scene:
    return world.Scene(*(int(a) for a in attributes))


def build_captions(pool: Path, model: str, tokenize, length: int) -> Path:
    """Tokenizes CAPTIONS captions of each scene and language: ids and the attributes they name."""
    target = pool / f"{model}-captions.npz"
    if target.exists():
        return target
    attributes = np.load(pool / "attributes.npy")
    n = len(attributes)
    texts, named = [], np.empty((n, 2, CAPTIONS, len(world.ATTRIBUTES)), bool)
    for i in range(n):
        rng = np.random.default_rng([SEEDS["train"], 1_000_000, i])
        scene = scene_of(attributes[i])
        for j, language in enumerate(("en", "ko")):
            for k in range(CAPTIONS):
                caption = world.caption(rng, scene, language, full=k < 2)
                texts.append(caption.text)
                named[i, j, k] = caption.named
    ids = np.concatenate([tokenize(texts[i : i + 20_000]) for i in range(0, len(texts), 20_000)])
    temporary = pool / f"{model}-captions.tmp.npz"
    np.savez(temporary, ids=ids.reshape(n, 2, CAPTIONS, length), named=named)
    os.replace(temporary, target)
    return target


def heldout(split: str, count: int, unseen_share: float = 0.3):
    """Scenes of another seed with 40 candidate captions each, in both languages.

    Yields (scene, image, right index, English captions, Korean captions). ``unseen_share`` of the scenes
    hold a colour-shape pair that training never showed.
    """
    for i in range(count):
        rng = np.random.default_rng([SEEDS[split], i])
        scene = world.random_scene(rng, unseen=i % 10 < round(10 * unseen_share))
        noise = None
        width, height = world.random_size(rng)
        if max(width, height) > 160:
            noise = 0.0 if split == "heldout" else None  # keeps the committed files small
        image, _ = world.draw(rng, scene, width, height, noise)
        options = world.candidates(rng, scene)
        order = rng.permutation(len(options))
        right = int(np.flatnonzero(order == 0)[0])
        options = [options[k] for k in order]
        texts = {
            language: [world.caption(rng, s, language, full=True).text for s in options] for language in ("en", "ko")
        }
        for language, lines in texts.items():
            assert len(set(lines)) == len(lines), (i, language)
        yield scene, image, right, texts["en"], texts["ko"]


if __name__ == "__main__":
    import argparse
    import time

    parser = argparse.ArgumentParser(description="Draws the training pool.")
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--families", type=int, default=6000)
    arguments = parser.parse_args()
    start = time.time()
    print(build_pool(arguments.work, arguments.families), f"{time.time() - start:.0f} s")
