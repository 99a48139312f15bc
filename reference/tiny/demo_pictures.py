"""Draws the gallery's pictures and writes their captions beside them.

    python demo_pictures.py --out ../../lmm-tiny/src/main/resources/dev/lmm/tiny/pictures
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from PIL import Image

import data
import objects
import world
from world import COLOUR_NAMES, HORIZONTAL, PAIR, SCATTERED, SHAPES, SINGLE_PLACES, VERTICAL, Scene


def _scene(count, colour, shape, place, background, colour2=None, shape2=None) -> Scene:
    c, s = COLOUR_NAMES.index, SHAPES.index
    second = () if colour2 is None else (c(colour2), s(shape2))
    where = place if isinstance(place, int) else SINGLE_PLACES.index(place)
    return Scene(count, c(colour), s(shape), where, c(background), *second)


PICTURES = [
    (_scene(1, "red", "circle", "left", "yellow"), 384, 384, "a red circle on the left on a yellow background", "노란 배경에 왼쪽에 있는 빨간 원"),
    (_scene(3, "white", "star", SCATTERED, "blue"), 384, 384, "three white stars on a blue background", "파란 배경에 하얀 별 세 개"),
    (_scene(1, "purple", "heart", "centre", "white"), 320, 320, "a purple heart in the centre on a white background", "하얀 배경의 가운데에 있는 보라색 하트"),
    (_scene(PAIR, "orange", "square", HORIZONTAL, "black", "green", "circle"), 448, 336, "an orange square on the left and a green circle on the right on a black background", "검은 배경에 왼쪽에 주황색 사각형, 오른쪽에 초록색 원"),
    (_scene(2, "black", "cross", SCATTERED, "orange"), 320, 320, "two black crosses on an orange background", "주황색 배경에 검은 십자가 두 개"),
    (_scene(PAIR, "yellow", "circle", VERTICAL, "purple", "blue", "triangle"), 336, 448, "a yellow circle above a blue triangle on a purple background", "보라색 배경에 위에 노란 원, 아래에 파란 삼각형"),
    # A red star was never in training.
    (_scene(1, "red", "star", "top", "white"), 384, 384, "a red star at the top on a white background", "하얀 배경에 위쪽에 있는 빨간 별"),
    (_scene(3, "red", "heart", SCATTERED, "green"), 256, 256, "three red hearts on a green background", "초록 배경에 빨간 하트 세 개"),
]


# Scenes to find things in: (width, height, what stands where), none of which training showed.
SCENES = [
    (224, 168, [("red", "circle", 8, 20, 58), ("blue", "square", 86, 88, 60), ("red", "star", 158, 24, 56)]),
    (196, 196, [("green", "triangle", 12, 112, 62), ("yellow", "heart", 70, 16, 52), ("green", "circle", 128, 118, 54)]),
    (224, 168, [("purple", "square", 14, 90, 48), ("orange", "star", 88, 18, 60), ("orange", "cross", 152, 92, 56)]),
]
# A clip: the first object moves to a place, the others rest.
CLIP = (224, 168, [("red", "circle", 6, 60, 44), ("blue", "square", 100, 112, 48), ("green", "triangle", 52, 6, 46)])
GOAL, FRAMES = (172, 56), 12


def _objects(placed) -> list[objects.Object]:
    listed = []
    for colour, shape, x, y, side in placed:
        s = SHAPES.index(shape)
        tall = round(side * objects.OUTLINES[s][:, 1].max())
        listed.append(objects.Object(COLOUR_NAMES.index(colour), s, [x, y, x + side, y + tall]))
    return sorted(listed, key=lambda o: o.box)


def scenes(out: Path) -> None:
    listed = []
    for i, (width, height, placed) in enumerate(SCENES):
        scene = objects.paint(np.random.default_rng([data.SEEDS["demo"], 100 + i]), width, height, _objects(placed))
        name = f"scene-{i + 1}.png"
        Image.fromarray(scene.picture).save(out / name, optimize=True)
        listed.append({"file": name, "en": objects.caption(scene, False), "ko": objects.caption(scene, True)})
    (out / "scenes.json").write_text(json.dumps(listed, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    width, height, placed = CLIP
    colour, shape, x, y, side = placed[0]
    for i, f in enumerate(np.linspace(0, 1, FRAMES)):
        at = round(x + (GOAL[0] - x) * f), round(y + (GOAL[1] - y) * f)
        now = _objects([(colour, shape, *at, side), *placed[1:]])
        # Listed from left to right, they would get each other's shade as they pass.
        now.sort(key=lambda o: (o.colour, o.shape))
        frame = objects.paint(np.random.default_rng([data.SEEDS["demo"], 200]), width, height, now)
        Image.fromarray(frame.picture).save(out / f"clip-{i + 1:02d}.png", optimize=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    a = parser.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    listed = []
    for i, (scene, width, height, en, ko) in enumerate(PICTURES):
        assert scene.valid
        rng = np.random.default_rng([data.SEEDS["demo"], i])
        image, _ = world.draw(rng, scene, width, height, noise=0.0, smooth=True)
        name = f"{i + 1:02d}-" + en.split(" on a")[0].removeprefix("a ").removeprefix("an ").replace(" ", "-") + ".png"
        image.save(a.out / name, optimize=True)
        listed.append({"file": name, "en": en, "ko": ko, "unseenPair": scene.unseen})
    (a.out / "captions.json").write_text(json.dumps(listed, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    scenes(a.out)
    print(len(listed), "pictures, scenes and a clip,", sum(f.stat().st_size for f in a.out.glob("*.png")), "bytes")


if __name__ == "__main__":
    main()
