"""The drawn-shapes world: scenes, their pictures, and their captions in English and Korean.

A scene is one of

* one shape at one of five places (centre, left, right, top, bottom),
* two or three equal shapes, scattered,
* two different shapes, side by side or one above the other,

on a background of one colour, with a gradient and sometimes noise. Everything is drawn from a
``numpy.random.Generator``, so a seed gives the same scenes, pictures and captions.

A caption names all attributes of a scene ("full") or leaves some out. ``matches`` says which
captions are true of which scenes; training and evaluation both rely on it, so that a caption is never
counted as wrong for a scene that it describes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageDraw

COLOURS = {
    "red": (220, 38, 38),
    "orange": (245, 135, 30),
    "yellow": (250, 218, 50),
    "green": (40, 160, 70),
    "blue": (40, 90, 215),
    "purple": (145, 55, 170),
    "white": (245, 245, 245),
    "black": (28, 28, 30),
}
COLOUR_NAMES = list(COLOURS)
SHAPES = ["circle", "square", "triangle", "star", "heart", "cross"]
SINGLE_PLACES = ["centre", "left", "right", "top", "bottom"]
# Place index of a scene: one shape has a place, several equal shapes are scattered, a pair is arranged.
SCATTERED, HORIZONTAL, VERTICAL = 5, 6, 7
PAIR = 4  # "count" of a scene with two different shapes; 1, 2 and 3 are counts of equal shapes

KO_COLOURS = {
    "red": ["빨간", "빨간색"],
    "orange": ["주황", "주황색"],
    "yellow": ["노란", "노란색"],
    "green": ["초록", "초록색"],
    "blue": ["파란", "파란색"],
    "purple": ["보라", "보라색"],
    "white": ["하얀", "흰색"],
    "black": ["검은", "검은색"],
}
KO_SHAPES = {
    "circle": ["원", "동그라미"],
    "square": ["사각형", "네모"],
    "triangle": ["삼각형", "세모"],
    "star": ["별"],
    "heart": ["하트"],
    "cross": ["십자가"],
}
EN_PLACES = {
    "centre": ["in the centre", "in the center", "in the middle"],
    "left": ["on the left", "on the left side"],
    "right": ["on the right", "on the right side"],
    "top": ["at the top"],
    "bottom": ["at the bottom"],
}
KO_PLACES = {
    "centre": ["가운데", "중앙"],
    "left": ["왼쪽"],
    "right": ["오른쪽"],
    "top": ["위쪽", "위"],
    "bottom": ["아래쪽", "아래"],
}

# Never seen in training, neither drawn nor named: each shape and six of the eight colours, once each.
UNSEEN_PAIRS = {(0, 3), (1, 4), (2, 2), (3, 5), (4, 1), (5, 0)}


@dataclass(frozen=True)
class Scene:
    """What a picture shows. Colours and shapes are indices; the second shape is -1 unless a pair."""

    count: int
    colour: int
    shape: int
    place: int
    background: int
    colour2: int = -1
    shape2: int = -1

    @property
    def unseen(self) -> bool:
        return (self.colour, self.shape) in UNSEEN_PAIRS or (self.colour2, self.shape2) in UNSEEN_PAIRS

    @property
    def valid(self) -> bool:
        if self.background in (self.colour, self.colour2):
            return False
        return self.count != PAIR or (self.colour, self.shape) != (self.colour2, self.shape2)

    def attributes(self) -> list[int]:
        return [self.count, self.colour, self.shape, self.place, self.background, self.colour2, self.shape2]


ATTRIBUTES = ["count", "colour", "shape", "place", "background", "colour2", "shape2"]


def _pick(rng, options):
    return options[int(rng.integers(len(options)))]


def random_scene(rng: np.random.Generator, unseen: bool = False) -> Scene:
    """A random scene; with ``unseen`` it holds a colour-shape pair kept out of training, else it does not."""
    while True:
        u = rng.random()
        c, s, b = int(rng.integers(8)), int(rng.integers(6)), int(rng.integers(8))
        if u < 0.5:
            scene = Scene(1, c, s, int(rng.integers(5)), b)
        elif u < 0.7:
            scene = Scene(int(rng.integers(2, 4)), c, s, SCATTERED, b)
        else:
            place = HORIZONTAL if rng.random() < 0.5 else VERTICAL
            scene = Scene(PAIR, c, s, place, b, int(rng.integers(8)), int(rng.integers(6)))
        if scene.valid and scene.unseen == unseen:
            return scene


def _other(rng, n, *taken):
    return _pick(rng, [i for i in range(n) if i not in taken])


def edit(rng: np.random.Generator, s: Scene) -> Scene:
    """The scene with one thing changed (colour, shape, place, count, background, or roles swapped)."""
    while True:
        r = int(rng.integers(7))
        if s.count == PAIR:
            e = [
                lambda: replace(s, colour=_other(rng, 8, s.colour)),
                lambda: replace(s, shape2=_other(rng, 6, s.shape2)),
                lambda: replace(s, colour2=_other(rng, 8, s.colour2)),
                lambda: replace(s, shape=_other(rng, 6, s.shape)),
                lambda: replace(s, place=HORIZONTAL + VERTICAL - s.place, background=s.background),
                lambda: replace(s, colour=s.colour2, colour2=s.colour)
                if rng.random() < 0.5
                else replace(s, colour=s.colour2, shape=s.shape2, colour2=s.colour, shape2=s.shape),
                lambda: replace(s, background=_other(rng, 8, s.background)),
            ][r]()
        elif s.count == 1:
            e = [
                lambda: replace(s, colour=_other(rng, 8, s.colour)),
                lambda: replace(s, shape=_other(rng, 6, s.shape)),
                lambda: replace(s, place=_other(rng, 5, s.place)),
                lambda: replace(s, background=_other(rng, 8, s.background)),
                lambda: replace(s, count=int(rng.integers(2, 4)), place=SCATTERED),
                lambda: replace(s, shape=_other(rng, 6, s.shape)),
                lambda: replace(s, colour=s.background, background=s.colour),
            ][r]()
        else:
            e = [
                lambda: replace(s, colour=_other(rng, 8, s.colour)),
                lambda: replace(s, shape=_other(rng, 6, s.shape)),
                lambda: replace(s, count=5 - s.count),
                lambda: replace(s, background=_other(rng, 8, s.background)),
                lambda: replace(s, count=1, place=int(rng.integers(5))),
                lambda: replace(s, count=5 - s.count),
                lambda: replace(s, count=PAIR, place=_pick(rng, [HORIZONTAL, VERTICAL]), colour2=s.colour, shape2=_other(rng, 6, s.shape)),
            ][r]()
        if e.valid and e != s:
            return e


def family(rng: np.random.Generator, size: int) -> list[Scene]:
    """A scene and ``size - 1`` different edits of it, all of seen colour-shape pairs: hard negatives."""
    scenes = [random_scene(rng)]
    while len(scenes) < size:
        e = edit(rng, scenes[0])
        if not e.unseen and e not in scenes:
            scenes.append(e)
    return scenes


# ------------------------------------------------------------------------------------- pictures


def unit_polygon(shape: str) -> np.ndarray:
    if shape == "circle":
        p = [(math.cos(t), math.sin(t)) for t in np.linspace(0, 2 * math.pi, 96, endpoint=False)]
    elif shape == "square":
        p = [(-0.87, -0.87), (0.87, -0.87), (0.87, 0.87), (-0.87, 0.87)]
    elif shape == "triangle":
        p = [(0, -1.0), (1.05, 0.85), (-1.05, 0.85)]
    elif shape == "star":
        radii = [1.12 if i % 2 == 0 else 0.46 for i in range(10)]
        p = [(r * math.sin(i * math.pi / 5), 0.06 - r * math.cos(i * math.pi / 5)) for i, r in enumerate(radii)]
    elif shape == "heart":
        p = [
            (
                16 * math.sin(t) ** 3 / 15.5,
                -(13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t) + 2.5) / 15.5,
            )
            for t in np.linspace(0, 2 * math.pi, 96, endpoint=False)
        ]
    else:
        a, b = 0.33, 1.0
        p = [(-a, -b), (a, -b), (a, -a), (b, -a), (b, a), (a, a), (a, b), (-a, b), (-a, a), (-b, a), (-b, -a), (-a, -a)]
    return np.array(p)


_POLYGONS = [unit_polygon(s) for s in SHAPES]
_RGB = np.array([COLOURS[c] for c in COLOUR_NAMES], np.float32)
_NOISE = np.random.default_rng(20240607).normal(size=(1024, 1024, 3)).astype(np.float32)


def layout(rng: np.random.Generator, scene: Scene) -> list[tuple[int, int, float, float, float]]:
    """Shapes to draw as (colour, shape, x, y, radius); the centred square of the picture is [0, 1]²."""
    j = lambda a: float(rng.uniform(-a, a))
    if scene.count == 1:
        place = SINGLE_PLACES[scene.place]
        x, y = 0.5 + j(0.06), 0.5 + j(0.06)
        if place == "centre":
            r = float(rng.uniform(0.13, 0.32))
        else:
            r = float(rng.uniform(0.12, 0.2))
            d = 0.26 + j(0.04)
            x = {"left": 0.5 - d, "right": 0.5 + d}.get(place, x)
            y = {"top": 0.5 - d, "bottom": 0.5 + d}.get(place, y)
        return [(scene.colour, scene.shape, x, y, r)]
    if scene.count == PAIR:
        d = [0.24 + j(0.03), 0.24 + j(0.03)]
        r = [float(rng.uniform(0.12, 0.19)) for _ in range(2)]
        o = [j(0.09), j(0.09)]
        first, second = (0.5 - d[0], 0.5 + o[0]), (0.5 + d[1], 0.5 + o[1])
        if scene.place == VERTICAL:
            first, second = first[::-1], second[::-1]
        return [(scene.colour, scene.shape, *first, r[0]), (scene.colour2, scene.shape2, *second, r[1])]
    while True:
        r = [float(rng.uniform(0.11, 0.17 if scene.count == 2 else 0.15)) for _ in range(scene.count)]
        p = [(float(rng.uniform(1.15 * q, 1 - 1.15 * q)), float(rng.uniform(1.15 * q, 1 - 1.15 * q))) for q in r]
        if all(
            math.dist(p[i], p[k]) > 1.25 * (r[i] + r[k]) for i in range(scene.count) for k in range(i)
        ):
            return [(scene.colour, scene.shape, *p[i], r[i]) for i in range(scene.count)]


def random_size(rng: np.random.Generator, low: int = 64, high: int = 512) -> tuple[int, int]:
    """Width and height: the short side between ``low`` and ``high``, a third of the pictures up to 4:3."""
    short = int(round(math.exp(rng.uniform(math.log(low), math.log(high)))))
    u = rng.random()
    if u < 0.66:
        return short, short
    long = min(high, int(round(short * rng.uniform(1.05, 4 / 3))))
    return (long, short) if u < 0.83 else (short, long)


def _points(items, width, height):
    side = min(width, height)
    dx, dy = (width - side) / 2, (height - side) / 2
    for colour, shape, x, y, r, angle in items:
        c, s = math.cos(angle), math.sin(angle)
        rotated = _POLYGONS[shape] @ np.array([[c, s], [-s, c]])
        yield colour, shape, rotated * (r * side) + [x * side + dx, y * side + dy]


def draw(rng: np.random.Generator, scene: Scene, width: int, height: int, noise: float | None = None, smooth: bool = False):
    """Draws the scene. Returns the picture and the placed shapes (for ``owners``).

    ``noise`` is the standard deviation in levels; by default half of the pictures have some, up to 12.
    Small pictures are antialiased, those of 320 pixels and more only where ``smooth`` asks for it.
    """
    items = [(*item, float(rng.normal() * 0.06)) for item in layout(rng, scene)]
    background = _RGB[scene.background] + rng.uniform(-10, 10, 3).astype(np.float32)
    strength, angle = float(rng.uniform(0, 30)), float(rng.uniform(0, 2 * math.pi))
    if noise is None:
        noise = float(rng.uniform(2, 12)) if rng.random() < 0.5 else 0.0
    u = np.arange(width, dtype=np.float32) / (width - 1) - 0.5
    v = np.arange(height, dtype=np.float32) / (height - 1) - 0.5
    ramp = (u[None] * math.cos(angle) + v[:, None] * math.sin(angle)) * strength
    fill = [tuple(int(q) for q in np.clip(_RGB[c] + rng.uniform(-12, 12, 3) + 0.5, 0, 255)) for c, *_ in items]

    picture = np.clip(ramp[..., None] + (background + 0.5), 0, 255).astype(np.uint8)
    image = Image.fromarray(picture)
    side = min(width, height)
    scale = 4 if smooth or side < 160 else 2 if side < 320 else 1
    for (_, _, points), colour in zip(_points(items, width, height), fill):
        if scale == 1:
            ImageDraw.Draw(image).polygon([tuple(p) for p in points], fill=colour)
            continue
        # Antialiasing: the mask is drawn larger and averaged down, only around the shape.
        x0, y0 = np.maximum(np.floor(points.min(0)).astype(int) - 1, 0)
        x1, y1 = np.minimum(np.ceil(points.max(0)).astype(int) + 1, [width, height])
        mask = Image.new("L", (int(x1 - x0) * scale, int(y1 - y0) * scale), 0)
        ImageDraw.Draw(mask).polygon([tuple(p) for p in (points - [x0, y0]) * scale], fill=255)
        image.paste(colour, (int(x0), int(y0)), mask.reduce(scale))
    if noise > 0:
        oy, ox = int(rng.integers(512)), int(rng.integers(512))
        grain = _NOISE[oy : oy + height, ox : ox + width] * noise
        image = Image.fromarray(np.clip(np.asarray(image) + grain + 0.5, 0, 255).astype(np.uint8))
    return image, items


def owners(items, width: int, height: int, size: int, cells: int, crop: bool) -> np.ndarray:
    """For every patch of the processed picture the index of the shape that covers it, or -1.

    ``crop`` is true for a centre crop to a square, false for a squash.
    """
    if not crop:
        # A squash moves points as a picture of this shape scaled on both axes.
        to_square = np.array([size / width, size / height])
        polygons = [p * to_square for _, _, p in _points(items, width, height)]
    else:
        polygons = [p for _, _, p in _points(items, size, size)]
    best = np.full((cells, cells), 0.2, np.float32)
    index = np.full((cells, cells), -1, np.int8)
    k = size // cells
    for i, points in enumerate(polygons):
        mask = Image.new("L", (size, size), 0)
        ImageDraw.Draw(mask).polygon([tuple(p) for p in points], fill=1)
        share = np.asarray(mask).reshape(cells, k, cells, k).mean((1, 3))
        better = share > best
        best[better], index[better] = share[better], i
    return index


# ------------------------------------------------------------------------------------- captions


@dataclass(frozen=True)
class Caption:
    """A text and which attributes of its scene it names (in the order of ``ATTRIBUTES``)."""

    text: str
    named: tuple[bool, ...]


_EN_COUNT = {2: "two", 3: "three"}
_KO_COUNT = {1: ["하나", "한 개"], 2: ["두 개", "둘"], 3: ["세 개", "셋"]}


def _article(word: str) -> str:
    return ("an " if word[0] in "aeiou" else "a ") + word


def _en_noun(colour, shape, count=1):
    """Colour or shape may be None (left out)."""
    words = [COLOUR_NAMES[colour]] if colour is not None else []
    noun = SHAPES[shape] if shape is not None else "shape"
    if count > 1:
        noun = noun + ("es" if noun == "cross" else "s")
        return " ".join([_EN_COUNT[count], *words, noun])
    return _article(" ".join([*words, noun]))


def has_final(word: str) -> bool:
    """Whether the last Hangul syllable ends in a consonant (decides the particle)."""
    return (ord(word[-1]) - 0xAC00) % 28 != 0


def _and_ko(word):
    return word + ("과" if has_final(word) else "와")


def _subject_ko(word):
    return word + ("이" if has_final(word) else "가")


def _ko_noun(rng, colour, shape):
    words = [_pick(rng, KO_COLOURS[COLOUR_NAMES[colour]])] if colour is not None else []
    return " ".join([*words, _pick(rng, KO_SHAPES[SHAPES[shape]]) if shape is not None else "도형"])


def _en(rng, s: Scene, colour, shape, place, ground) -> str:
    b = COLOUR_NAMES[s.background]
    if s.count == PAIR:
        one, two = _en_noun(s.colour, s.shape), _en_noun(s.colour2, s.shape2)
        if not place:
            body = f"{one} and {two}" if rng.random() < 0.5 else f"{two} and {one}"
        elif s.place == HORIZONTAL:
            body = _pick(
                rng,
                [
                    f"{one} on the left and {two} on the right",
                    f"{two} on the right and {one} on the left",
                    f"{one} to the left of {two}",
                    f"{two} to the right of {one}",
                    f"{one} on the left, {two} on the right",
                ],
            )
        else:
            body = _pick(
                rng,
                [
                    f"{one} above {two}",
                    f"{two} below {one}",
                    f"{one} at the top and {two} at the bottom",
                    f"{two} at the bottom and {one} at the top",
                    f"{one} at the top, {two} at the bottom",
                ],
            )
    else:
        noun = _en_noun(colour, shape, s.count)
        where = " " + _pick(rng, EN_PLACES[SINGLE_PLACES[s.place]]) if place else ""
        body = noun + where
        if rng.random() < 0.07 and colour is not None and shape is not None and s.count == 1:
            body = f"{_article(SHAPES[shape])}, {COLOUR_NAMES[colour]}" + ("," + where if where else "")
    if ground:
        text = _pick(
            rng,
            [
                f"{body} on {_article(b)} background",
                f"{body} on {_article(b)} background",
                f"{body}, {b} background",
                f"{body} against {_article(b)} background",
                f"{_article(b)} background with {body}",
                f"{b} background, {body}",
            ],
        )
    else:
        text = body
    u = rng.random()
    if u < 0.15:
        text = _pick(rng, ["a picture of ", "a photo of ", "a drawing of ", "an image of "]) + text
    if rng.random() < 0.15:
        text = text[0].upper() + text[1:]
    return text + ("." if rng.random() < 0.15 else "")


def _ko(rng, s: Scene, colour, shape, place, ground) -> str:
    b = _pick(rng, KO_COLOURS[COLOUR_NAMES[s.background]])
    final = ""
    if s.count == PAIR:
        one, two = _ko_noun(rng, s.colour, s.shape), _ko_noun(rng, s.colour2, s.shape2)
        if not place:
            one, two = (one, two) if rng.random() < 0.5 else (two, one)
            body = f"{_and_ko(one)} {two}"
        elif s.place == HORIZONTAL:
            body = _pick(
                rng,
                [
                    f"왼쪽에 {one}, 오른쪽에 {two}",
                    f"왼쪽에는 {one}, 오른쪽에는 {two}",
                    f"오른쪽에 {two}, 왼쪽에 {one}",
                    f"{two}의 왼쪽에 있는 {one}",
                    f"{one}의 오른쪽에 있는 {two}",
                ],
            )
        else:
            body = _pick(
                rng,
                [
                    f"위에 {one}, 아래에 {two}",
                    f"위쪽에는 {one}, 아래쪽에는 {two}",
                    f"아래에 {two}, 위에 {one}",
                    f"{two}의 위에 있는 {one}",
                    f"{one}의 아래에 있는 {two}",
                ],
            )
    else:
        noun = _ko_noun(rng, colour, shape)
        if s.count > 1:
            n = _pick(rng, _KO_COUNT[s.count])
            noun = f"{noun} {n}" if rng.random() < 0.75 or n[-1] != "개" else f"{n}의 {noun}"
        elif rng.random() < 0.25:
            noun = f"{noun} {_pick(rng, _KO_COUNT[1])}"
        body = noun
        if place:
            p = _pick(rng, KO_PLACES[SINGLE_PLACES[s.place]])
            body = _pick(rng, [f"{p}에 있는 {noun}", f"{p}에 {noun}", f"{p}의 {noun}"])
    if ground:
        text = _pick(
            rng,
            [
                f"{b} 배경에 {body}",
                f"{b} 배경에 있는 {body}",
                f"{b} 배경 위의 {body}",
                f"{body}, {b} 배경",
                f"{b} 배경, {body}",
                f"{b} 배경에 {body}",
            ],
        )
    else:
        text = body
    u = rng.random()
    if u < 0.12:
        text += _pick(rng, [" 그림", " 사진"])
    elif u < 0.2 and not text.endswith("배경"):
        text = _subject_ko(text) + " 있다"
    return text + ("." if rng.random() < 0.12 else "")


def caption(rng: np.random.Generator, scene: Scene, language: str, full: bool = False) -> Caption:
    """A caption in ``en`` or ``ko``; unless ``full``, some attributes are left out now and then."""
    colour = shape = place = ground = True
    if not full:
        ground = rng.random() > 0.3
        if scene.count == PAIR:
            place = rng.random() > 0.15
        else:
            place = rng.random() > 0.3
            u = rng.random()
            colour, shape = u > 0.08, not 0.08 < u < 0.16
    if scene.count in (2, 3):
        place = False
    text = (_en if language == "en" else _ko)(
        rng, scene, scene.colour if colour else None, scene.shape if shape else None, place, ground
    )
    pair = scene.count == PAIR
    return Caption(text, (True, colour, shape, place, ground, pair, pair))


def matches(caption_attributes, named, scene_attributes) -> np.ndarray:
    """Truth of captions about scenes: 1 true, 0 false, -1 undecided; shape (captions, scenes).

    ``caption_attributes`` (captions, 7) are those of the captions' own scenes. A caption of one shape
    is undecided for a pair that holds such a shape: it describes a part of it.
    """
    c = np.asarray(caption_attributes)[:, None]
    m = np.asarray(named, bool)[:, None]
    s = np.asarray(scene_attributes)[None]
    equal = (c == s) | ~m
    ground = equal[..., 4]
    result = equal.all(-1)
    # A pair without its arrangement is true in either order.
    unordered = (c[..., 0] == PAIR) & (s[..., 0] == PAIR) & ~m[..., 3]
    swapped = (c[..., [5, 6]] == s[..., [1, 2]]).all(-1) & (c[..., [1, 2]] == s[..., [5, 6]]).all(-1)
    result = np.where(unordered, (result | (swapped & ground)), result).astype(np.int8)
    # One shape against a pair.
    part = ((c[..., 1] == s[..., 1]) | ~m[..., 1]) & ((c[..., 2] == s[..., 2]) | ~m[..., 2])
    part |= ((c[..., 1] == s[..., 5]) | ~m[..., 1]) & ((c[..., 2] == s[..., 6]) | ~m[..., 2])
    undecided = (c[..., 0] == 1) & (s[..., 0] == PAIR) & part & ground
    result[undecided] = -1
    return result


def candidates(rng: np.random.Generator, scene: Scene, n: int = 40) -> list[Scene]:
    """``n`` different scenes, the first being ``scene``, whose full captions can be told from it.

    Sixteen differ in one thing, eight in two, the rest are random, a quarter of them with colour-shape
    pairs kept out of training.
    """
    full = (True,) * 7
    chosen = [scene]

    def add(s: Scene) -> bool:
        if s in chosen:
            return False
        if matches([s.attributes()], [full], [scene.attributes()])[0, 0] != 0:
            return False
        chosen.append(s)
        return True

    for target, make in (
        (1 + 16, lambda: edit(rng, scene)),
        (1 + 24, lambda: edit(rng, edit(rng, scene))),
        (n, lambda: random_scene(rng, unseen=rng.random() < 0.25)),
    ):
        while len(chosen) < target:
            add(make())
    return chosen
