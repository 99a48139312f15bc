"""Trains the small sentencepiece models of the tokenizer goldens, always the same.

    python sentencepiece_models.py   # writes files/{llama,pieces-bpe,pieces-unigram}/tokenizer.model.gz

- ``llama``: BPE as Llama's: nothing normalised, digits apart, bytes for what is rare;
- ``pieces-bpe``: BPE, nothing normalised, unknown characters stay unknown;
- ``pieces-unigram``: unigram with NFKC and case folding, bytes for what is rare.

All have tokens of their own among the pieces: control tokens, which text never becomes in sentencepiece, and
symbols that users defined.
"""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import sentencepiece

import support
from texts import TEXTS
from tokenizer_goldens import CODE, ODD, SENTENCES

FOLDER = support.CORE_GOLDEN / "tokenizers/files"
SHARED = {
    "unk_id": 0, "bos_id": 1, "eos_id": 2, "pad_id": -1, "num_threads": 1, "minloglevel": 2,
    "control_symbols": ["<ctrl>"], "user_defined_symbols": ["<image>", "[INST]", "\n\n"],
}  # fmt: skip
MODELS = {
    "llama": {
        "model_type": "bpe", "vocab_size": 1100, "byte_fallback": True, "split_digits": True, "character_coverage": 0.98,
        "normalization_rule_name": "identity", "remove_extra_whitespaces": False, "allow_whitespace_only_pieces": True,
    },
    "pieces-bpe": {"model_type": "bpe", "vocab_size": 840, "character_coverage": 0.98, "normalization_rule_name": "identity"},
    "pieces-unigram": {
        "model_type": "unigram", "vocab_size": 840, "byte_fallback": True, "character_coverage": 0.98,
        "normalization_rule_name": "nmt_nfkc_cf",
    },
}  # fmt: skip


def corpus() -> list[str]:
    """Ordinary sentences, texts of the model goldens and code, so that pieces of every kind come about."""
    plain = [line for line in ODD if line.isprintable() and "<" not in line]
    return [line for line in (*SENTENCES, *TEXTS, *plain, " ".join(CODE)) if line.strip()] * 3


def main() -> None:
    for name, options in MODELS.items():
        model = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(corpus()), model_writer=model, **SHARED, **options)
        path = Path(FOLDER, name, "tokenizer.model.gz")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(model.getvalue(), 9, mtime=0))
        print(name, len(model.getvalue()), "bytes, packed", path.stat().st_size)


if __name__ == "__main__":
    main()
