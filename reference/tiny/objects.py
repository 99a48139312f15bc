"""Scenes of one to four objects with boxes, and what can be asked about them in English and Korean.

The colours, shapes and words are those of ``world``; here objects stand anywhere on any background and
pictures have sides of 112 to 224 pixels in steps of 28. Boxes are ``[x1, y1, x2, y2]`` in pixels of the
picture. Objects are listed from left to right, and answers name them in this order.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from world import COLOUR_NAMES, COLOURS, KO_COLOURS, KO_SHAPES, SHAPES, has_final, unit_polygon

SIDES = [112, 140, 168, 196, 224]
CELL = 28  # pixels a side of what becomes one token
NO_COLOUR, NO_SHAPE = len(COLOUR_NAMES), len(SHAPES)
# Never together in training scenes of several objects, nor asked for there: (colour, shape).
UNSEEN = {(3, 3), (5, 4), (1, 2)}
BACKGROUNDS = {"light": "밝은", "dark": "어두운", "coloured": "색이 있는"}


def _unit(shape: str) -> np.ndarray:
    """The outline in a box of width 1 and the height that belongs to it."""
    p = unit_polygon(shape)
    p = p - p.min(0)
    return p / p[:, 0].max()


OUTLINES = [_unit(s) for s in SHAPES]
_MASKS: dict[tuple[int, int, int], np.ndarray] = {}


@dataclass
class Object:
    colour: int
    shape: int
    box: list[int]

    @property
    def name(self) -> str:
        return f"{COLOUR_NAMES[self.colour]} {SHAPES[self.shape]}"

    @property
    def korean(self) -> str:
        return f"{KO_COLOURS[COLOUR_NAMES[self.colour]][0]} {KO_SHAPES[SHAPES[self.shape]][0]}"


@dataclass
class Scene:
    picture: np.ndarray  # (height, width, 3) uint8
    objects: list[Object]
    owner: np.ndarray  # (height, width): which object is seen there, or -1
    background: str

    def cells(self) -> np.ndarray:
        """For every token's square the object that covers most of it, or -1 under 6 %."""
        height, width = self.owner.shape
        best = np.full((height // CELL, width // CELL), 0.06)
        index = np.full(best.shape, -1)
        for i in range(len(self.objects)):
            share = (self.owner == i).reshape(height // CELL, CELL, width // CELL, CELL).mean((1, 3))
            index[share > best] = i
            best = np.maximum(best, share)
        return index.reshape(-1)


@dataclass
class Question:
    task: str  # locate, all, absent, caption or count
    text: str
    answer: str
    targets: list[int]  # the objects that the answer names, in its order
    colour: int  # asked for; NO_COLOUR for any
    shape: int
    korean: bool


def random_size(rng: np.random.Generator) -> tuple[int, int]:
    while True:
        width, height = (int(rng.choice(SIDES)) for _ in range(2))
        if max(width, height) <= 2 * min(width, height):
            return width, height


def _mask(shape: int, width: int, height: int) -> np.ndarray:
    """Coverage of the pixels of a box by the shape, 0 to 1."""
    key = shape, width, height
    if key not in _MASKS:
        image = Image.new("L", (width * 4, height * 4), 0)
        outline = OUTLINES[shape] / OUTLINES[shape].max(0) * [width * 4 - 1, height * 4 - 1]
        ImageDraw.Draw(image).polygon([tuple(p) for p in outline], fill=255)
        _MASKS[key] = np.asarray(image.reduce(4), np.float32)[..., None] / 255
    return _MASKS[key]


def _next_kind(rng, placed: list[Object]) -> tuple[int, int]:
    """Half of the objects share something with one that is there: hard to tell apart, or alike."""
    colour, shape = int(rng.integers(8)), int(rng.integers(6))
    if placed and rng.random() < 0.5:
        like = placed[int(rng.integers(len(placed)))]
        u = rng.random()
        if u < 0.6:
            colour = like.colour
        if u < 0.2 or u >= 0.6:
            shape = like.shape
    return colour, shape


def _place(rng, width, height, count, training) -> list[Object]:
    placed: list[Object] = []
    for _ in range(60):
        if len(placed) == count:
            break
        side = int(rng.integers(24, min(80, int(0.62 * min(width, height))) + 1))
        if count >= 3 and side > 60 and rng.random() < 0.5:
            continue
        colour, shape = _next_kind(rng, placed)
        if training and count > 1 and (colour, shape) in UNSEEN:
            continue
        tall = round(side * OUTLINES[shape][:, 1].max())
        if tall > height:
            continue
        x, y = int(rng.integers(0, width - side + 1)), int(rng.integers(0, height - tall + 1))
        box = [x, y, x + side, y + tall]
        if all(
            box[0] > o.box[2] + 3 or box[2] + 3 < o.box[0] or box[1] > o.box[3] + 3 or box[3] + 3 < o.box[1]
            for o in placed
        ):
            placed.append(Object(colour, shape, box))
    return sorted(placed, key=lambda o: (o.box[0], o.box[1]))


def _background(rng, fills) -> tuple[np.ndarray, str]:
    while True:
        u = rng.random()
        if u < 0.4:
            colour, name = rng.integers(205, 256, 3), "light"
        elif u < 0.65:
            colour, name = rng.integers(5, 75, 3), "dark"
        else:
            colour, name = rng.integers(0, 256, 3), "coloured"
            if np.ptp(colour) < 60:
                continue
        if all(np.abs(fill - colour).sum() > 150 for fill in fills):
            return colour.astype(np.float32), name


def paint(rng: np.random.Generator, width: int, height: int, objects: list[Object]) -> Scene:
    """Draws objects on a background that they stand out from, half of the time with a gradient."""
    palette = [np.array(COLOURS[COLOUR_NAMES[o.colour]]) for o in objects]
    fills = [np.clip(c + rng.integers(-12, 13, 3), 0, 255) for c in palette]
    colour, name = _background(rng, fills)
    picture = np.broadcast_to(colour, (height, width, 3)).copy()
    if rng.random() < 0.5:
        slope, angle = rng.uniform(-22, 22, 3).astype(np.float32), rng.uniform(0, 2 * math.pi)
        u, v = np.arange(width) / width - 0.5, np.arange(height) / height - 0.5
        picture += (u[None] * math.cos(angle) + v[:, None] * math.sin(angle)).astype(np.float32)[..., None] * slope
    owner = np.full((height, width), -1)
    for i, (o, fill) in enumerate(zip(objects, fills)):
        x1, y1, x2, y2 = o.box
        mask = _mask(o.shape, x2 - x1, y2 - y1)
        region = picture[y1:y2, x1:x2]
        region += (fill.astype(np.float32) - region) * mask
        owner[y1:y2, x1:x2][mask[..., 0] > 0.5] = i
    return Scene(np.clip(picture + 0.5, 0, 255).astype(np.uint8), objects, owner, name)


def scene(rng: np.random.Generator, width: int, height: int, least=1, most=4, training=True) -> Scene:
    while True:
        objects = _place(rng, width, height, int(rng.integers(least, most + 1)), training)
        if len(objects) >= least:
            return paint(rng, width, height, objects)


# ---------------------------------------------------------------------------------- questions


EN_LOCATE = [
    "Locate every {one}.",
    "Find all {many}.",
    "Where is the {one}?",
    "Detect every {one}.",
    "Locate the {one}.",
    "Find the {one} in the image.",
    "Outline the position of each {one} and output all the coordinates in JSON format.",
    "Give the bounding box of every {one} in JSON.",
]
KO_LOCATE = [
    "{obj} 모두 찾아줘.",
    "{obj} 찾아줘.",
    "{top} 어디에 있나요?",
    "{top} 어디에 있어?",
    "모든 {one}의 위치를 알려줘.",
    "{one}의 위치를 JSON으로 알려줘.",
    "이미지에서 {obj} 모두 찾아주세요.",
    "{obj} 모두 검출해줘.",
]
EN_CAPTION = ["Describe the image.", "Describe this picture.", "What is in the image?"]
KO_CAPTION = ["이미지를 설명해줘.", "이 그림을 설명해주세요.", "이미지에 무엇이 있나요?"]
EN_COUNT = ["How many {many} are there?", "Count the {many}."]
KO_COUNT = ["{top} 몇 개 있나요?", "{one}의 개수를 세어줘."]


def phrases(colour: int, shape: int, korean: bool) -> dict[str, str]:
    if korean:
        words = [] if colour == NO_COLOUR else [KO_COLOURS[COLOUR_NAMES[colour]][0]]
        one = " ".join([*words, "도형" if shape == NO_SHAPE else KO_SHAPES[SHAPES[shape]][0]])
        end = has_final(one)
        return {"one": one, "obj": one + ("을" if end else "를"), "top": one + ("은" if end else "는")}
    words = [] if colour == NO_COLOUR else [COLOUR_NAMES[colour]]
    noun = "shape" if shape == NO_SHAPE else SHAPES[shape]
    plural = noun + ("es" if noun == "cross" else "s")
    return {"one": " ".join([*words, noun]), "many": " ".join([*words, plural])}


def _fits(o: Object, colour: int, shape: int) -> bool:
    return colour in (o.colour, NO_COLOUR) and shape in (o.shape, NO_SHAPE)


def boxes(objects: list[Object]) -> str:
    """The form that Qwen2.5-VL answers in."""
    return json.dumps([{"bbox_2d": o.box, "label": o.name} for o in objects])


def caption(s: Scene, korean: bool) -> str:
    if korean:
        names = [o.korean for o in s.objects]
        names[-1] += "이" if has_final(names[-1]) else "가"
        return f"{BACKGROUNDS[s.background]} 배경에 {', '.join(names)} 있습니다."
    names = [("an " if o.name[0] == "o" else "a ") + o.name for o in s.objects]
    text = " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
    return f"{text[0].upper()}{text[1:]} on a {s.background} background."


def _choose(rng, s: Scene, kind: str) -> tuple[int, int]:
    """Colour and shape of one of the objects, as far as ``kind`` asks for them."""
    o = s.objects[int(rng.integers(len(s.objects)))]
    return (o.colour if "c" in kind else NO_COLOUR), (o.shape if "s" in kind else NO_SHAPE)


def _absent(rng, s: Scene, kind: str, training: bool) -> tuple[int, int] | None:
    """Something that is not there, mostly with the colour or the shape of something that is."""
    for _ in range(50):
        o = s.objects[int(rng.integers(len(s.objects)))]
        u = rng.random()
        colour = o.colour if u < 0.35 else int(rng.integers(8))
        shape = o.shape if u >= 0.65 else int(rng.integers(6))
        asked = (colour if "c" in kind else NO_COLOUR), (shape if "s" in kind else NO_SHAPE)
        if training and len(s.objects) > 1 and (colour, shape) in UNSEEN:
            continue
        if not any(_fits(x, *asked) for x in s.objects):
            return asked
    return None


def question(rng: np.random.Generator, s: Scene, task: str, korean: bool | None = None, training=True) -> Question:
    if korean is None:
        korean = rng.random() < 0.5
    pick = lambda options: options[int(rng.integers(len(options)))]
    asked = None
    if task == "absent":
        kind = "cs" if rng.random() < 0.8 else pick(["c", "s"])
        asked = _absent(rng, s, kind, training)
        if asked is None:
            task = "locate"
    if task == "locate":
        u = rng.random()
        asked = _choose(rng, s, "cs" if u < 0.75 else "c" if u < 0.87 else "s")
    if task in ("all", "caption"):
        asked = NO_COLOUR, NO_SHAPE
    if task == "count":
        u = rng.random()
        kind = "" if u < 0.35 else "s" if u < 0.65 else "c" if u < 0.85 else "cs"
        asked = _choose(rng, s, kind)
        if rng.random() < 0.2:
            other = int(rng.integers(8)), int(rng.integers(6))
            if not (training and other in UNSEEN):
                asked = (other[0] if "c" in kind else NO_COLOUR), (other[1] if "s" in kind else NO_SHAPE)
    targets = [i for i, o in enumerate(s.objects) if _fits(o, *asked)]
    named = [s.objects[i] for i in targets]
    if task == "caption":
        text, answer = pick(KO_CAPTION if korean else EN_CAPTION), caption(s, korean)
    elif task == "count":
        text, answer = pick(KO_COUNT if korean else EN_COUNT), str(len(targets))
    else:
        text, answer = pick(KO_LOCATE if korean else EN_LOCATE), boxes(named)
    return Question(task, text.format(**phrases(*asked, korean)), answer, targets, *asked, korean)
