"""The small tokenizers, trained on what is said of the world and written in the published layouts."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import Qwen2Tokenizer
from transformers.models.qwen2.tokenization_qwen2 import PRETOKENIZE_REGEX

import world


def corpus(seed: int, scenes: int = 8000) -> list[str]:
    rng = np.random.default_rng(seed)
    lines = []
    for i in range(scenes):
        scene = world.random_scene(rng)
        lines += [world.caption(rng, scene, language, full=i % 2 == 0).text for language in ("en", "ko")]
    return lines


def _merges(tokenizer: Tokenizer) -> list[tuple[str, str]]:
    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    return [tuple(m) if isinstance(m, list) else tuple(m.split(" ")) for m in merges]


def _write_json(path: Path, value) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def _byte_alphabet() -> list[str]:
    """The 256 characters that stand for bytes, in the order of OpenAI's vocabulary."""
    visible = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [b for b in range(256) if b not in visible]
    return [chr(b) for b in visible] + [chr(256 + i) for i in range(len(hidden))]


def write_clip(folder: Path, seed: int, merges: int = 380) -> None:
    """CLIP's own form: vocab.json, merges.txt and the two JSON files beside them."""
    t = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    t.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    words = Regex(r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+")
    t.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(words, "removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    alphabet = _byte_alphabet()
    t.train_from_iterator(
        corpus(seed),
        trainers.BpeTrainer(
            vocab_size=512 + merges,
            initial_alphabet=alphabet,
            end_of_word_suffix="</w>",
            min_frequency=3,
            special_tokens=[],
            show_progress=False,
        ),
    )
    pairs = _merges(t)[:merges]
    vocabulary: dict[str, int] = {}
    for token in [*alphabet, *(a + "</w>" for a in alphabet), *("".join(p) for p in pairs)]:
        vocabulary.setdefault(token, len(vocabulary))
    for token in ("<|startoftext|>", "<|endoftext|>"):
        vocabulary[token] = len(vocabulary)

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")
    lines = ["#version: 0.2", *(" ".join(p) for p in pairs)]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")

    def added(content, **more):
        token = {"content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": True}
        return {**more, **token}

    _write_json(
        folder / "special_tokens_map.json",
        {
            "bos_token": added("<|startoftext|>"),
            "eos_token": added("<|endoftext|>"),
            "unk_token": added("<|endoftext|>"),
            "pad_token": "<|endoftext|>",
        },
    )
    _write_json(
        folder / "tokenizer_config.json",
        {
            "unk_token": added("<|endoftext|>", __type="AddedToken"),
            "bos_token": added("<|startoftext|>", __type="AddedToken"),
            "eos_token": added("<|endoftext|>", __type="AddedToken"),
            "pad_token": "<|endoftext|>",
            "add_prefix_space": False,
            "errors": "replace",
            "do_lower_case": True,
            "model_max_length": 77,
            "tokenizer_class": "CLIPTokenizer",
        },
    )


def write_siglip2(folder: Path, seed: int, size: int = 900) -> None:
    """Gemma's kind, as SigLIP 2 has it: tokenizer.json with byte fallback, blanks as U+2581."""
    t = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    t.normalizer = normalizers.Replace(" ", "▁")
    # Only while training: no merge crosses the start of a word.
    t.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    specials = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>"]
    fallback = [f"<0x{b:02X}>" for b in range(256)]
    t.train_from_iterator(
        (line.lower() for line in corpus(seed)),
        trainers.BpeTrainer(
            vocab_size=size - len(specials) - len(fallback),
            initial_alphabet=["▁", *"abcdefghijklmnopqrstuvwxyz0123456789.,!?'-"],
            min_frequency=3,
            special_tokens=[],
            show_progress=False,
        ),
    )
    pieces = sorted(t.get_vocab().items(), key=lambda item: item[1])
    vocabulary = {token: i for i, token in enumerate([*specials, *fallback, *(p for p, _ in pieces)])}

    out = Tokenizer(
        models.BPE(vocab=vocabulary, merges=_merges(t), unk_token="<unk>", byte_fallback=True, fuse_unk=True)
    )
    out.normalizer = normalizers.Replace(" ", "▁")
    out.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    out.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    out.add_special_tokens(specials)
    out.post_processor = processors.TemplateProcessing(
        single="$A <eos>", pair="$A <eos> $B:1 <eos>:1", special_tokens=[("<eos>", vocabulary["<eos>"])]
    )
    folder.mkdir(parents=True, exist_ok=True)
    out.save(str(folder / "tokenizer.json"))

    def token(content):
        return {"content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False}

    _write_json(
        folder / "special_tokens_map.json",
        {"bos_token": token("<bos>"), "eos_token": token("<eos>"), "pad_token": token("<pad>"), "unk_token": token("<unk>")},
    )
    _write_json(
        folder / "tokenizer_config.json",
        {
            "add_bos_token": False,
            "add_eos_token": True,
            "added_tokens_decoder": {str(i): {**token(s), "special": True} for i, s in enumerate(specials)},
            "bos_token": "<bos>",
            "clean_up_tokenization_spaces": False,
            "do_lower_case": True,
            "eos_token": "<eos>",
            "model_input_names": ["input_ids"],
            "model_max_length": 64,
            "pad_token": "<pad>",
            "padding_side": "right",
            "processor_class": "SiglipProcessor",
            "sp_model_kwargs": {},
            "spaces_between_special_tokens": False,
            "tokenizer_class": "GemmaTokenizer",
            "unk_token": "<unk>",
            "use_default_system_prompt": False,
        },
    )


QWEN_CONTROL = [
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|object_ref_start|>",
    "<|object_ref_end|>",
    "<|box_start|>",
    "<|box_end|>",
    "<|quad_start|>",
    "<|quad_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|vision_pad|>",
    "<|image_pad|>",
    "<|video_pad|>",
]


def write_qwen(folder: Path, lines: list[str], template: str, size: int = 780) -> None:
    """Qwen2's form: tokenizer.json with byte-level BPE, digits one by one, control tokens at the end."""
    t = Tokenizer(models.BPE())
    t.normalizer = normalizers.NFC()
    t.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PRETOKENIZE_REGEX), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    t.train_from_iterator(
        lines,
        trainers.BpeTrainer(
            vocab_size=size - len(QWEN_CONTROL),
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
            min_frequency=8,
            special_tokens=[],
            show_progress=False,
        ),
    )
    vocabulary = json.loads(t.to_str())["model"]["vocab"]
    for token in QWEN_CONTROL:
        vocabulary[token] = len(vocabulary)
    tokenizer = Qwen2Tokenizer(
        vocab=vocabulary,
        merges=_merges(t),
        unk_token=None,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        additional_special_tokens=QWEN_CONTROL[1:],
        model_max_length=2048,
    )
    tokenizer.chat_template = template
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save_pretrained(folder)


def write_opt(folder: Path, lines: list[str], size: int = 1000) -> None:
    """OPT's form: vocab.json and merges.txt of GPT-2's byte-level BPE, four control tokens first, ``<image>`` last."""
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    control = ["<s>", "<pad>", "</s>", "<unk>"]
    alphabet = _byte_alphabet()
    t.train_from_iterator(
        lines,
        trainers.BpeTrainer(
            vocab_size=size - len(control) - 1,
            initial_alphabet=alphabet,
            min_frequency=8,
            special_tokens=[],
            show_progress=False,
        ),
    )
    pairs = _merges(t)
    vocabulary = {token: i for i, token in enumerate([*control, *alphabet, *("".join(p) for p in pairs)])}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")
    rows = ["#version: 0.2", *(" ".join(p) for p in pairs)]
    (folder / "merges.txt").write_text("\n".join(rows) + "\n", encoding="utf-8")

    def added(content, normalized):
        return {"content": content, "lstrip": False, "normalized": normalized, "rstrip": False, "single_word": False, "special": True}

    _write_json(
        folder / "tokenizer_config.json",
        {
            "add_bos_token": True,
            "add_prefix_space": False,
            "added_tokens_decoder": {
                "1": added("<pad>", True),
                "2": added("</s>", True),
                str(len(vocabulary)): added("<image>", False),
            },
            "bos_token": "</s>",
            "clean_up_tokenization_spaces": False,
            "eos_token": "</s>",
            "errors": "replace",
            "pad_token": "<pad>",
            "processor_class": "Blip2Processor",
            "tokenizer_class": "GPT2Tokenizer",
            "unk_token": "</s>",
        },
    )


def write_bert(folder: Path, lines: list[str]) -> None:
    """BERT's form: vocab.txt with the words that occur and single characters, ``[DEC]`` and ``<image>`` behind it.

    BERT's normalisation takes Hangul apart, so the Korean words stand there in letters.
    """
    normalizer = normalizers.BertNormalizer(lowercase=True)
    split = pre_tokenizers.BertPreTokenizer()
    counts: dict[str, int] = {}
    for text in lines:
        for word, _ in split.pre_tokenize_str(normalizer.normalize_str(text)):
            counts[word] = counts.get(word, 0) + 1
    words = sorted((w for w, n in counts.items() if n >= 5), key=lambda w: (-counts[w], w))
    letters = [chr(i) for i in range(33, 127) if not chr(i).isupper()]
    letters += [chr(i) for first, last in ((0x1100, 0x1112), (0x1161, 0x1175), (0x11A8, 0x11C2)) for i in range(first, last + 1)]
    continued = ["##" + c for c in letters if c.isalnum()]
    control = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokens = list(dict.fromkeys([*control, *letters, *continued, *words]))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(tokens) + "\n", encoding="utf-8")

    def added(content):
        return {"content": content, "lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": True}

    more = {str(len(tokens) + i): added(token) for i, token in enumerate(("[DEC]", "<image>"))}
    _write_json(
        folder / "tokenizer_config.json",
        {
            "added_tokens_decoder": {**{str(i): added(token) for i, token in enumerate(control)}, **more},
            "bos_token": "[DEC]",
            "clean_up_tokenization_spaces": True,
            "cls_token": "[CLS]",
            "do_lower_case": True,
            "mask_token": "[MASK]",
            "model_max_length": 48,
            "pad_token": "[PAD]",
            "processor_class": "Blip2Processor",
            "sep_token": "[SEP]",
            "strip_accents": None,
            "tokenize_chinese_chars": True,
            "tokenizer_class": "BertTokenizer",
            "unk_token": "[UNK]",
        },
    )
