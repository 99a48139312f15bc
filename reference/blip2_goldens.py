"""Makes the tiny BLIP-2 checkpoints that write, with OPT and with T5, and their goldens.

    python blip2_goldens.py                    # writes lmm-blip2/src/test/resources/golden/blip2-opt and blip2-t5
    python blip2_goldens.py --check-mistakes   # and shows that they catch the usual mistakes

``blip2-opt`` has the layout of the published blip2-opt-2.7b: ``image_token_index``, image tokens in the
prompt, a tied head that is not in the file. Its tokenizer is OPT's, cut after a few hundred merges.
``blip2-t5`` has that of blip2-flan-t5-xl: a head of its own, ``dense_act_fn`` beside ``feed_forward_proj``, heads
that together are narrower than the model, shards, and spiece.model (T5's, cut).

- ``pixel_values``, ``image_embeds`` (vision), ``query_output`` (Q-Former), ``projected`` [pictures, ...];
- ``cross_alone`` [pictures, layers, heads, queries, rows] what the queries attend to, ``rollout_alone`` through all layers;
- for each case (a picture and perhaps a prompt): ``logits_N`` of the token after the prompt; greedy tokens
  with the model's own log-probabilities; the best three of five beams with their scores;
- ``options.json``: tokens under repetition penalties, least lengths, length penalties and early stopping;
- of T5, ``encoded_N``, the encoder's last states; ``other_N``, the logits if config.json says no ``dense_act_fn`` and
  a tied head and the file has none; ``buckets`` of distances from -200 to 200.
"""

from __future__ import annotations

import argparse
import gzip
import json
from dataclasses import dataclass
from pathlib import Path

import support

import numpy as np
import torch
from safetensors.torch import save_file
from transformers import AutoProcessor, Blip2Config, Blip2ForConditionalGeneration
from transformers.models.opt import modeling_opt
from transformers.models.t5 import modeling_t5

import blip2_support
from blip2_support import PICTURES, attentions, caught, change, epsilon, replaced, rollout
from siglip_goldens import cut_spiece

GOLDEN = support.ROOT / "lmm-blip2/src/test/resources/golden"
OPT, T5 = GOLDEN / "blip2-opt", GOLDEN / "blip2-t5"
PROMPTS = (None, "a photo of", "Question: what is in the picture? Answer:", " </s><pad>é 고양이")
MERGES = 300  # of OPT's: a prefix of a BPE's merges is a BPE
PIECES = 400  # of T5's
SEED = 8
NEW = 12
END = "N"  # of OPT. Published: a line break, 50118; here a piece that this model writes now and then
T5_END = 242  # published: 1; here a piece that this model writes now and then
QUERIES = 6


def write_opt_tokenizer() -> tuple[int, int]:
    """OPT's tokenizer, cut; returns the ids of ``<image>`` and of the end token."""
    files = support.TOKENIZERS / "opt"
    published = json.loads(gzip.decompress((files / "vocab.json.gz").read_bytes()))
    merges = gzip.decompress((files / "merges.txt.gz").read_bytes()).decode().split("\n")[: 1 + MERGES]
    made = {"".join(line.split(" ")) for line in merges[1:]}
    special = ("<s>", "<pad>", "</s>", "<unk>")
    tokens = [t for t in sorted(published, key=published.get) if t in special or len(t) == 1 or t in made]
    ids = {token: i for i, token in enumerate(tokens)}
    OPT.mkdir(parents=True, exist_ok=True)
    (OPT / "vocab.json").write_text(json.dumps(ids, ensure_ascii=False), encoding="utf-8")
    (OPT / "merges.txt").write_text("\n".join(merges) + "\n", encoding="utf-8")
    config = json.loads((support.TOKENIZERS / "opt-image/tokenizer_config.json").read_text(encoding="utf-8"))
    added = config["added_tokens_decoder"]
    added[str(len(ids))] = added.pop("50265")
    support.write_json(OPT / "tokenizer_config.json", config)
    return len(ids), ids[END]


def write_t5_tokenizer() -> int:
    """T5's tokenizer, cut; returns the id of ``<image>``."""
    pieces = cut_spiece(T5, PIECES)
    config = json.loads((support.TOKENIZERS / "t5-image/tokenizer_config.json").read_text(encoding="utf-8"))
    first = 32000  # where the published one's extra ids begin
    config["added_tokens_decoder"] = {
        str(int(i) - first + pieces if int(i) >= first else int(i)): token
        for i, token in config["added_tokens_decoder"].items()
    }
    support.write_json(T5 / "tokenizer_config.json", config)
    return pieces + config["extra_ids"]


def write_configs(folder: Path, image: int, text: dict) -> Blip2Config:
    qformer = {"hidden_size": 24, "intermediate_size": 56, "num_attention_heads": 3, "vocab_size": 40}
    config = blip2_support.config("Blip2ForConditionalGeneration", image, QUERIES, 16, qformer, text)
    support.write_json(folder / "config.json", config)
    blip2_support.write_processor(folder, QUERIES)
    return Blip2Config.from_pretrained(folder)


def opt_config(image: int, end: int) -> Blip2Config:
    generation = {"_from_model_config": True, "bos_token_id": 2, "eos_token_id": end, "pad_token_id": 1}
    support.write_json(OPT / "generation_config.json", generation)
    return write_configs(
        OPT,
        image,
        {
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
    )


def t5_text_config(image: int) -> dict:
    return {
        "architectures": ["T5ForConditionalGeneration"],
        "bos_token_id": 1,
        "d_ff": 72,
        "d_kv": 12,
        "d_model": 40,
        "decoder_start_token_id": 0,
        "dense_act_fn": "gelu",
        "eos_token_id": T5_END,
        "feed_forward_proj": "gated-gelu",
        "is_encoder_decoder": True,
        "is_gated_act": True,
        "layer_norm_epsilon": 1e-06,
        "model_type": "t5",
        "num_decoder_layers": 2,
        "num_heads": 3,
        "num_layers": 3,
        "pad_token_id": 0,
        "relative_attention_max_distance": 20,
        "relative_attention_num_buckets": 8,
        "tie_word_embeddings": False,
        "torch_dtype": "float32",
        "vocab_size": image + 7,
    }


def t5_config(image: int) -> Blip2Config:
    generation = {"_from_model_config": True, "decoder_start_token_id": 0, "eos_token_id": T5_END, "pad_token_id": 0}
    support.write_json(T5 / "generation_config.json", generation)
    return write_configs(T5, image, t5_text_config(image))


def write_opt_weights(config: Blip2Config) -> None:
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
    save_file(state, OPT / "model.safetensors", metadata={"format": "pt"})
    (OPT / "model.safetensors").chmod(0o644)


def fill_t5(model) -> None:
    """Weights from the seed, every kind of layer as loud as the others, so that a mistake in any shows."""
    support.seeded_weights(model, SEED, {})
    with torch.no_grad():
        language = model.language_model
        for name, parameter in language.named_parameters():
            if name.endswith((".q.weight", ".k.weight")):
                parameter.mul_(parameter.shape[0] ** -0.25)  # nothing scales the scores
            elif name.endswith((".o.weight", ".wo.weight")):
                parameter.mul_(1.5)
            elif name.endswith("relative_attention_bias.weight"):
                parameter.mul_(2.0)
        language.lm_head.weight.mul_(4.0)
        model.query_tokens.mul_(0.03)  # small: the first norm's epsilon shows


def write_t5_weights(config: Blip2Config) -> None:
    """Two shards, as published: the words once, and a head of its own."""
    model = Blip2ForConditionalGeneration(config).float().eval()
    language = model.language_model
    language.lm_head.weight = torch.nn.Parameter(language.lm_head.weight.detach().clone())
    fill_t5(model)
    state = {k: v.detach().contiguous().clone() for k, v in model.state_dict().items() if "embed_tokens" not in k}
    names = sorted(state)
    shards = {"model-00001-of-00002.safetensors": names[::2], "model-00002-of-00002.safetensors": names[1::2]}
    for file, kept in shards.items():
        save_file({k: state[k] for k in kept}, T5 / file, metadata={"format": "pt"})
        (T5 / file).chmod(0o644)
    index = {name: file for file, kept in shards.items() for name in kept}
    size = sum(v.numel() * v.element_size() for v in state.values())
    support.write_json(
        T5 / "model.safetensors.index.json",
        {"metadata": {"total_size": size}, "weight_map": dict(sorted(index.items()))},
    )


def load(folder: Path, **options):
    model = Blip2ForConditionalGeneration.from_pretrained(folder, dtype=torch.float32, **options).eval()
    if model.config.text_config.model_type == "t5":
        assert not torch.equal(model.language_model.lm_head.weight, model.language_model.shared.weight)
        assert not model.language_model.config.scale_decoder_outputs
    return model


def is_t5(model) -> bool:
    return model.config.text_config.model_type == "t5"


def cases(processor) -> list[dict]:
    """Every picture with every prompt; what the processor makes of it. Without one: queries and ``</s>``."""
    made = []
    for i in range(len(PICTURES)):
        picture = blip2_support.picture(i)
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
    begun = {"decoder_input_ids": torch.tensor([[0]])} if is_t5(model) else {}
    return model(pixel_values=case["pixels"], input_ids=case["ids"], **begun).logits[0, -1]


@torch.no_grad()
def encoded(model, case) -> torch.Tensor:
    """The last states of T5's encoder."""
    begun = torch.tensor([[0]])
    out = model(pixel_values=case["pixels"], input_ids=case["ids"], decoder_input_ids=begun)
    return out.language_model_outputs.encoder_last_hidden_state[0]


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
    start = 1 if is_t5(model) else case["ids"].shape[1]
    end = model.generation_config.eos_token_id
    found = []
    for row, score in zip(out.sequences.tolist(), out.sequences_scores.tolist()):
        new = row[start:]
        new = new[: new.index(end) + 1] if end in new else new  # behind it there is padding
        found.append({"tokens": new, "score": score, "text": text(processor, model, new)})
    return found


OPTIONS = (
    {"repetition_penalty": 1.6},
    {"min_new_tokens": 10},
    {"num_beams": 4, "length_penalty": 2.0},
    {"num_beams": 4, "length_penalty": -1.5},
    {"num_beams": 3, "repetition_penalty": 1.3, "min_new_tokens": 4},
    {"num_beams": 2, "length_penalty": 2.0, "early_stopping": True},
)


@torch.no_grad()
def write_options(folder: Path) -> None:
    """What options make of answers: each changes some of them."""
    model = load(folder)
    processor = AutoProcessor.from_pretrained(folder, backend="pil")
    end = model.generation_config.eos_token_id
    found = []
    for options in OPTIONS:
        changed = 0
        for case in cases(processor):
            start = 1 if is_t5(model) else case["ids"].shape[1]
            given = {"pixel_values": case["pixels"], "input_ids": case["ids"], "max_new_tokens": NEW, "do_sample": False}
            plain = {"num_beams": options.get("num_beams", 1)}
            if "early_stopping" in options:
                plain["length_penalty"] = options["length_penalty"]
            new, usual = (model.generate(**given, **o)[0, start:].tolist() for o in (options, plain))
            new = new[: new.index(end) + 1] if end in new else new  # behind it there is padding
            usual = usual[: usual.index(end) + 1] if end in usual else usual
            changed += new != usual
            found.append({"picture": case["picture"], "prompt": case["prompt"], "options": options, "tokens": new})
        print(folder.name, options, "changes", changed)
        assert changed, options
    support.write_json(folder / "options.json", {"cases": found, "versions": support.versions()})


def other_t5(folder: Path):
    """The same weights under a config that says less: the tanh form, and a head that is the scaled table."""
    config = Blip2Config.from_pretrained(folder)
    given = json.loads((folder / "config.json").read_text(encoding="utf-8"))["text_config"]
    for key in ("dense_act_fn", "is_gated_act", "tie_word_embeddings"):
        del given[key]
    config.text_config = type(config.text_config)(**given)
    assert config.text_config.dense_act_fn == "gelu_new" and config.text_config.scale_decoder_outputs
    model = Blip2ForConditionalGeneration(config).float().eval()
    right = load(folder).state_dict()
    right = {k: v for k, v in right.items() if "lm_head" not in k}
    missing, surplus = model.load_state_dict(right, strict=False)
    assert not surplus and all("lm_head" in name for name in missing), (missing, surplus)
    model.tie_weights()
    model.language_model.lm_head.weight = model.language_model.shared.weight
    return model


def buckets() -> dict:
    """T5's buckets of distances, key minus query, from -200 to 200."""
    distances = torch.arange(-200, 201)
    bucket = modeling_t5.T5Attention._relative_position_bucket
    return {
        f"{way} {count} {most}": bucket(distances, way == "both", count, most).tolist()
        for way in ("both", "back")
        for count, most in ((32, 128), (8, 20), (30, 100), (64, 1000))
    }


def write_goldens(folder: Path) -> None:
    model = load(folder)
    processor = AutoProcessor.from_pretrained(folder, backend="pil")
    made = cases(processor)
    pixels = torch.cat([made[i * len(PROMPTS)]["pixels"] for i in range(len(PICTURES))])
    tensors = {"pixel_values": pixels, **features(model, pixels)}
    cross, own = attentions(load(folder, attn_implementation="eager"), pixels)
    tensors["cross_alone"] = cross
    tensors["rollout_alone"] = np.stack(
        [rollout(model.config, c.double().numpy(), s.double().numpy()) for c, s in zip(cross, own)]
    )
    about = []
    other = other_t5(folder) if is_t5(model) else None
    for n, case in enumerate(made):
        tensors[f"logits_{n}"] = logits(model, case)
        if other is not None:
            tensors[f"encoded_{n}"] = encoded(model, case)
            tensors[f"other_{n}"] = logits(other, case)
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
    more = {"buckets": buckets()} if is_t5(model) else {}
    support.write_golden(folder / "golden", tensors, {"pictures": list(PICTURES), "cases": about, **more})
    lengths = sorted(len(c["greedy"]) for c in about)
    print(len(about), "cases; greedy lengths", lengths, "|", about[0]["text"], "|", about[5]["text"])


def common_mistakes() -> dict:
    """What goes wrong in ports, each as a patch of transformers or of a loaded model: of both language models."""
    tanh = torch.nn.GELU(approximate="tanh")
    identity = torch.nn.Identity()

    vision_layers = lambda m: m.vision_model.encoder.layers  # noqa: E731
    former = lambda m: m.qformer.encoder.layer  # noqa: E731

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

    return {
        "vision: tanh gelu": each(vision_layers, lambda x: setattr(x.mlp, "activation_fn", tanh)),
        "vision: queries and keys swapped": change(swap_qkv),
        "vision: no bias of queries": change(no_key_bias),
        "vision: epsilon 1e-5": change(lambda m: epsilon(m.vision_model, 1e-5)),
        "vision: no post_layernorm": change(lambda m: setattr(m.vision_model, "post_layernorm", identity)),
        "vision: no class embedding": change(lambda m: m.vision_model.embeddings.class_embedding.data.zero_()),
        "vision: no positions": change(lambda m: m.vision_model.embeddings.position_embedding.data.zero_()),
        "Q-Former: no layernorm of queries": change(
            lambda m: setattr(m.qformer.layernorm, "forward", lambda x: x)
        ),
        "Q-Former: tanh gelu": each(former, lambda x: setattr(x.intermediate_query, "intermediate_act_fn", tanh)),
        "Q-Former: no cross-attention": each(former, lambda x: setattr(x, "has_cross_attention", False)),
        "Q-Former: epsilon 1e-5": change(lambda m: epsilon(m.qformer, 1e-5)),
        "Q-Former: scale of the whole width": each(
            former, lambda x: setattr(x.attention.attention, "scaling", 24**-0.5)
        ),
        "projection: no bias": change(lambda m: m.language_projection.bias.data.zero_()),
    }


def each(layers, edit):
    return change(lambda m: [edit(layer) for layer in layers(m)])


def opt_mistakes() -> dict:
    decoder = lambda m: m.language_model.model.decoder  # noqa: E731
    identity = torch.nn.Identity()

    def positions(offset):
        def forward(self, attention_mask, past_key_values_length=0, position_ids=None):
            if position_ids is None:
                position_ids = torch.cumsum(attention_mask, 1) * attention_mask - 1
                position_ids = position_ids.long()[:, past_key_values_length:]
            return torch.nn.Embedding.forward(self, (position_ids + 2 + offset).clamp(min=0))

        return replaced(modeling_opt.OPTLearnedPositionalEmbedding, "forward", forward)

    return {
        "OPT: positions without offset": positions(-2),
        "OPT: positions one too far": positions(1),
        "OPT: gelu": each(lambda m: decoder(m).layers, lambda x: setattr(x, "activation_fn", torch.nn.GELU())),
        "OPT: no final_layer_norm": change(lambda m: setattr(decoder(m), "final_layer_norm", identity)),
        "OPT: epsilon 1e-6": change(lambda m: epsilon(m.language_model, 1e-6)),
        "OPT: queries scaled twice": each(
            lambda m: decoder(m).layers, lambda x: setattr(x.self_attn, "scaling", x.self_attn.scaling**2)
        ),
    }


def t5_mistakes() -> dict:
    encoder = lambda m: m.language_model.encoder  # noqa: E731
    decoder = lambda m: m.language_model.decoder  # noqa: E731
    both = lambda m: [encoder(m), decoder(m)]  # noqa: E731
    layers = lambda m: [layer for stack in both(m) for block in stack.block for layer in block.layer]  # noqa: E731
    kind = modeling_t5.T5Attention
    right = kind._relative_position_bucket

    def attention(m, own=True, cross=True):
        modules = [x for x in m.language_model.modules() if isinstance(x, kind)]
        crossing = [block.layer[1].EncDecAttention for block in decoder(m).block]
        return [x for x in modules if (cross if any(x is c for c in crossing) else own)]

    def bucket(edit):
        return replaced(kind, "_relative_position_bucket", staticmethod(edit))

    def feed_forward(m):
        return [layer.DenseReluDense for layer in layers(m) if hasattr(layer, "DenseReluDense")]

    def swap_gate(m):
        for f in feed_forward(m):
            f.wi_0, f.wi_1 = f.wi_1, f.wi_0

    def no_gate(m):
        for f in feed_forward(m):
            f.wi_1.forward = lambda x, own=f.wi_1: torch.ones(*x.shape[:-1], own.weight.shape[0])

    def own_bias_of_each_layer(m):
        for stack in both(m):
            for block in stack.block[1:]:
                a = block.layer[0].SelfAttention
                own = a.forward
                a.forward = lambda *given, own=own, position_bias=None, **more: own(
                    *given, position_bias=torch.zeros(1, 3, 1, 1), **more
                )

    def centred(self, x):
        x = x - x.mean(-1, keepdim=True)
        return self.weight * x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.variance_epsilon)

    def t5_epsilon(m):
        for x in m.language_model.modules():
            if isinstance(x, modeling_t5.T5LayerNorm):
                x.variance_epsilon = 1e-4

    def tied(m):
        m.language_model.lm_head.weight = m.language_model.shared.weight

    def two_stacks_one_bias(m):
        decoder(m).block[0].layer[0].SelfAttention.relative_attention_bias = (
            encoder(m).block[0].layer[0].SelfAttention.relative_attention_bias
        )

    def scale(x):
        x.scaling = x.key_value_proj_dim**-0.5

    identity = torch.nn.Identity()
    return {
        "T5: buckets of both stacks look back only": bucket(lambda r, bidirectional, **k: right(r, False, **k)),
        "T5: buckets of both stacks look both ways": bucket(lambda r, bidirectional, **k: right(r, True, **k)),
        "T5: distances with the wrong sign": bucket(lambda r, **k: right(-r, **k)),
        "T5: half the buckets": bucket(lambda r, num_buckets, **k: right(r, num_buckets=num_buckets // 2, **k)),
        "T5: the published maximum of distances": bucket(lambda r, max_distance, **k: right(r, max_distance=128, **k)),
        "T5: no logarithm of distances": bucket(
            lambda r, num_buckets, max_distance, **k: right(r, num_buckets=num_buckets, max_distance=10**9, **k)
        ),
        "T5: a bias in the first layer only": change(own_bias_of_each_layer),
        "T5: the encoder's bias in the decoder": change(two_stacks_one_bias),
        "T5: scaled self-attention": change(lambda m: [scale(x) for x in attention(m, cross=False)]),
        "T5: scaled cross-attention": change(lambda m: [scale(x) for x in attention(m, own=False)]),
        "T5: tanh gelu": change(
            lambda m: [setattr(f, "act", torch.nn.GELU(approximate="tanh")) for f in feed_forward(m)]
        ),
        "T5: relu": change(lambda m: [setattr(f, "act", torch.nn.ReLU()) for f in feed_forward(m)]),
        "T5: gate and value swapped": change(swap_gate),
        "T5: no gate": change(no_gate),
        "T5: norms with a mean": replaced(modeling_t5.T5LayerNorm, "forward", centred),
        "T5: epsilon 1e-4": change(t5_epsilon),
        "T5: no final norm of the encoder": change(lambda m: setattr(encoder(m), "final_layer_norm", identity)),
        "T5: no final norm of the decoder": change(lambda m: setattr(decoder(m), "final_layer_norm", identity)),
        "T5: scaled head": change(
            lambda m: setattr(m.language_model.config, "scale_decoder_outputs", True)
        ),
        "T5: tied head": change(tied),
    }


def check_mistakes(folder: Path) -> None:
    processor = AutoProcessor.from_pretrained(folder, backend="pil")
    made = cases(processor)
    right = load(folder)
    t5 = is_t5(right)
    expected = [(features(right, c["pixels"]), logits(right, c)) for c in made]
    following = [followed(right, c) for c in made] if t5 else []
    for name, patched in (t5_mistakes() if t5 else {**common_mistakes(), **opt_mistakes()}).items():
        model = load(folder)
        largest = 0.0
        with patched(model):
            for n, (case, (known, row)) in enumerate(zip(made, expected)):
                found = features(model, case["pixels"])
                parts = [(found[k] - v).abs().max().item() for k, v in known.items()]
                largest = max([largest, (logits(model, case) - row).abs().max().item(), *parts])
                if t5:
                    largest = max(largest, (followed(model, case) - following[n]).abs().max().item())
        caught(name, largest)

    def of_ids(name: str, wrong) -> None:
        moved = [
            (logits(right, {**case, "ids": wrong(case["ids"])}) - row).abs().max().item()
            for case, (_, row) in zip(made, expected)
            if case["prompt"]
        ]
        caught(name, max(moved))

    if t5:
        of_ids("prompt: no </s>", lambda ids: ids[:, :-1])
        of_ids("prompt: queries behind the words", lambda ids: torch.cat([ids[:, QUERIES:], ids[:, :QUERIES]], 1))
        check_start_and_padding(right, made, expected)
    else:
        of_ids("prompt: no </s>", lambda ids: torch.cat([ids[:, :QUERIES], ids[:, QUERIES + 1 :]], 1))
        of_ids(
            "prompt: </s> before the queries",
            lambda ids: torch.cat([ids[:, QUERIES : QUERIES + 1], ids[:, :QUERIES], ids[:, QUERIES + 1 :]], 1),
        )


@torch.no_grad()
def followed(model, case) -> torch.Tensor:
    """Logits after some words of an answer: distances in the decoder."""
    begun = torch.tensor([[0, 9, 5, 31, 8, 7, 12, 40, 3, 22, 17, 90]])
    return model(pixel_values=case["pixels"], input_ids=case["ids"], decoder_input_ids=begun).logits[0]


@torch.no_grad()
def check_start_and_padding(right, made, expected) -> None:
    begun = torch.tensor([[1]])
    moved = [
        (right(pixel_values=c["pixels"], input_ids=c["ids"], decoder_input_ids=begun).logits[0, -1] - row).abs().max()
        for c, (_, row) in zip(made, expected)
    ]
    caught("answer begins with </s>", max(moved).item())
    # What a prompt says must not depend on how long its neighbours in a batch are.
    short, row = made[0], expected[0][1]
    padded = torch.cat([short["ids"], torch.zeros(1, 9, dtype=torch.long)], 1)
    mask = (torch.arange(padded.shape[1])[None] < short["ids"].shape[1]).long()
    given = {"pixel_values": short["pixels"], "input_ids": padded, "decoder_input_ids": torch.tensor([[0]])}
    masked = right(**given, attention_mask=mask).logits[0, -1]
    assert (masked - row).abs().max().item() < 1e-5
    unmasked = right(**given, attention_mask=torch.ones_like(mask)).logits[0, -1]
    caught("padding attended to", (unmasked - row).abs().max().item())


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--check-mistakes", action="store_true")
    check = parser.parse_args().check_mistakes
    write_opt_weights(opt_config(*write_opt_tokenizer()))
    write_t5_weights(t5_config(write_t5_tokenizer()))
    for folder in (OPT, T5):
        write_goldens(folder)
        write_options(folder)
        if check:
            check_mistakes(folder)


if __name__ == "__main__":
    main()
