"""Long prompts, weighted words and learned words (textual inversion), on the tiny pipelines of diffusion_goldens.py.

    python prompt_goldens.py

Writes lmm-diffusion/src/test/resources/golden/prompts: golden.json with pieces and weights of prompts and the cases,
golden.safetensors with the text towers' states and the pictures diffusers makes of them, and the files of learned words.

diffusers reads neither weights nor long prompts, so both are computed here, apart from the library, from what the web
user interfaces of the field do: brackets weigh, 75 tokens to a chunk, a chunk ends behind a comma among its last 20
tokens, the states are multiplied by the weights and their mean is brought back. Learned words are diffusers' own.
"""

from __future__ import annotations

import json
import re
import warnings

import diffusers
import torch
import transformers
from safetensors.torch import save_file

import diffusion_goldens as base

OUT = base.OUT / "prompts"
CASE = {"steps": 4, "guidance": 5.0, "seed": 3, "width": 64, "height": 64, "scheduler": "ddim"}

WEIGHTS = [
    "a red circle", "", "(red) circle", "((red)) [circle]", "a (red:1.3) circle, (blue: 0.5 )", "(a (red:1.2) [b:c])",
    "open (here", "[open [twice", "closed) and ]", r"\(literal\) \[x\] \\ a\b", "(:1.5)", "(a:b:1.4)", "a:1.3)", "(x:-0.5)",
    "a red circle BREAK on blue", "(red BREAK blue:1.5) BREAK", "BREAKFAST", "( )", "(파란:1.2) 배경", "(a)(b)", "(a:.5)(b:+2)",
]
SENTENCE = "a small red circle, a large blue square on a green background, "
LONG = [
    SENTENCE * 8,
    "red circle " * 60,
    "a red circle, " * 3 + "blue square " * 40 + ", " + "green " * 9,
    "a (red:1.4) circle BREAK " + SENTENCE * 3 + "(white background:0.6)",
]


def pieces(text: str) -> list[tuple[str, float]]:
    """Brackets as a grammar: reads up to the end of the bracket it stands in. A break is (None, 1)."""
    at = 0

    def read(inside: str) -> tuple[list, float | None]:
        nonlocal at
        out: list = []
        while at < len(text):
            c = text[at]
            if c == "\\":
                if at + 1 < len(text) and text[at + 1] in "()[]\\":
                    out.append((text[at + 1], 1.0))
                    at += 2
                else:
                    at += 1
            elif c in "([":
                at += 1
                inner, factor = read(inside + c)
                factor = {"(": 1.1, "[": 1 / 1.1}[c] if factor is None else factor
                out += [(t, w * factor) for t, w in inner]
            elif "(" in inside and (m := re.compile(r":\s*([+-]?[.\d]+)\s*\)").match(text, at)):
                if inside[-1] == "(":
                    at = m.end()
                    return out, float(m[1])
                return out, None  # Not used: the prompts here close their brackets in order.
            elif c == ")" and inside.endswith("("):
                at += 1
                return out, None
            elif c == "]" and inside.endswith("["):
                at += 1
                return out, None
            else:
                out.append((c, 1.0))
                at += 1
        return out, None

    letters, _ = read("")
    joined: list = []
    for t, w in letters:
        if joined and joined[-1][1] == w:
            joined[-1] = (joined[-1][0] + t, w)
        else:
            joined.append((t, w))
    out: list = []
    for t, w in joined:
        for i, part in enumerate(re.split(r"\s*\bBREAK\b\s*", t)):
            if i:
                out.append((None, w))
            if part:
                out.append((part, w))
    return out or [("", 1.0)]


def chunks(tokenizer, text: str, weights: bool, long: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and weights, [n, 77] each."""
    ids, factors, cuts = [], [], []
    for t, w in pieces(text) if weights else [(text, 1.0)]:
        if t is None:
            cuts.append(len(ids))
            continue
        new = tokenizer(t, add_special_tokens=False).input_ids
        ids += new
        factors += [w] * len(new)
    comma = tokenizer(",", add_special_tokens=False).input_ids[0]
    spans = []
    if not long:
        spans = [(0, min(75, len(ids)))]
    else:
        at = 0
        for number, end in enumerate([*cuts, len(ids)]):
            while end - at > 75:
                stop = at + 75
                # A comma that comes next stays behind what it ends: only then no earlier one is looked for.
                if ids[stop] != comma:
                    commas = [i for i in range(stop - 20, stop) if ids[i] == comma]
                    if commas:
                        stop = commas[-1] + 1
                spans.append((at, stop))
                at = stop
            if end > at or number < len(cuts):
                spans.append((at, end))
            at = end
        if not spans:
            spans = [(0, 0)]
    rows, ws = [], []
    for a, b in spans:
        pad = 75 - (b - a)
        rows.append([tokenizer.bos_token_id, *ids[a:b], tokenizer.eos_token_id, *[tokenizer.pad_token_id] * pad])
        ws.append([1.0, *factors[a:b], 1.0, *[1.0] * pad])
    return torch.tensor(rows), torch.tensor(ws)


@torch.no_grad()
def states(tokenizer, encoder, text, weights, long, count, xl) -> tuple[torch.Tensor, torch.Tensor | None]:
    ids, ws = chunks(tokenizer, text, weights, long)
    empty = chunks(tokenizer, "", False, False)[0]
    ids = torch.cat([ids] + [empty] * (count - len(ids)))
    ws = torch.cat([ws, torch.ones(count - len(ws), 77)])
    out = encoder(ids, output_hidden_states=True)
    z = out.hidden_states[-2] if xl else out.last_hidden_state
    for i in range(count):
        if (ws[i] != 1).any():
            mean = z[i].mean()
            z[i] *= ws[i][:, None]
            z[i] *= mean / z[i].mean()
    pooled = out.text_embeds[:1] if hasattr(out, "text_embeds") and out.text_embeds is not None else None
    return z.reshape(1, count * 77, -1), pooled


def embedded(pipe, xl, case) -> dict:
    towers = [(pipe.tokenizer, pipe.text_encoder)] + ([(pipe.tokenizer_2, pipe.text_encoder_2)] if xl else [])
    texts = {"prompt_embeds": case["prompt"], "negative_prompt_embeds": case.get("negative", "")}
    long, weights = case.get("long", False), case.get("weights", False)
    count = max(len(chunks(t, text, weights, long)[0]) for t, _ in towers for text in texts.values())
    out = {}
    for key, text in texts.items():
        made = [states(t, e, text, weights, long, count, xl) for t, e in towers]
        out[key] = torch.cat([z for z, _ in made], -1)
        if xl:
            out[key.replace("prompt_embeds", "pooled_prompt_embeds")] = made[-1][1]
    return out


def words(folder) -> None:
    g = torch.Generator().manual_seed(9)
    three = torch.randn(3, 32, generator=g)
    torch.save({"<cat-toy>": three[0]}, folder / "one.bin")
    save_file({"<cat-toy>": three}, folder / "three.safetensors")
    torch.save({"string_to_token": {"*": 265}, "string_to_param": {"*": three[:2]}, "name": "style", "step": 3000,
                "sd_checkpoint": None, "sd_checkpoint_name": None}, folder / "two.pt")
    save_file({"clip_l": torch.randn(2, 32, generator=g), "clip_g": torch.randn(2, 40, generator=g)}, folder / "xl.safetensors")


def main() -> None:
    warnings.filterwarnings("ignore")
    diffusers.utils.logging.set_verbosity_error()
    OUT.mkdir(exist_ok=True)
    words(OUT)
    golden, cases = {}, []
    plans = {
        "sd15": [
            {"prompt": "a (red:1.4) circle on [blue], (white:0.5)", "negative": "(green)", "weights": True},
            {"prompt": LONG[0], "long": True, "negative": "blue"},
            {"prompt": LONG[2], "long": True, "negative": LONG[1]},
            {"prompt": LONG[3], "long": True, "weights": True},
            {"prompt": LONG[3], "weights": True},
        ],
        "sd21": [{"prompt": LONG[3] + "!", "long": True, "weights": True, "negative": "blue!!"}],
        "sdxl": [{"prompt": LONG[3], "long": True, "weights": True, "negative": "(blue:1.2)"}],
    }
    for name, plan in plans.items():
        xl = name == "sdxl"
        folder = base.OUT / name
        pipe = base.load(folder, xl)
        plain = {}
        for extra in plan:
            case = {**CASE, "pipeline": name, **extra}
            given = embedded(pipe, xl, case)
            index = len(cases)
            golden[f"context.{index}"] = torch.cat([given["negative_prompt_embeds"], given["prompt_embeds"]])
            parts = dict(pipe.components)
            parts["scheduler"] = base.scheduler_of(pipe.original_scheduler, case["scheduler"])
            more = {"add_watermarker": False} if xl else {"requires_safety_checker": False}
            made = type(pipe)(**parts, **more)
            made.set_progress_bar_config(disable=True)
            arguments = dict(num_inference_steps=4, guidance_scale=5.0, width=64, height=64, output_type="np")
            image = made(**given, **arguments, generator=torch.Generator().manual_seed(3)).images[0]
            golden[f"picture.{index}"] = torch.from_numpy((image * 255).round().astype("uint8"))
            # Without its options the same text makes another picture.
            other = embedded(pipe, xl, {**case, "long": False, "weights": False})
            image = made(**other, **arguments, generator=torch.Generator().manual_seed(3)).images[0]
            moved = float((torch.from_numpy((image * 255).round()) - golden[f"picture.{index}"].float()).abs().mean())
            assert moved > 1.2, (name, extra, moved)
            print(f"  {name} {index}: {golden[f'context.{index}'].shape[1] // 77} chunks, options move it by {moved:.1f} levels")
            cases.append(case)
    for name, plan in {
        "sd15": [
            [("<cat-toy>", "one.bin")], [("<cat-toy>", "three.safetensors")], [("my-style", "two.pt"), ("<cat-toy>", "one.bin")],
        ],
        "sdxl": [[("<cat-toy>", "xl.safetensors")]],
    }.items():
        xl = name == "sdxl"
        folder = base.OUT / name
        without = base.load(folder, xl)
        for uses in plan:
            pipe = base.load(folder, xl)
            for word, file in uses:
                if xl:
                    from safetensors.torch import load_file
                    both = load_file(OUT / file)
                    pipe.load_textual_inversion(both["clip_l"], token=word, text_encoder=pipe.text_encoder, tokenizer=pipe.tokenizer)
                    pipe.load_textual_inversion(both["clip_g"], token=word, text_encoder=pipe.text_encoder_2, tokenizer=pipe.tokenizer_2)
                else:
                    pipe.load_textual_inversion(OUT, weight_name=file, token=word)
            prompt = "a red " + " and ".join(w for w, _ in uses) + " on a blue background, in the style"
            case = {**CASE, "pipeline": name, "prompt": prompt, "negative": "a <CAT-TOY>" if len(uses) > 1 else "green",
                    "words": [{"word": w, "file": f} for w, f in uses]}
            picture = base.run(pipe, case, folder, xl)
            moved = float((picture.float() - base.run(without, case, folder, xl).float()).abs().mean())
            print(f"  {name} {uses}: moves it by {moved:.1f} levels")
            assert moved > 1.2
            golden[f"picture.{len(cases)}"] = picture
            cases.append(case)
    save_file({k: v.contiguous() for k, v in golden.items()}, OUT / "golden.safetensors")
    value = {
        "diffusers": diffusers.__version__, "transformers": transformers.__version__, "torch": torch.__version__,
        "weights": [{"prompt": p, "pieces": [{"text": t, "weight": w} for t, w in pieces(p)]} for p in WEIGHTS], "cases": cases,
    }
    (OUT / "golden.json").write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n")
    print(len(cases), "pictures", sum(f.stat().st_size for f in OUT.iterdir()) // 1000, "kB")


if __name__ == "__main__":
    main()
