"""What transformers' generation does: scores processed in its order, greedy, drawn and beam answers.

Writes ``lmm-core/src/test/resources/golden/decoding``:

* ``scores.safetensors`` and ``.json``: random logits, histories, and what the logits processors that
  ``generate`` itself puts together make of them, for every option alone and in combination. Negative
  infinity is stored as -3e38.
* ``model.safetensors``: a tiny Qwen2 with weights large enough that masks and positions matter.
* ``answers.json``: what ``generate`` answers with it, with scores and log-probabilities.

With ``--check-mistakes`` it also shows that usual mistakes change the answers.
"""

from __future__ import annotations

import argparse

import numpy as np
import torch
from transformers import GenerationConfig, Qwen2Config, Qwen2ForCausalLM

from support import CORE_GOLDEN, save_checkpoint, seeded_weights, versions, write_golden, write_json

FOLDER = CORE_GOLDEN / "decoding"
MISSING = -3.0e38
VOCABULARY = 97
END = [5, 11]


def tiny_model() -> Qwen2ForCausalLM:
    config = Qwen2Config(
        vocab_size=VOCABULARY,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=160,
        rope_parameters={"rope_type": "default", "rope_theta": 10000.0},
        rms_norm_eps=1e-6,
        tie_word_embeddings=False,
        bos_token_id=None,
        eos_token_id=END,
        pad_token_id=0,
        attn_implementation="eager",
    )
    torch.manual_seed(0)
    model = Qwen2ForCausalLM(config).eval()
    seeded_weights(model, 11, {})
    with torch.no_grad():
        # Peaked enough that a choice is one, flat enough that beams differ from greedy.
        model.lm_head.weight.mul_(1.2)
        model.lm_head.weight[END] *= 1.6
        model.model.embed_tokens.weight.mul_(8)
    return model


def processed(model, options: dict, history: torch.Tensor, prompt: int, logits: torch.Tensor):
    config = GenerationConfig(eos_token_id=END, pad_token_id=0, **options)
    model._prepare_special_tokens(config, kwargs_has_attention_mask=True, device="cpu")
    processors = model._get_logits_processor(
        generation_config=config, input_ids_seq_length=prompt, device="cpu", model_kwargs={}
    )
    return processors(history, logits.clone())


CASES = {
    "temperature": {"do_sample": True, "temperature": 0.7, "top_k": 0},
    "tiny-temperature": {"do_sample": True, "temperature": 1e-6, "top_k": 0},
    "top-k": {"do_sample": True, "top_k": 7},
    "top-k-1": {"do_sample": True, "top_k": 1},
    "top-k-all": {"do_sample": True, "top_k": 500},
    "top-p": {"do_sample": True, "top_k": 0, "top_p": 0.6},
    "top-p-small": {"do_sample": True, "top_k": 0, "top_p": 0.01},
    "top-p-large": {"do_sample": True, "top_k": 0, "top_p": 0.995},
    "min-p": {"do_sample": True, "top_k": 0, "min_p": 0.1},
    "min-p-1": {"do_sample": True, "top_k": 0, "min_p": 1.0},
    "repetition": {"repetition_penalty": 1.3},
    "repetition-below-1": {"repetition_penalty": 0.8},
    "ngram-1": {"no_repeat_ngram_size": 1},
    "ngram-2": {"no_repeat_ngram_size": 2},
    "ngram-3": {"no_repeat_ngram_size": 3},
    "min-tokens": {"min_new_tokens": 5},
    "min-tokens-reached": {"min_new_tokens": 2},
    "qwen": {"do_sample": True, "temperature": 1e-6, "repetition_penalty": 1.05, "top_k": 0},
    "all": {
        "do_sample": True,
        "temperature": 0.6,
        "top_k": 20,
        "top_p": 0.8,
        "min_p": 0.03,
        "repetition_penalty": 1.2,
        "no_repeat_ngram_size": 2,
        "min_new_tokens": 9,
    },
    "hot": {"do_sample": True, "temperature": 2.5, "top_k": 40, "top_p": 0.9, "repetition_penalty": 1.1},
}


def scores(model) -> None:
    generator = torch.Generator().manual_seed(5)
    tensors, cases = {}, []
    for name, options in CASES.items():
        logits = 3 * torch.randn(3, VOCABULARY, generator=generator)
        prompt, new = 12, 4
        # Few different ids, so that runs repeat.
        history = torch.randint(0, 9, (3, prompt + new), generator=generator)
        result = processed(model, options, history, prompt, logits)
        tensors[f"{name}.logits"] = logits
        tensors[f"{name}.scores"] = torch.where(torch.isinf(result), torch.tensor(MISSING), result)
        cases.append({"name": name, "options": options, "prompt": prompt, "history": history.tolist()})
    write_golden(FOLDER / "scores", tensors, {"end": END, "cases": cases})


ANSWERS = {
    "greedy": {"max_new_tokens": 64},
    "greedy-64": {"max_new_tokens": 64, "min_new_tokens": 64},
    "greedy-penalty": {"max_new_tokens": 64, "repetition_penalty": 1.3},
    "greedy-ngram": {"max_new_tokens": 40, "no_repeat_ngram_size": 2, "min_new_tokens": 30},
    "greedy-min": {"max_new_tokens": 40, "min_new_tokens": 30},
    "beam-5": {"max_new_tokens": 24, "num_beams": 5, "num_return_sequences": 5},
    "beam-3-long": {"max_new_tokens": 24, "num_beams": 3, "num_return_sequences": 2, "length_penalty": 2.0},
    "beam-4-short": {"max_new_tokens": 24, "num_beams": 4, "num_return_sequences": 4, "length_penalty": -1.0},
    "beam-5-early": {"max_new_tokens": 24, "num_beams": 5, "num_return_sequences": 3, "early_stopping": True},
    "beam-5-never": {
        "max_new_tokens": 24,
        "num_beams": 5,
        "num_return_sequences": 3,
        "early_stopping": "never",
    },
    "beam-5-penalty": {
        "max_new_tokens": 20,
        "num_beams": 5,
        "num_return_sequences": 5,
        "repetition_penalty": 1.5,
        "no_repeat_ngram_size": 3,
        "min_new_tokens": 6,
    },
    "beam-2-one": {"max_new_tokens": 1, "num_beams": 2, "num_return_sequences": 2},
}

PROMPTS = [[7, 30, 64, 2, 19], [90, 1, 1, 44, 8, 23, 61, 12, 77, 50, 33], [3]]


def own_log_probabilities(model, prompt: list[int], answer: list[int]) -> list[float]:
    with torch.no_grad():
        logits = model(torch.tensor([prompt + answer])).logits[0]
    rows = torch.log_softmax(logits.double(), -1)
    return [float(rows[len(prompt) - 1 + i, token]) for i, token in enumerate(answer)]


def cut(ids: list[int], limit: int) -> list[int]:
    """Up to and with the end token; transformers fills the rest of shorter rows."""
    for i, token in enumerate(ids):
        if token in END:
            return ids[: i + 1]
    return ids[:limit]


def answer(model, prompt: list[int], options: dict) -> list[dict]:
    out = model.generate(
        torch.tensor([prompt]),
        attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
        do_sample=False,
        return_dict_in_generate=True,
        output_scores=True,
        pad_token_id=0,
        eos_token_id=END,
        **options,
    )
    found = []
    for i, row in enumerate(out.sequences.tolist()):
        ids = cut(row[len(prompt) :], options["max_new_tokens"])
        one = {"ids": ids, "log_probabilities": own_log_probabilities(model, prompt, ids)}
        if options.get("num_beams", 1) > 1:
            one["score"] = float(out.sequences_scores[i])
        found.append(one)
    return found


def answers(model) -> list[dict]:
    cases = []
    for name, options in ANSWERS.items():
        for prompt in PROMPTS:
            cases.append(
                {"name": name, "options": options, "prompt": prompt, "answers": answer(model, prompt, options)}
            )
    return cases


def drawn(model) -> list[dict]:
    """A drawn answer, and the scores each of its tokens was drawn from, so that draws need not agree."""
    cases = []
    for prompt in PROMPTS:
        torch.manual_seed(len(prompt))
        options = {"temperature": 0.8, "top_k": 12, "top_p": 0.9, "min_p": 0.02, "repetition_penalty": 1.2}
        out = model.generate(
            torch.tensor([prompt]),
            attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
            do_sample=True,
            max_new_tokens=16,
            return_dict_in_generate=True,
            output_scores=True,
            pad_token_id=0,
            eos_token_id=END,
            **options,
        )
        steps = []
        for row in out.scores:
            kept = torch.nonzero(torch.isfinite(row[0])).flatten().tolist()
            steps.append({"kept": kept, "scores": row[0][kept].tolist()})
        ids = out.sequences[0, len(prompt) :].tolist()
        cases.append({"prompt": prompt, "options": options, "ids": ids, "steps": steps})
    return cases


def check_mistakes(model, right: list[dict]) -> None:
    """A golden that a usual mistake passes proves nothing."""

    def differ(cases) -> int:
        return sum(a["answers"] != b["answers"] for a, b in zip(cases, right, strict=True))

    def with_options(change) -> list[dict]:
        cases = []
        for case in right:
            options = {**case["options"], **change(case["options"])}
            cases.append({"answers": answer(model, case["prompt"], options)})
        return cases

    beams = lambda o: o.get("num_beams", 1) > 1
    mistakes = {
        "no repetition penalty": lambda o: {"repetition_penalty": 1.0},
        "runs not banned": lambda o: {"no_repeat_ngram_size": 0},
        "no minimum": lambda o: {"min_new_tokens": None},
        "length penalty 0": lambda o: {"length_penalty": 0.0} if beams(o) else {},
        "always early stopping": lambda o: {"early_stopping": True} if beams(o) else {},
        "never early stopping": lambda o: {"early_stopping": "never"} if beams(o) else {},
        "one beam fewer": lambda o: {"num_beams": o["num_beams"] - 1, "num_return_sequences": 1}
        if o.get("num_beams", 1) > 2
        else {},
    }
    for name, change in mistakes.items():
        count = differ(with_options(change))
        print(f"{name}: {count} of {len(right)} answers differ")
        assert count > 0, name
    # Positions that stand still, and a model that sees the future.
    original = model.model.rotary_emb.forward
    model.model.rotary_emb.forward = lambda x, position_ids, **k: original(x, position_ids * 0, **k)
    count = differ(answers(model))
    model.model.rotary_emb.forward = original
    print(f"no positions: {count} of {len(right)} answers differ")
    assert count > len(right) // 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check-mistakes", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    model = tiny_model()
    FOLDER.mkdir(parents=True, exist_ok=True)
    scores(model)
    save_checkpoint(model, FOLDER)
    cases = answers(model)
    for case in cases:
        print(case["name"], [(len(a["ids"]), a["ids"][-1] in END) for a in case["answers"]])
    write_json(
        FOLDER / "answers.json",
        {"end": END, "cases": cases, "drawn": drawn(model), "versions": versions()},
    )
    if arguments.check_mistakes:
        check_mistakes(model, cases)


if __name__ == "__main__":
    main()
