"""Makes 5,000 lines of mixed scripts and the ids that transformers gives them, for each tokenizer.

    python tokenizer_goldens.py   # writes lmm-core/src/test/resources/golden/tokenizers

``lines.json.gz`` holds the lines but the last two, of 100 KB each, which are joined from the others.
``<tokenizer>.json.gz`` holds the ids of the first 1,000 lines, with special tokens, neither cut nor padded;
of the ids and of the decoded texts of all lines (of those 1,000, if only a config differs) a hash each (two bytes a line, to find what differs, and one
hash over all, which settles it); and the versions. The tokenizer files are in ``files/<tokenizer>``.

- ``clip``: CLIPTokenizer from the published vocab.json and merges.txt;
- ``siglip-t5``: SiglipTokenizer (sentencepiece itself) from T5's spiece.model, which SigLIP's is like;
- ``siglip-fixture``: the same from transformers' test model of 1,000 pieces, whose ids lie differently;
- ``gemma``: SigLIP 2's kind, small, lower-cased by character (see siglip_goldens.py);
- ``gemma-cased``: the same files as they stand, without lower-casing;
- ``qwen2.5``: Qwen2Tokenizer from the published vocab.json and merges.txt and its added tokens;
- ``t5``: T5Tokenizer from spiece.model; ``bert``: BertTokenizer from vocab.txt, uncased;
- ``opt``: GPT2Tokenizer from OPT's vocab.json and merges.txt, ``</s>`` first;
- ``opt-image``, ``t5-image``, ``bert-dec``: the same files with a tokenizer_config in BLIP-2's form, whose
  ``added_tokens_decoder`` adds ``<image>`` or ``[DEC]``. ``more`` holds a few lines with such tokens;
- ``llama``, ``llama-legacy``: LlamaTokenizer from a BPE tokenizer.model with bytes for rare characters;
- ``pieces-bpe``, ``pieces-unigram``: TokenizersBackend from a tokenizer.model of either kind, as transformers
  reads one whose class it does not know (see sentencepiece_models.py).
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import shutil
import tempfile
import unicodedata
import warnings
from pathlib import Path

import support

import numpy as np
from transformers import (
    AutoTokenizer,
    BertTokenizer,
    CLIPTokenizer,
    GPT2Tokenizer,
    LlamaTokenizer,
    PreTrainedTokenizerFast,
    Qwen2Tokenizer,
    Siglip2Tokenizer,
    SiglipTokenizer,
    T5Tokenizer,
)
from transformers.utils import logging

import contrastive

FOLDER = support.CORE_GOLDEN / "tokenizers"
SEED = 20
LINES = 1000
ALL_LINES = 5000

# With the tokens that BLIP-2 adds.
MORE = [
    "<image>", "<image><image> a photo of", "Question: what is it?<image> Answer:", "a <image>b", "<Image> < image>",
    "[DEC]", "a cat[DEC]on a sofa", "[dec] [DEC]", "</s><pad><image>", "<extra_id_0><image><extra_id_99>", " </s> a", "[CLS][DEC][SEP]",
    "a , b . c ! d ? it 's , do n't , I 'm , we 've , they 're ; ' quoted ' and  ' s , n ' t  's ' ' '.",
]

# The folder whose vocabulary another uses.
BASES = {"opt-image": "opt", "t5-image": "t5", "bert-dec": "bert", "llama-legacy": "llama"}

# Those whose own class only decodes what transformers' class for sentencepiece models encodes.
UNDECODED = {"siglip-t5", "siglip-fixture"}

# Those whose vocabulary and layout is another's too.
VARIANTS = {*BASES, "gemma-cased"}

# Those with tokens of their own, or with a clean-up of blanks.
MORE_OF = {"opt", *BASES, "llama", "pieces-bpe", "pieces-unigram"}

# Ordinary sentences, one script a line.
SENTENCES = """\
A photo of two cats sleeping on a pink sofa beside two remote controls.
The quick brown fox jumps over the lazy dog; it's a well-known pangram, isn't it?
We'll see what they've done: I'm sure you'd've guessed, he's late and we're early.
고양이 두 마리가 분홍색 소파 위에서 자고 있습니다.
서울특별시 강남구의 늦은 밤, 비가 내리는 골목길을 걷는 사람들.
값싼 닭볶음탕과 뷁쀍쉙 같은 드문 음절도 있다.
两只猫在粉红色的沙发上睡觉,旁边有两个遥控器。
繁體中文的句子也應該一樣:臺灣、香港、澳門。
ピンクのソファで眠る二匹の猫とリモコン。カタカナ、ひらがな、漢字ﾊﾝｶｸ。
قطتان تنامان على أريكة وردية بجانب جهازي تحكم عن بعد.
חתולים ישנים על ספה ורודה, עִם נִקּוּד.
แมวสองตัวนอนอยู่บนโซฟาสีชมพูข้างรีโมตคอนโทรลสองอัน
दो बिल्लियाँ गुलाबी सोफे पर सो रही हैं।
இரண்டு பூனைகள் இளஞ்சிவப்பு சோபாவில் தூங்குகின்றன.
Две кошки спят на розовом диване рядом с пультами.
Δύο γάτες κοιμούνται σε έναν ροζ καναπέ. ΟΔΥΣΣΕΥΣ ΣΟΦΟΣ
İstanbul'da iki kedi pembe kanepede uyuyor; ığdır ve ŞİŞLİ.
Zwei Katzen schlafen auf dem Sofa. Straße, STRASSE, Äpfel, ẞ.
Hai con mèo đang ngủ trên ghế sô pha màu hồng.
Ļoti ģērbti ķirši žņaudz; Příliš žluťoučký kůň úpěl ďábelské ódy.
ორი კატა ვარდისფერ დივანზე სძინავთ. ՀԱՅԱՍՏԱՆ
ᏣᎳᎩ Ꭶ ꭰ ᚠᚢᚦ 𐌀𐌁 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𝟙𝟚𝟛""".split("\n")

# Short pieces that tokenizers stumble over.
ODD = [
    "", " ", "  ", "\t", "\n", "\r\n", "\u00a0", "\u2003", "\u3000", "\u200b", "\ufeff", "\u2028", "\u0085", "\x0b\x0c",
    "\x00", "\x01\x02", "\x1b[31m", "\x7f", "\u00ad", "\u200d", "\u200c", "\u2060", "\ufffd", "\ue000", "\U000f0000",
    "😀", "👍🏽", "👩‍👩‍👧‍👦", "🏳️‍🌈", "🇰🇷🇺🇸", "1️⃣", "❤️", "🫠", "👨🏿‍🚀", "☺︎",
    "e\u0301", "é", "A\u030a", "Å", "\u212b", "n\u0303o", "q\u0323\u0307", "q\u0307\u0323", "\u1112\u1161\u11ab", "한", "ﬁ", "ﬀ",
    "½", "²", "Ⅷ", "ａｂＣ１", "㎏", "①", "…", "ǅ", "ŉ", "ſ", "İ", "I", "ı", "Σ", "ς", "ΑΣ", "ΑΣ.", "ẞ", "ß",
    "0", "007", "1,234.56", "3.14159", "1e-5", "0x1F", "²³", "٠١٢٣", "१२३", "一二三", "2026-11-25T03:00:00Z", "+82-2-1234-5678",
    "'s", "'S", "'re", "can't", "CAN'T", "’s", "don’t", "rock'n'roll", "''", "'", "\"quoted\"", "`code`",
    "<|startoftext|>", "<|endoftext|>", "<|im_start|>user", "<|im_end|>", "</s>", "<s>", "<unk>", "<pad>", "<eos>", "<bos>", "<mask>",
    "[CLS]", "[SEP]", "[MASK]", "[UNK]", "<extra_id_0>", "<extra_id_99>", "<0x41>", "<|vision_start|>", "<|endoftext|", "< / s >",
    "<|EndOfText|>", "a<|endoftext|>b", "a</s>b", " </s> ", "<eos><eos>", "▁", "▁▁", "a▁b", "Ġ", "Ċ", "##ing", "</w>",
    "for (int i = 0; i < n; i++) { a[i] += b[i]; }", "def f(x):\n    return x**2  # square", "SELECT * FROM t WHERE a='b';",
    "https://example.org/a/b?c=d&e=%20f#g", "name@example.com", "C:\\Users\\x", "#hashtag @user", "$1.50 €2 ₩3,000 ¥4", "a_b-c.d/e",
    "!!!???", "---", "*****", "((()))", "~~", "....", "，。！？", "«»„“”", "–—", "^_^", "¯\\_(ツ)_/¯",
    "\U0001f9ff\U0001fae8", "\U00020000\U0002a6d6", "𓀀𓂀", "🀄",
]


def lines() -> list[str]:
    """The same lines every time."""
    rng = np.random.default_rng(SEED)
    made = list(ODD) + list(SENTENCES) + [s.upper() for s in SENTENCES]
    made += ["a" * 500, "가" * 200, "한글" * 90, "ha" * 150, "0" * 120, "!" * 90, "🙂" * 80, "\u0301" * 40, " " * 60 + "x" + " " * 60]
    words = [w for s in SENTENCES for w in s.split()]
    blanks = [" ", " ", " ", "  ", "\t", "\n", "\u00a0", "\u3000", "", "\r\n", " \u200b"]
    # Assigned characters that change in normalisation or casing, or belong to a script of their own.
    ranges = [
        (0x20, 0x7F), (0xA0, 0x250), (0x250, 0x370), (0x370, 0x400), (0x400, 0x530), (0x590, 0x700), (0x900, 0xE80),
        (0x10A0, 0x1200), (0x1E00, 0x2000), (0x2000, 0x2100), (0x2100, 0x2400), (0x2460, 0x2800), (0x3000, 0x3400),
        (0x4E00, 0x9FFF), (0xAC00, 0xD7A4), (0xF900, 0xFB50), (0xFB50, 0xFE00), (0xFF00, 0xFFF0), (0x1D400, 0x1D800), (0x1F300, 0x1FA00),
    ]  # fmt: skip
    while len(made) < LINES:
        kind = rng.integers(5)
        if kind == 0:  # words of several languages, odd blanks between
            parts = rng.choice(words, rng.integers(2, 14)).tolist()
            line = "".join(p + blanks[rng.integers(len(blanks))] for p in parts)
        elif kind == 1:  # a sentence with odd pieces put in
            line = SENTENCES[rng.integers(len(SENTENCES))]
            for _ in range(rng.integers(1, 4)):
                at = rng.integers(len(line) + 1)
                line = line[:at] + ODD[rng.integers(len(ODD))] + line[at:]
        elif kind == 2:  # odd pieces alone
            line = blanks[rng.integers(len(blanks))].join(ODD[i] for i in rng.integers(len(ODD), size=rng.integers(2, 7)))
        elif kind == 3:  # characters of one or two ranges, combining marks among them
            chosen = rng.choice(len(ranges), 2)
            line = ""
            for _ in range(rng.integers(3, 40)):
                low, high = ranges[chosen[rng.integers(2)]]
                line += chr(int(rng.integers(low, high)))
                if rng.random() < 0.08:
                    line += chr(int(rng.integers(0x300, 0x370)))
                if rng.random() < 0.15:
                    line += " "
        else:  # digits, signs and letters mixed, cases changed
            line = "".join(rng.choice(list("abcXYZ019 .,-_/'\"()#가나ИжΣσçé"), rng.integers(5, 60)))
            if rng.random() < 0.3:
                line = line.swapcase()
        made.append(line)
    return made[:LINES]


# Every character that Unicode calls white space, and those that look like it.
BLANKS = "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \x85\u00a0\u1680\u180e" + "".join(map(chr, range(0x2000, 0x2010))) + (
    "\u2028\u2029\u202f\u205f\u2060\u3000\ufeff"
)
CONTROLS = "".join(map(chr, [*range(32), *range(127, 160), 0xAD, *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFFF9]))
PEOPLE = "👩👨🧑👧👦👶🧒👴👵"
TONES = "🏻🏼🏽🏾🏿"
THINGS = "🚀🎓🏫🌾🍳⚕⚖✈❤🔥💻🔧🎨🏳🏴🌈☠"
CODE = (
    "if else for while return def class import lambda public static void int[] String std::vector<int> &mut fn let const "
    "=> -> == != <= >= && || ++ -- += ** // /* */ # $ @ \\ \\n { } ( ) [ ] ; : , . ... '\\'' \"a\" 0x7fFF 1_000 1e-9 3.14f "
    "self.x foo_bar fooBar FooBar FOO_BAR x1 __init__ @Override <T> %s %d \\d+ [a-z]* </div> <a href=\"#\"> &amp; SELECT NULL"
).split(" ")
DIGITS = ["0123456789", "٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹", "०१२३४५६७८९", "０１２３４５６７８９", "一二三四五六七八九十百千万", "⁰¹²³⁴⁵", "①②③④", "ⅠⅡⅢⅣ"]


def pick(rng, choices) -> str:
    """One of them."""
    return choices[int(rng.integers(len(choices)))]


def emoji(rng) -> str:
    """A picture of several code points: people joined, skin tones, flags, keycaps, variation selectors."""
    kind = rng.integers(6)
    if kind == 0:
        return "\u200d".join(pick(rng, PEOPLE) + (pick(rng, TONES) if rng.random() < 0.4 else "") for _ in range(rng.integers(1, 5)))
    if kind == 1:
        return pick(rng, PEOPLE) + pick(rng, TONES) + "\u200d" + pick(rng, THINGS) + "\ufe0f"
    if kind == 2:
        return "".join(chr(0x1F1E6 + int(i)) for i in rng.integers(26, size=int(rng.integers(1, 5))))
    if kind == 3:
        return pick(rng, "0123456789#*") + "\ufe0f\u20e3"
    if kind == 4:
        return "🏴" + "".join(chr(0xE0000 + ord(c)) for c in pick(rng, ["gbeng", "gbsct", "usca"])) + "\U000e007f"
    return pick(rng, THINGS) + pick(rng, ["", "\ufe0e", "\ufe0f", "\u200d", "\u200d\u200d"])


def more_lines() -> list[str]:
    """Lines 1,001 to 4,998, the same every time."""
    rng = np.random.default_rng(SEED + 1)
    words = [w for s in SENTENCES for w in s.split()]
    made = list(BLANKS) + [f"a{c}b" for c in BLANKS] + [c * 7 for c in BLANKS] + [f" {c} " for c in CONTROLS] + CODE
    made += ["x" * 10_000, "가나다라" * 1_500, "-" * 3_000, "☃" * 2_000, "\u0300" * 1_000, "\u200d" * 500, "\n" * 2_000]
    while len(made) < ALL_LINES - LINES - 2:
        kind = rng.integers(12)
        several = range(int(rng.integers(1, 12)))
        if kind == 0:
            line = "".join(pick(rng, words) + pick(rng, BLANKS) * int(rng.integers(1, 4)) for _ in several)
        elif kind == 1:
            line = "".join(emoji(rng) + pick(rng, ["", "", " ", "a", "!"]) for _ in several)
        elif kind == 2:  # letters with heaps of marks, in and out of order
            letters = [pick(rng, "aeiounAEyÅéшийΩאبกกคी가") for _ in several]
            line = "".join(c + "".join(chr(int(m)) for m in rng.integers(0x300, 0x370, size=int(rng.integers(5)))) for c in letters)
        elif kind == 3:
            line = "".join(pick(rng, CONTROLS) + pick(rng, ["", "a", " ", "가", "1"]) for _ in several)
        elif kind == 4:  # numbers in many scripts
            digits = pick(rng, DIGITS)
            line = "".join(pick(rng, digits) + pick(rng, ["", "", "", ".", ",", " ", "-", "٫"]) for _ in range(int(rng.integers(1, 40))))
        elif kind == 5:
            line = "".join(pick(rng, CODE) + pick(rng, ["", " ", " ", "\n    ", "\t"]) for _ in several)
        elif kind == 6:  # a long word of one script
            low, high = [(97, 123), (0xAC00, 0xD7A4), (0x4E00, 0x9FFF), (0x621, 0x64B), (0x430, 0x450)][int(rng.integers(5))]
            line = "".join(map(chr, rng.integers(low, high, size=int(rng.integers(50, 400)))))
        elif kind == 7:  # Korean: syllables, letters apart, both mixed
            line = "".join(chr(int(c)) for c in rng.integers(0xAC00, 0xD7A4, size=int(rng.integers(2, 30))))
            line = line if rng.random() < 0.6 else unicodedata.normalize("NFD", line)
            line = " ".join(line[i : i + 4] for i in range(0, len(line), 4))
        elif kind == 8:  # Chinese with its punctuation
            line = "".join(chr(int(c)) + pick(rng, ["", "", "", "，", "。", "《", "》", "！"]) for c in rng.integers(0x4E00, 0x6000, size=20))
        elif kind == 9:  # Arabic with vowel signs and joiners
            line = "".join(chr(int(c)) + pick(rng, ["", "", "\u064e", "\u0651", "\u200c", "\u0640", " "]) for c in rng.integers(0x621, 0x64B, size=25))
        elif kind == 10:  # any assigned character at all
            line = ""
            while len(line) < 12:
                c = chr(int(rng.integers(0x110000)))
                if unicodedata.category(c) not in ("Cn", "Cs", "Co"):
                    line += c
        else:  # odd pieces among words
            line = pick(rng, ["", " "]).join(pick(rng, words) if rng.random() < 0.5 else pick(rng, ODD) for _ in several)
        made.append(line)
    return made[: ALL_LINES - LINES - 2]


def joined(text: list[str], blanks: bool) -> str:
    """Lines one after the other until they have 100,000 bytes; without what Python calls white space if so asked."""
    parts, size = [], 0
    for line in text:
        part = line if blanks else "".join(line.split())
        parts.append(part)
        size += len(part.encode())
        if size >= 100_000:
            return "".join(parts)
    raise AssertionError("too few lines")


def hashes(values: list[str]) -> dict[str, str]:
    """Two bytes of each value's hash, and the hash of all, each ended by a byte 0xff, which UTF-8 never has."""
    data = [value.encode() for value in values]
    short = b"".join(hashlib.sha256(each).digest()[:2] for each in data)
    return {"each": base64.b64encode(short).decode(), "all": hashlib.sha256(b"".join(each + b"\xff" for each in data)).hexdigest()}


def write_gz(path: Path, value) -> None:
    """Compressed JSON, the same bytes every time."""
    data = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    path.write_bytes(gzip.compress(data, 9, mtime=0))


def qwen(folder: Path) -> Qwen2Tokenizer:
    """The published files, stored compressed, with the tokens its tokenizer_config adds."""
    with tempfile.TemporaryDirectory() as plain:
        for packed in folder.glob("*.gz"):
            Path(plain, packed.stem).write_bytes(gzip.decompress(packed.read_bytes()))
        shutil.copyfile(folder / "tokenizer_config.json", Path(plain, "tokenizer_config.json"))
        tokenizer = Qwen2Tokenizer.from_pretrained(plain)
    config = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    for i, token in config["added_tokens_decoder"].items():
        if tokenizer.convert_tokens_to_ids(token["content"]) != int(i):
            raise AssertionError(f"{token['content']} is not {i}")
    return tokenizer


def adding(name: str):
    """A published vocabulary, stored compressed, with a tokenizer_config of its own."""
    with tempfile.TemporaryDirectory() as plain:
        for file in (FOLDER / "files" / BASES.get(name, name)).iterdir():
            data = file.read_bytes()
            packed = file.suffix == ".gz"
            Path(plain, file.stem if packed else file.name).write_bytes(gzip.decompress(data) if packed else data)
        shutil.copyfile(FOLDER / "files" / name / "tokenizer_config.json", Path(plain, "tokenizer_config.json"))
        return AutoTokenizer.from_pretrained(plain)


def main() -> None:
    logging.set_verbosity_error()
    warnings.filterwarnings("ignore", message="This sequence already has")
    files = FOLDER / "files"
    made = {
        "clip": CLIPTokenizer.from_pretrained(files / "clip"),
        "siglip-t5": SiglipTokenizer(str(files / "t5/spiece.model")),
        "siglip-fixture": SiglipTokenizer(str(files / "siglip-fixture/spiece.model")),
        "gemma": contrastive.Tokens(files / "gemma", "siglip").tokenizer,
        "gemma-cased": PreTrainedTokenizerFast.from_pretrained(files / "gemma"),
        "qwen2.5": qwen(files / "qwen2.5"),
        "t5": T5Tokenizer.from_pretrained(files / "t5"),
        "bert": BertTokenizer.from_pretrained(files / "bert"),
        "opt": adding("opt"),
        "opt-image": adding("opt-image"),
        "t5-image": adding("t5-image"),
        "bert-dec": adding("bert-dec"),
        "llama": adding("llama"),
        "llama-legacy": adding("llama-legacy"),
        "pieces-bpe": adding("pieces-bpe"),
        "pieces-unigram": adding("pieces-unigram"),
    }
    if not isinstance(made["opt"], GPT2Tokenizer) or not isinstance(made["llama"], LlamaTokenizer):
        raise AssertionError("AutoTokenizer took another class than the published files name")
    first = lines()
    stored = first + more_lines()
    text = [*stored, joined(stored, True), joined(stored, False)]
    assert len(text) == ALL_LINES
    siglip2 = Siglip2Tokenizer.from_pretrained(files / "gemma")
    if any(made["gemma"](line)["input_ids"] != siglip2(line)["input_ids"] for line in text):
        raise AssertionError("lower-casing patched in differs from Siglip2Tokenizer's")
    write_gz(FOLDER / "lines.json.gz", stored)
    for name, tokenizer in made.items():
        ids = [tokenizer(line, truncation=False)["input_ids"] for line in (first if name in VARIANTS else text)]
        about = {"class": type(tokenizer).__name__, "versions": support.versions(), "ids": ids[: len(first)]}
        about["hashes"] = hashes([" ".join(map(str, each)) for each in ids])
        if name not in UNDECODED:
            about["decoded"] = hashes([tokenizer.decode(each, skip_special_tokens=True) for each in ids])
        if name in MORE_OF:
            more = [tokenizer(line, truncation=False)["input_ids"] for line in MORE]
            text_of = [[tokenizer.decode(i, skip_special_tokens=skip) for skip in (False, True)] for i in more]
            about["more"] = {"lines": MORE, "ids": more, "decoded": text_of}
        write_gz(FOLDER / f"{name}.json.gz", about)
        print(name, type(tokenizer).__name__, sum(map(len, ids)), "ids", ids[0], ids[20], ids[len(ODD)][:12])


if __name__ == "__main__":
    main()
