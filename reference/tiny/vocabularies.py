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
