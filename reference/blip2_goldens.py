"""Makes the tiny BLIP-2 checkpoint with OPT and its goldens.

    python blip2_goldens.py                    # writes lmm-blip2/src/test/resources/golden/blip2-opt
    python blip2_goldens.py --check-mistakes   # and shows that they catch the usual mistakes

``blip2-opt`` has the layout of the published blip2-opt-2.7b: ``image_token_index``, image tokens in the
prompt, a tied head that is not in the file. Its tokenizer is OPT's, cut after a few hundred merges.

- ``pixel_values``, ``image_embeds`` (vision), ``query_output`` (Q-Former), ``projected`` [pictures, ...];
- ``cross_alone`` [pictures, layers, heads, queries, rows] what the queries attend to, ``rollout_alone`` through all layers;
- for each case (a picture and perhaps a prompt): ``logits_N`` of the token after the prompt; greedy tokens
  with the model's own log-probabilities; the best three of five beams with their scores.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import json
from pathlib import Path
from unittest import mock

import support
from blip2_itm_goldens import attentions, rollout

import numpy as np
import torch
from transformers import AutoProcessor, Blip2Config, Blip2ForConditionalGeneration
from transformers.models.opt import modeling_opt

FOLDER = support.ROOT / "lmm-blip2/src/test/resources/golden/blip2-opt"
PICTURES = ("flower-144x108.png", "hopper-97x113.png", "transparent-50x75.png")
PROMPTS = (None, "a photo of", "Question: what is in the picture? Answer:", " </s><pad>é 고양이")
MERGES = 300  # of OPT's: a prefix of a BPE's merges is a BPE
SEED = 8
NEW = 12
END = "N"  # published: a line break, 50118; here a piece that this model writes now and then
SIDE, PATCH, QUERIES = 42, 14, 6


def write_tokenizer() -> tuple[int, int]:
    """OPT's tokenizer, cut; returns the ids of ``<image>`` and of the end token."""
    files = support.TOKENIZERS / "opt"
    published = json.loads(gzip.decompress((files / "vocab.json.gz").read_bytes()))
    merges = gzip.decompress((files / "merges.txt.gz").read_bytes()).decode().split("\n")[: 1 + MERGES]
    made = {"".join(line.split(" ")) for line in merges[1:]}
    special = ("<s>", "<pad>", "</s>", "<unk>")
    tokens = [t for t in sorted(published, key=published.get) if t in special or len(t) == 1 or t in made]
    ids = {token: i for i, token in enumerate(tokens)}
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "vocab.json").write_text(json.dumps(ids, ensure_ascii=False), encoding="utf-8")
    (FOLDER / "merges.txt").write_text("\n".join(merges) + "\n", encoding="utf-8")
    config = json.loads((support.TOKENIZERS / "opt-image/tokenizer_config.json").read_text(encoding="utf-8"))
    added = config["added_tokens_decoder"]
    added[str(len(ids))] = added.pop("50265")
    support.write_json(FOLDER / "tokenizer_config.json", config)
    return len(ids), ids[END]


def write_configs(image: int, end: int) -> Blip2Config:
    config = {
        "architectures": ["Blip2ForConditionalGeneration"],
        "image_text_hidden_size": 16,
        "image_token_index": image,
        "initializer_factor": 1.0,
        "initializer_range": 0.02,
        "model_type": "blip-2",
        "num_query_tokens": QUERIES,
        "qformer_config": {
            "cross_attention_frequency": 2,
            "encoder_hidden_size": 32,
            "hidden_size": 24,
            "intermediate_size": 56,
            "layer_norm_eps": 1e-12,
            "model_type": "blip_2_qformer",
            "num_attention_heads": 3,
            "num_hidden_layers": 4,
            "vocab_size": 40,
        },
        "text_config": {
            "activation_dropout": 0.0,
            "architectures": ["OPTForCausalLM"],
            "eos_token_id": end,
            "ffn_dim": 80,
            "hidden_size": 40,
            "max_position_embeddings": 96,
            "model_type": "opt",
            "num_attention_heads": 4,
            "num_hidden_layers": 3,
            "prefix": "</s>",
            "torch_dtype": "float16",
            "vocab_size": image + 7,
            "word_embed_proj_dim": 40,
        },
        "torch_dtype": "float32",
        "use_decoder_only_language_model": True,
        "vision_config": {
            "hidden_size": 32,
            "image_size": SIDE,
            "intermediate_size": 72,
            "layer_norm_eps": 1e-06,
            "model_type": "blip_2_vision_model",
            "num_attention_heads": 2,
            "num_hidden_layers": 3,
            "patch_size": PATCH,
            "qkv_bias": True,
        },
    }
    support.write_json(FOLDER / "config.json", config)
    support.write_json(
        FOLDER / "generation_config.json",
        {"_from_model_config": True, "bos_token_id": 2, "eos_token_id": end, "pad_token_id": 1},
    )
    support.write_json(
        FOLDER / "preprocessor_config.json",
        {
            "do_convert_rgb": True,
            "do_normalize": True,
            "do_rescale": True,
            "do_resize": True,
            "image_mean": [0.48145466, 0.4578275, 0.40821073],
            "image_processor_type": "BlipImageProcessor",
            "image_std": [0.26862954, 0.26130258, 0.27577711],
            "processor_class": "Blip2Processor",
            "resample": 3,
            "rescale_factor": 0.00392156862745098,
            "size": {"height": SIDE, "width": SIDE},
        },
    )
    support.write_json(
        FOLDER / "processor_config.json", {"num_query_tokens": QUERIES, "processor_class": "Blip2Processor"}
    )
    return Blip2Config.from_pretrained(FOLDER)


def write_weights(config: Blip2Config) -> None:
    """Names and tensors as published: the tied head is left out."""
    model = Blip2ForConditionalGeneration(config).float().eval()
    support.seeded_weights(model, SEED, {})
    # The head is the table: unless layers outweigh it and biases are small, one token is repeated for ever.
    with torch.no_grad():
        decoder = model.language_model.model.decoder
        decoder.embed_tokens.weight.mul_(0.5)
        decoder.final_layer_norm.weight.mul_(3.0)
        for name, parameter in decoder.named_parameters():
            if name.endswith("bias"):
                parameter.mul_(0.2)
            elif name.endswith(("out_proj.weight", "fc2.weight", "v_proj.weight")):
                parameter.mul_(2.0)
        model.language_projection.weight.mul_(2.0)
        model.query_tokens.mul_(0.03)  # small: the first norm's epsilon shows
    state = {k: v.detach().contiguous().clone() for k, v in model.state_dict().items() if "lm_head" not in k}
    support.save_torch(state, FOLDER / "model.safetensors", metadata={"format": "pt"})
    (FOLDER / "model.safetensors").chmod(0o644)


def cases(processor) -> list[dict]:
    """Every picture with every prompt; what the processor makes of it. Without one: queries and ``</s>``."""
    made = []
    for i, name in enumerate(PICTURES):
        picture = support.open_rgb(support.CLIP_GOLDEN / "pictures" / name)
        for prompt in PROMPTS:
            inputs = processor(images=picture, text="" if prompt is None else prompt, return_tensors="pt")
            made.append({"picture": i, "prompt": prompt, "ids": inputs["input_ids"], "pixels": inputs["pixel_values"]})
    return made


def text(processor, model, tokens: list[int]) -> str:
    """Without the end token, which for the published models is white space."""
    ended = tokens[-1] == model.generation_config.eos_token_id
    return processor.decode(tokens[:-1] if ended else tokens, skip_special_tokens=True).strip()


@torch.no_grad()
def features(model, pixels) -> dict[str, torch.Tensor]:
    vision = model.vision_model(pixels).last_hidden_state
    queries = model.query_tokens.expand(pixels.shape[0], -1, -1)
    output = model.qformer(query_embeds=queries, encoder_hidden_states=vision).last_hidden_state
    return {"image_embeds": vision, "query_output": output, "projected": model.language_projection(output)}


@torch.no_grad()
def logits(model, case) -> torch.Tensor:
    return model(pixel_values=case["pixels"], input_ids=case["ids"]).logits[0, -1]


@torch.no_grad()
def greedy(model, case) -> tuple[list[int], list[float]]:
    out = model.generate(
        pixel_values=case["pixels"],
        input_ids=case["ids"],
        max_new_tokens=NEW,
        do_sample=False,
        output_logits=True,
        return_dict_in_generate=True,
    )
    new = out.sequences[0, -len(out.logits) :].tolist()
    return new, [torch.log_softmax(row[0], -1)[t].item() for row, t in zip(out.logits, new)]


@torch.no_grad()
def beams(model, case, processor) -> list[dict]:
    out = model.generate(
        pixel_values=case["pixels"],
        input_ids=case["ids"],
        max_new_tokens=NEW,
        num_beams=5,
        num_return_sequences=3,
        return_dict_in_generate=True,
        output_scores=True,
    )
    start = case["ids"].shape[1]
    pad = model.generation_config.pad_token_id
    found = []
    for row, score in zip(out.sequences.tolist(), out.sequences_scores.tolist()):
        new = row[start:]
        while new and new[-1] == pad:
            new.pop()
        found.append({"tokens": new, "score": score, "text": text(processor, model, new)})
    return found


def write_goldens() -> None:
    model = Blip2ForConditionalGeneration.from_pretrained(FOLDER, dtype=torch.float32).eval()
    processor = AutoProcessor.from_pretrained(FOLDER, backend="pil")
    made = cases(processor)
    pixels = torch.cat([made[i * len(PROMPTS)]["pixels"] for i in range(len(PICTURES))])
    tensors = {"pixel_values": pixels, **features(model, pixels)}
    eager = Blip2ForConditionalGeneration.from_pretrained(
        FOLDER, dtype=torch.float32, attn_implementation="eager"
    ).eval()
    cross, own = attentions(eager, pixels)
    tensors["cross_alone"] = cross
    tensors["rollout_alone"] = np.stack(
        [rollout(model.config, c.double().numpy(), s.double().numpy()) for c, s in zip(cross, own)]
    )
    about = []
    for n, case in enumerate(made):
        tensors[f"logits_{n}"] = logits(model, case)
        tokens, log_probabilities = greedy(model, case)
        about.append(
            {
                "picture": case["picture"],
                "prompt": case["prompt"],
                "ids": case["ids"][0].tolist(),
                "greedy": tokens,
                "logprobs": log_probabilities,
                "text": text(processor, model, tokens),
                "beams": beams(model, case, processor),
            }
        )
    support.write_golden(FOLDER / "golden", tensors, {"pictures": list(PICTURES), "cases": about})
    lengths = sorted(len(c["greedy"]) for c in about)
    print(len(about), "cases; greedy lengths", lengths, "|", about[0]["text"], "|", about[5]["text"])


def mistakes() -> dict:
    """What goes wrong in ports, each as a patch of transformers or of a loaded model."""
    tanh = torch.nn.GELU(approximate="tanh")

    def change(edit):
        @contextlib.contextmanager
        def patched(model):
            edit(model)
            yield

        return patched

    def forward_of(owner, replacement):
        @contextlib.contextmanager
        def patched(model):
            with mock.patch.object(owner, "forward", replacement):
                yield

        return patched

    vision_layers = lambda m: m.vision_model.encoder.layers  # noqa: E731
    former = lambda m: m.qformer.encoder.layer  # noqa: E731
    decoder = lambda m: m.language_model.model.decoder  # noqa: E731

    def forward_of_one(module):
        @contextlib.contextmanager
        def patched(model):
            with mock.patch.object(module(model), "forward", lambda x: x):
                yield

        return patched

    def positions(offset):
        def forward(self, attention_mask, past_key_values_length=0, position_ids=None):
            if position_ids is None:
                position_ids = torch.cumsum(attention_mask, 1) * attention_mask - 1
                position_ids = position_ids.long()[:, past_key_values_length:]
            return torch.nn.Embedding.forward(self, (position_ids + 2 + offset).clamp(min=0))

        return forward_of(modeling_opt.OPTLearnedPositionalEmbedding, forward)

    def swap_qkv(m):
        for layer in vision_layers(m):
            w = layer.self_attn.qkv
            width = w.weight.shape[1]
            order = torch.cat([torch.arange(width, 2 * width), torch.arange(width), torch.arange(2 * width, 3 * width)])
            w.weight.data, w.bias.data = w.weight.data[order], w.bias.data[order]

    def no_key_bias(m):
        for layer in vision_layers(m):
            width = layer.self_attn.qkv.weight.shape[1]
            layer.self_attn.qkv.bias.data[:width] = 0

    def each(layers, edit):
        return change(lambda m: [edit(layer) for layer in layers(m)])

    def epsilon(module, value):
        for part in module.modules():
            if isinstance(part, torch.nn.LayerNorm):
                part.eps = value

    identity = torch.nn.Identity()
    return {
        "vision: tanh gelu": each(vision_layers, lambda x: setattr(x.mlp, "activation_fn", tanh)),
        "vision: queries and keys swapped": change(swap_qkv),
        "vision: no bias of queries": change(no_key_bias),
        "vision: epsilon 1e-5": change(lambda m: epsilon(m.vision_model, 1e-5)),
        "vision: no post_layernorm": change(lambda m: setattr(m.vision_model, "post_layernorm", identity)),
        "vision: no class embedding": change(lambda m: m.vision_model.embeddings.class_embedding.data.zero_()),
        "vision: no positions": change(lambda m: m.vision_model.embeddings.position_embedding.data.zero_()),
        "Q-Former: no layernorm of queries": forward_of_one(
            lambda m: m.qformer.layernorm
        ),
        "Q-Former: tanh gelu": each(former, lambda x: setattr(x.intermediate_query, "intermediate_act_fn", tanh)),
        "Q-Former: no cross-attention": each(former, lambda x: setattr(x, "has_cross_attention", False)),
        "Q-Former: epsilon 1e-5": change(lambda m: epsilon(m.qformer, 1e-5)),
        "Q-Former: scale of the whole width": each(
            former, lambda x: setattr(x.attention.attention, "scaling", 24**-0.5)
        ),
        "projection: no bias": change(lambda m: m.language_projection.bias.data.zero_()),
        "OPT: positions without offset": positions(-2),
        "OPT: positions one too far": positions(1),
        "OPT: gelu": each(lambda m: decoder(m).layers, lambda x: setattr(x, "activation_fn", torch.nn.GELU())),
        "OPT: no final_layer_norm": change(lambda m: setattr(decoder(m), "final_layer_norm", identity)),
        "OPT: epsilon 1e-6": change(lambda m: epsilon(m.language_model, 1e-6)),
        "OPT: queries scaled twice": each(
            lambda m: decoder(m).layers, lambda x: setattr(x.self_attn, "scaling", x.self_attn.scaling**2)
        ),
    }


def check_mistakes() -> None:
    processor = AutoProcessor.from_pretrained(FOLDER, backend="pil")
    made = cases(processor)
    right = Blip2ForConditionalGeneration.from_pretrained(FOLDER, dtype=torch.float32).eval()
    expected = [(features(right, c["pixels"]), logits(right, c)) for c in made]
    weakest = np.inf
    for name, patched in mistakes().items():
        model = Blip2ForConditionalGeneration.from_pretrained(FOLDER, dtype=torch.float32).eval()
        largest = 0.0
        with patched(model):
            for case, (known, row) in zip(made, expected):
                found = features(model, case["pixels"])
                parts = [(found[k] - v).abs().max().item() for k, v in known.items()]
                largest = max([largest, (logits(model, case) - row).abs().max().item(), *parts])
        print(f"{largest:10.5f}  {name}")
        weakest = min(weakest, largest)
        if not largest > 2e-4:
            raise AssertionError(f"{name} moves the goldens by {largest} only; the tests allow 1e-4")
    # Mistakes of the prompt.
    for name, wrong in {
        "prompt: no </s>": lambda ids: torch.cat([ids[:, :QUERIES], ids[:, QUERIES + 1 :]], 1),
        "prompt: </s> before the queries": lambda ids: torch.cat(
            [ids[:, QUERIES : QUERIES + 1], ids[:, :QUERIES], ids[:, QUERIES + 1 :]], 1
        ),
    }.items():
        largest = 0.0
        for case, (_, row) in zip(made, expected):
            if case["prompt"]:
                moved = logits(right, {**case, "ids": wrong(case["ids"])}) - row
                largest = max(largest, moved.abs().max().item())
        print(f"{largest:10.5f}  {name}")
        if not largest > 2e-4:
            raise AssertionError(f"{name} moves the goldens by {largest} only")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--check-mistakes", action="store_true")
    check = parser.parse_args().check_mistakes
    image, end = write_tokenizer()
    write_weights(write_configs(image, end))
    write_goldens()
    if check:
        check_mistakes()


if __name__ == "__main__":
    main()
