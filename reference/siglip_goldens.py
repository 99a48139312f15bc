"""Makes the tiny SigLIP and SigLIP 2 checkpoints and their goldens.

    python siglip_goldens.py                    # writes lmm-clip/src/test/resources/golden/siglip*
    python siglip_goldens.py --check-mistakes   # and shows that they catch the usual mistakes

Checkpoints, in the published file layouts, weights from a seed:

- ``siglip-v1``: spiece.model alone (T5's, which SigLIP's is like, cut to 600 pieces), a config that
  leaves out what the published one leaves out, text head with bias;
- ``siglip2``: fixed size, ``model_type`` siglip, a tokenizer.json of Gemma's kind,
  ``projection_size`` other than the text width, bilinear;
- ``siglip2-bf16``: the same in a bfloat16 file, from another seed;
- ``siglip2-naflex``: ``model_type`` siglip2, variable patches.

SigLIP 2's texts are lower-cased here character by character: it was trained so, its tokenizer_config
says so, Siglip2Tokenizer does so, and only AutoProcessor 5.23 forgets it.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import support

import numpy as np
import torch
from sentencepiece import sentencepiece_model_pb2 as sentencepiece_model
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import Siglip2Config, Siglip2Model, SiglipConfig, SiglipModel

import contrastive
import mistakes
import sample_pictures
from texts import TEXTS

PIECES = 600


def cut_spiece(folder: Path, size: int) -> int:
    """T5's model cut to the control pieces, the single ASCII characters and the most likely rest."""
    model = sentencepiece_model.ModelProto()
    model.ParseFromString((support.TOKENIZERS / "t5/spiece.model").read_bytes())
    pieces = list(model.pieces)
    kept = [i for i, p in enumerate(pieces) if i < 3 or (len(p.piece) == 1 and p.piece.isascii())]
    rest = [i for i in range(len(pieces)) if i not in set(kept)]
    chosen = sorted(kept + rest[: size - len(kept)])
    del model.pieces[:]
    model.pieces.extend(pieces[i] for i in chosen)
    model.trainer_spec.vocab_size = len(chosen)
    model.DiscardUnknownFields()  # a self-test
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "spiece.model").write_bytes(model.SerializeToString())
    return len(chosen)


def write_spiece(folder: Path) -> int:
    size = cut_spiece(folder, PIECES)
    special = {"eos_token": "</s>", "pad_token": "</s>", "unk_token": "<unk>"}
    support.write_json(folder / "special_tokens_map.json", special)
    support.write_json(
        folder / "tokenizer_config.json",
        {
            "additional_special_tokens": [],
            "clean_up_tokenization_spaces": True,
            "do_lower_case": True,
            "model_input_names": ["input_ids"],
            "model_max_length": 64,
            "processor_class": "SiglipProcessor",
            "sp_model_kwargs": {},
            "tokenizer_class": "SiglipTokenizer",
            **special,
        },
    )
    return size


_WORDS = """a photo of the flower woman dark uniform in front flag pink yellow heart petals and then end dog
running times twice spaced old with an istanbul green leaf leaves picture small large red blue cat two
분홍 꽃과 초록 잎 고양이 사진 나무 하늘 바다 붉은 파란 노란 한 두 세 마리 옛 여자 깃발""".split()


def gemma_tokenizer(seed: int, size: int) -> Tokenizer:
    """A BPE of Gemma's kind: byte fallback, blanks as U+2581, ``<eos>`` at the end."""
    rng = np.random.default_rng(seed)
    lines = [" ".join(rng.choice(_WORDS, rng.integers(3, 12))) for _ in range(4000)]
    trained = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    trained.normalizer = normalizers.Replace(" ", "▁")
    trained.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")  # while training only
    special = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>"]
    fallback = [f"<0x{b:02X}>" for b in range(256)]
    alphabet = ["▁", *(chr(c) for c in range(33, 127))]
    trained.train_from_iterator(
        lines,
        trainers.BpeTrainer(
            vocab_size=size - len(special) - len(fallback),
            initial_alphabet=alphabet,
            special_tokens=[],
            show_progress=False,
        ),
    )
    pieces = [token for token, _ in sorted(trained.get_vocab().items(), key=lambda item: item[1])]
    merges = [tuple(m) for m in json.loads(trained.to_str())["model"]["merges"]]
    # As in Gemma's vocabulary, runs of blanks are pieces too.
    runs = ["▁" * n for n in range(2, 9)]
    merges = [("▁", run[:-1]) for run in runs] + merges
    vocabulary = {t: i for i, t in enumerate([*special, *fallback, *runs, *pieces])}
    tokenizer = Tokenizer(
        models.BPE(vocab=vocabulary, merges=merges, unk_token="<unk>", byte_fallback=True, fuse_unk=True)
    )
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    tokenizer.add_special_tokens(special)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A <eos>", pair="$A <eos> $B:1 <eos>:1", special_tokens=[("<eos>", vocabulary["<eos>"])]
    )
    return tokenizer


def write_gemma(folder: Path, naflex: bool) -> int:
    """The tokenizer files of SigLIP 2; NaFlex's has truncation and padding frozen in, at 16 here."""
    tokenizer = gemma_tokenizer(seed=5, size=800)
    size = tokenizer.get_vocab_size()
    if naflex:
        tokenizer.enable_truncation(16)
        tokenizer.enable_padding(direction="left", pad_id=0, pad_token="<pad>", length=16)
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))

    def token(content):
        return {"content": content, "lstrip": False, "normalized": False, "rstrip": False, "single_word": False}

    special = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>"]
    support.write_json(
        folder / "special_tokens_map.json",
        {f"{n}_token": token(f"<{n}>") for n in ("bos", "eos", "pad", "unk")},
    )
    support.write_json(
        folder / "tokenizer_config.json",
        {
            "add_bos_token": False,
            "add_eos_token": True,
            "added_tokens_decoder": {str(i): {**token(t), "special": True} for i, t in enumerate(special)},
            "bos_token": "<bos>",
            "clean_up_tokenization_spaces": False,
            "do_lower_case": True,
            "eos_token": "<eos>",
            "model_input_names": ["input_ids"],
            "model_max_length": 64,
            "pad_token": "<pad>",
            "padding_side": "right",
            "processor_class": "Siglip2Processor" if naflex else "SiglipProcessor",
            "tokenizer_class": "GemmaTokenizer",
            "unk_token": "<unk>",
        },
    )
    return size


def _processor(kind: str, **more) -> dict:
    return {
        "do_convert_rgb": None,
        "do_normalize": True,
        "do_rescale": True,
        "do_resize": True,
        "image_mean": [0.5, 0.5, 0.5],
        "image_processor_type": kind,
        "image_std": [0.5, 0.5, 0.5],
        "rescale_factor": 0.00392156862745098,
        **more,
    }


def write_checkpoint(name: str, seed: int, bias: float) -> Path:
    """Writes one checkpoint folder."""
    folder = support.CLIP_GOLDEN / name
    v1, naflex, half = name == "siglip-v1", name == "siglip2-naflex", name == "siglip2-bf16"
    vocabulary = write_spiece(folder) if v1 else write_gemma(folder, naflex)
    text = {
        "hidden_size": 48 if v1 else 32,
        "intermediate_size": 128,
        "model_type": "siglip2_text_model" if naflex else "siglip_text_model",
        "num_attention_heads": 4,
        "num_hidden_layers": 2,
        "vocab_size": vocabulary,
    }
    vision = {
        "hidden_size": 48,
        "intermediate_size": 160,
        "model_type": "siglip2_vision_model" if naflex else "siglip_vision_model",
        "num_attention_heads": 3,
        "num_hidden_layers": 2,
        "patch_size": 8,
    }
    if not v1:
        text.update(projection_size=48, hidden_act="gelu_pytorch_tanh", layer_norm_eps=1e-06)
    if naflex:
        vision.update(num_patches=25)  # a table of 5 x 5
        processor = _processor("Siglip2ImageProcessor", resample=2, patch_size=8, max_num_patches=36)
    elif v1:
        vision.update(image_size=40)
        processor = _processor("SiglipImageProcessor", resample=3, size={"height": 40, "width": 40})
    else:
        vision.update(image_size=48)
        processor = _processor("SiglipImageProcessor", resample=2, size={"height": 48, "width": 48})
    config = {
        "architectures": ["Siglip2Model" if naflex else "SiglipModel"],
        "initializer_factor": 1.0,
        "model_type": "siglip2" if naflex else "siglip",
        "text_config": text,
        "torch_dtype": "bfloat16" if half else "float32",
        "vision_config": vision,
    }
    support.write_json(folder / "config.json", config)
    support.write_json(folder / "preprocessor_config.json", processor)
    model = Siglip2Model(Siglip2Config.from_dict(config)) if naflex else SiglipModel(SiglipConfig.from_dict(config))
    support.seeded_weights(model, seed, {"logit_scale": 4.6, "logit_bias": bias})
    support.save_checkpoint(model, folder, torch.bfloat16 if half else torch.float32)
    return folder


# Seed, and the logit bias that spreads this seed's probabilities over 0 to 1.
CHECKPOINTS = {
    "siglip-v1": (17, -8.5),
    "siglip2": (16, -8.0),
    "siglip2-bf16": (23, -10.0),
    "siglip2-naflex": (20, -16.5),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check-mistakes", action="store_true", help="write reference/mistakes-siglip.md")
    a = parser.parse_args()
    pictures = sample_pictures.write()
    tables = {}
    for name, (seed, bias) in CHECKPOINTS.items():
        folder = write_checkpoint(name, seed, bias)
        contrastive.write_golden(folder, pictures, TEXTS, seed, with_activations=name == "siglip2-naflex")
        if a.check_mistakes:
            tables[name] = mistakes.check(folder, pictures, TEXTS)
    for name in ("tokenizer.json", "tokenizer_config.json"):  # for tokenizer_goldens.py
        target = support.TOKENIZERS / "gemma" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((support.CLIP_GOLDEN / "siglip2" / name).read_bytes())
    if tables:
        mistakes.write_table(support.ROOT / "reference/mistakes-siglip.md", "What the SigLIP goldens catch", tables)


if __name__ == "__main__":
    main()
