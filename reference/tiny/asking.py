"""What is said and asked about scenes of ``world``: fixed captions, questions with answers, pages of text.

A caption here has one wording for a scene, so that an answer can be compared word for word. ``pages`` are
what the language model reads before it sees pictures: lines about one scene, in any order, which tell it
that a question is answered from what stands before it. They name all colour-shape pairs: only pictures of
``world.UNSEEN_PAIRS`` are kept out of training.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

import world
from world import COLOUR_NAMES, HORIZONTAL, KO_COLOURS, KO_SHAPES, PAIR, SHAPES, SINGLE_PLACES, Scene, has_final

KINDS = ["colour", "shape", "count", "where", "background"]
KO_CAPTION = "그림 설명:"  # the prompt of a Korean caption; an English one needs none
EN_PROMPTS = ["a picture of", "a drawing of"]
_EN_WHERE = {
    "centre": "in the centre",
    "left": "on the left",
    "right": "on the right",
    "top": "at the top",
    "bottom": "at the bottom",
}
_KO_WHERE = {"centre": "가운데", "left": "왼쪽", "right": "오른쪽", "top": "위쪽", "bottom": "아래쪽"}
_EN_NUMBERS = ["zero", "one", "two", "three"]
_KO_NUMBERS = ["없음", "한 개", "두 개", "세 개"]


# Words of the notes, and how answers and captions say them.
FORMS = {
    **{c: [c, *KO_COLOURS[c]] for c in COLOUR_NAMES},
    **{n: [n, n + ("es" if n == "cross" else "s"), *KO_SHAPES[n]] for n in SHAPES},
    **{p: [p, *(_KO_WHERE[p] + end for end in ("", "에"))] for p in SINGLE_PLACES},
    **{n: [n] for n in _EN_NUMBERS[1:]},
}


@dataclass(frozen=True)
class Line:
    """A prompt and what follows it. ``kind`` is ``caption`` or one of ``KINDS``."""

    kind: str
    prompt: str
    answer: str
    language: str


def plural(noun: str) -> str:
    return noun + ("es" if noun == "cross" else "s")


def things(s: Scene) -> list[tuple[int, int, str]]:
    """Colour, shape and place of each shape; no place for scattered ones."""
    if s.count == PAIR:
        places = ("left", "right") if s.place == HORIZONTAL else ("top", "bottom")
        return [(s.colour, s.shape, places[0]), (s.colour2, s.shape2, places[1])]
    place = SINGLE_PLACES[s.place] if s.count == 1 else ""
    return [(s.colour, s.shape, place)] * s.count


def _ko(colour: int, shape: int) -> str:
    return f"{KO_COLOURS[COLOUR_NAMES[colour]][0]} {KO_SHAPES[SHAPES[shape]][0]}"


def _topic(word: str) -> str:
    return word + ("은" if has_final(word) else "는")


def caption(s: Scene, language: str) -> str:
    ground = COLOUR_NAMES[s.background]
    if language == "en":
        noun = lambda c, n: world._article(f"{COLOUR_NAMES[c]} {SHAPES[n]}")
        if s.count == PAIR and s.place == HORIZONTAL:
            body = f"{noun(s.colour, s.shape)} on the left and {noun(s.colour2, s.shape2)} on the right"
        elif s.count == PAIR:
            body = f"{noun(s.colour, s.shape)} above {noun(s.colour2, s.shape2)}"
        elif s.count == 1:
            body = f"{noun(s.colour, s.shape)} {_EN_WHERE[SINGLE_PLACES[s.place]]}"
        else:
            body = f"{_EN_NUMBERS[s.count]} {COLOUR_NAMES[s.colour]} {plural(SHAPES[s.shape])}"
        return f"{body} on {world._article(ground)} background"
    if s.count == PAIR:
        one, two = ("왼쪽", "오른쪽") if s.place == HORIZONTAL else ("위쪽", "아래쪽")
        body = f"{one}에 {_ko(s.colour, s.shape)}, {two}에 {_ko(s.colour2, s.shape2)}"
    elif s.count == 1:
        body = f"{_KO_WHERE[SINGLE_PLACES[s.place]]}에 있는 {_ko(s.colour, s.shape)}"
    else:
        body = f"{_ko(s.colour, s.shape)} {_KO_NUMBERS[s.count]}"
    return f"{KO_COLOURS[ground][0]} 배경에 {body}"


def _english(rng, s: Scene, kind: str) -> tuple[str, str]:
    pick = lambda *options: options[int(rng.integers(len(options)))]
    color = "colour" if rng.random() < 0.8 else "color"
    if kind == "background":
        return pick(f"what {color} is the background", f"which {color} is the background"), COLOUR_NAMES[s.background]
    listed = things(s)
    i = int(rng.integers(len(listed)))
    c, n, place = listed[i]
    colour, shape = COLOUR_NAMES[c], SHAPES[n]
    if kind == "count":
        return _count(rng, s, True)
    if s.count in (2, 3):
        if kind == "colour":
            return pick(f"what {color} are the {plural(shape)}", f"what {color} are the shapes", f"what {color} are they"), colour
        return pick("what shapes are these", "what are these", f"what are the {colour} shapes", "what shapes are there"), plural(shape)
    where = _EN_WHERE[place]
    if s.count == 1:
        if kind == "colour":
            return pick(f"what {color} is the {shape}", f"what {color} is the {shape}", f"what {color} is the shape", f"what {color} is it"), colour
        if kind == "shape":
            return pick("what shape is it", "what shape is this", "what is this", f"what shape is the {colour} thing", f"what is the {colour} shape"), shape
        return pick(f"where is the {shape}", f"where is the {colour} {shape}", f"where is the {colour} shape", "where is it"), where
    other = listed[1 - i]
    if kind == "colour":
        by_place = f"what {color} is the shape {where}"
        return (by_place if other[1] == n or rng.random() < 0.4 else f"what {color} is the {shape}"), colour
    if kind == "shape":
        by_place = pick(f"what shape is {where}", f"what is {where}")
        return (by_place if other[0] == c or rng.random() < 0.5 else pick(f"what shape is {colour}", f"what is the {colour} shape")), shape
    if other[1] != n and rng.random() < 0.5:
        return f"where is the {shape}", where
    return f"where is the {colour} {shape}", where


def _korean(rng, s: Scene, kind: str) -> tuple[str, str]:
    pick = lambda *options: options[int(rng.integers(len(options)))]
    end = pick("인가요", "인가요", "이야")
    if kind == "background":
        return f"배경은 무슨 색{end}", KO_COLOURS[COLOUR_NAMES[s.background]][1]
    listed = things(s)
    i = int(rng.integers(len(listed)))
    c, n, place = listed[i]
    colour, shape = KO_COLOURS[COLOUR_NAMES[c]], KO_SHAPES[SHAPES[n]][0]
    if kind == "count":
        return _count(rng, s, False)
    there = pick("있나요", "있나요", "있어")
    if s.count != PAIR:
        if kind == "colour":
            return pick(f"{_topic(shape)} 무슨 색{end}", f"{_topic(shape)} 무슨 색{end}", f"도형은 무슨 색{end}", f"무슨 색{end}"), colour[1]
        if kind == "shape":
            return pick(f"무슨 모양{end}", f"{colour[0]} 도형은 무슨 모양{end}", f"무엇이 {there}"), shape
        return pick(f"{_topic(shape)} 어디에 {there}", f"{colour[0]} {_topic(shape)} 어디에 {there}", f"도형은 어디에 {there}"), _KO_WHERE[place]
    other, where = listed[1 - i], _KO_WHERE[place]
    if kind == "colour":
        by_place = f"{where} 도형은 무슨 색{end}"
        return (by_place if other[1] == n or rng.random() < 0.4 else f"{_topic(shape)} 무슨 색{end}"), colour[1]
    if kind == "shape":
        by_place = pick(f"{where}에 무엇이 {there}", f"{where} 도형은 무슨 모양{end}")
        return (by_place if other[0] == c or rng.random() < 0.5 else f"{colour[0]} 도형은 무슨 모양{end}"), shape
    if other[1] != n and rng.random() < 0.5:
        return f"{_topic(shape)} 어디에 {there}", where
    return f"{colour[0]} {_topic(shape)} 어디에 {there}", where


def _count(rng, s: Scene, english: bool) -> tuple[str, str]:
    """Of all shapes, of one shape or of one colour; one in eight asks for what is not there."""
    listed = things(s)
    c, n, _ = listed[int(rng.integers(len(listed)))]
    u = rng.random()
    if u < 0.3:
        number, noun = len(listed), "shapes" if english else "도형"
    elif u < 0.8:
        if rng.random() < 0.16:
            n = int(rng.integers(6))
        number = sum(t[1] == n for t in listed)
        noun = plural(SHAPES[n]) if english else KO_SHAPES[SHAPES[n]][0]
    else:
        if rng.random() < 0.16:
            c = int(rng.integers(8))
        number = sum(t[0] == c for t in listed)
        noun = f"{COLOUR_NAMES[c]} shapes" if english else f"{KO_COLOURS[COLOUR_NAMES[c]][0]} 도형"
    if english:
        return f"how many {noun} are there", _EN_NUMBERS[number]
    there = "있나요" if rng.random() < 0.67 else "있어"
    return f"{_topic(noun)} 몇 개 {there}", _KO_NUMBERS[number]


def question(rng: np.random.Generator, s: Scene, kind: str, language: str) -> Line:
    """A question of one of ``KINDS``; scattered shapes are nowhere, so they are counted instead."""
    if kind == "where" and s.count in (2, 3):
        kind = "count"
    text, answer = (_english if language == "en" else _korean)(rng, s, kind)
    if rng.random() < 0.3:
        text = text[0].upper() + text[1:]
    return Line(kind, f"Question: {text}? Answer:", " " + answer, language)


def described(rng: np.random.Generator, s: Scene, language: str) -> Line:
    """A caption: an English one after nothing or after one of ``EN_PROMPTS``, a Korean one after its prompt."""
    text = caption(s, language)
    if language == "ko":
        return Line("caption", KO_CAPTION, " " + text, language)
    if rng.random() < 0.3:
        return Line("caption", EN_PROMPTS[int(rng.integers(len(EN_PROMPTS)))], " " + text, language)
    return Line("caption", "", text, language)


def line(rng: np.random.Generator, s: Scene) -> Line:
    language = "en" if rng.random() < 0.5 else "ko"
    if rng.random() < 0.2:
        return described(rng, s, language)
    at = int(np.searchsorted([0.24, 0.44, 0.63, 0.84], rng.random()))
    return question(rng, s, KINDS[at], language)


def notes(s: Scene) -> str:
    """A scene in as few words as possible."""
    words = []
    for c, n, place in things(s) if s.count in (1, PAIR) else things(s)[:1]:
        words += [COLOUR_NAMES[c], SHAPES[n], place] if place else [COLOUR_NAMES[c], SHAPES[n]]
    number = _EN_NUMBERS[2 if s.count == PAIR else s.count]
    return " ".join(["", number, *words, COLOUR_NAMES[s.background]])


def any_scene(rng: np.random.Generator) -> Scene:
    """Two of three have two different shapes: there it matters what belongs together."""
    pair = rng.random() < 0.65
    while True:
        scene = world.random_scene(rng, unseen=rng.random() < 0.12)
        if (scene.count == PAIR) == pair:
            return scene


def page(rng: np.random.Generator, noted: bool) -> tuple[str, list[Line]]:
    """What a page begins with and six lines about that scene; it begins with notes, or a caption, or nothing."""
    s = any_scene(rng)
    if noted:
        first = notes(s)
    elif rng.random() < 0.9:
        first = world.caption(rng, s, "en" if rng.random() < 0.5 else "ko", full=True).text
    else:
        first = ""
    return first, [line(rng, s) for _ in range(6)]
