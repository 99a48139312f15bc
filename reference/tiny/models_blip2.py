"""tiny-blip2 and tiny-blip2-itm: configurations, initial values, the sums of training, the published layouts."""

from __future__ import annotations

import json
import math
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import (
    AutoTokenizer,
    Blip2Config,
    Blip2ForConditionalGeneration,
    Blip2ForImageTextRetrieval,
)

from data import BLIP2_SIZE
from models import CLIP_MEAN, CLIP_STD, write_sums

PATCH = 14
QUERIES = 16
WIDTH = 96  # of the tower and of the Q-Former
SHARED = 64  # of the space that pictures and texts share
TEXT = 128  # of OPT
POSITIONS = 128  # of OPT: queries, prompt and answer


class Pixels:
    """What BLIP-2's processor does after resizing; for ``models.normalise``."""

    mean, std = CLIP_MEAN, CLIP_STD


def config(vocabulary: int, first: bool, end: int = 0) -> dict:
    """Of the first stage (``vocabulary`` of BERT, ``[DEC]`` included) or of the second (of OPT)."""
    qformer = {
        "cross_attention_frequency": 2,
        "encoder_hidden_size": WIDTH,
        "hidden_size": WIDTH,
        "intermediate_size": 3 * WIDTH,
        "layer_norm_eps": 1e-12,
        "max_position_embeddings": 48,
        "model_type": "blip_2_qformer",
        "num_attention_heads": 3,
        "num_hidden_layers": 4,
    }
    text = {"model_type": "opt"}
    if first:
        qformer |= {"use_qformer_text_input": True, "vocab_size": vocabulary}
    else:
        text = {
            "activation_dropout": 0.0,
            "architectures": ["OPTForCausalLM"],
            "bos_token_id": 2,
            "eos_token_id": end,
            "ffn_dim": 3 * TEXT,
            "hidden_size": TEXT,
            "max_position_embeddings": POSITIONS,
            "model_type": "opt",
            "num_attention_heads": 4,
            "num_hidden_layers": 4,
            "pad_token_id": 1,
            "prefix": "</s>",
            "torch_dtype": "float16",
            "vocab_size": vocabulary,
            "word_embed_proj_dim": TEXT,
        }
    return {
        "architectures": ["Blip2ForImageTextRetrieval" if first else "Blip2ForConditionalGeneration"],
        "image_text_hidden_size": SHARED,
        "image_token_index": vocabulary if first else vocabulary - 1,
        "initializer_factor": 1.0,
        "initializer_range": 0.02,
        "model_type": "blip-2",
        "num_query_tokens": QUERIES,
        "qformer_config": qformer,
        "text_config": text,
        "torch_dtype": "float16",
        "use_decoder_only_language_model": True,
        "vision_config": {
            "hidden_size": WIDTH,
            "image_size": BLIP2_SIZE,
            "intermediate_size": 4 * WIDTH,
            "layer_norm_eps": 1e-06,
            "model_type": "blip_2_vision_model",
            "num_attention_heads": 3,
            "num_hidden_layers": 4,
            "patch_size": PATCH,
            "qkv_bias": True,
        },
    }


@torch.no_grad()
def start(module: nn.Module, seed: int, residual: tuple[str, ...] = ()) -> None:
    """Initial values for narrow layers; the library's, of 0.02, are for wide ones."""
    torch.manual_seed(seed)
    for name, p in module.named_parameters():
        if p.ndim == 2 and "embed" not in name:
            nn.init.normal_(p, std=(0.3 if name.endswith(residual) else 0.8) / math.sqrt(p.shape[1]))
        elif "embed" in name and p.ndim == 2:
            nn.init.normal_(p, std=0.05)
        elif name.endswith("query_tokens"):
            nn.init.normal_(p, std=0.5)
        elif name.endswith("bias"):
            nn.init.zeros_(p)


def new_first(vocabulary: int, seed: int) -> Blip2ForImageTextRetrieval:
    model = Blip2ForImageTextRetrieval(Blip2Config(**config(vocabulary, True))).float().eval()
    start(model, seed)
    return model


def new_second(vocabulary: int, end: int, seed: int) -> Blip2ForConditionalGeneration:
    model = Blip2ForConditionalGeneration(Blip2Config(**config(vocabulary, False, end))).float().eval()
    start(model.language_model, seed, ("out_proj.weight", "fc2.weight"))
    return model


def _shrunk(size: int, to: int) -> torch.Tensor:
    """(to, size): means of the pixels of a patch as if it had fewer of them."""
    edges = torch.arange(to + 1) * size / to
    low, high = edges[:-1, None], edges[1:, None]
    pixel = torch.arange(size)[None]
    cover = (torch.minimum(high, pixel + 1.0) - torch.maximum(low, pixel * 1.0)).clamp(min=0)
    return cover * to / size


@torch.no_grad()
def adopt_tower(vision, checkpoint: Path) -> None:
    """Starts the tower from tiny-siglip2's, as BLIP-2 starts from a tower that was trained with texts.

    Its pictures have 64 pixels a side and patches of 8; here they have 112 and patches of 14, so each weight
    is spread over the pixels that its own would have been averaged from. Its mean and deviation are others,
    too. The class token is new.
    """
    theirs = {k.removeprefix("vision_model."): v.float() for k, v in load_file(checkpoint).items() if k.startswith("vision_model.")}
    weight = theirs["embeddings.patch_embedding.weight"]
    mean, std = torch.tensor(CLIP_MEAN).view(1, 3, 1, 1), torch.tensor(CLIP_STD).view(1, 3, 1, 1)
    bias = theirs["embeddings.patch_embedding.bias"] + (weight * (mean - 0.5) / 0.5).sum((1, 2, 3))
    shrink = _shrunk(PATCH, weight.shape[-1])
    own = vision.embeddings
    own.patch_embedding.weight.copy_(shrink.T @ (weight * std / 0.5) @ shrink)
    own.patch_embedding.bias.copy_(bias)
    own.position_embedding[0, 0] = 0
    own.position_embedding[0, 1:] = theirs["embeddings.position_embedding.weight"]
    torch.manual_seed(3)
    own.class_embedding.normal_(0, 0.3)
    for i, layer in enumerate(vision.encoder.layers):
        part = lambda name: theirs[f"encoder.layers.{i}.{name}"]
        for kind in ("weight", "bias"):
            qkv = torch.cat([part(f"self_attn.{p}_proj.{kind}") for p in "qkv"])
            getattr(layer.self_attn.qkv, kind).copy_(qkv)
            getattr(layer.self_attn.projection, kind).copy_(part(f"self_attn.out_proj.{kind}"))
            for name in ("layer_norm1", "layer_norm2", "mlp.fc1", "mlp.fc2"):
                getattr(layer.get_submodule(name), kind).copy_(part(f"{name}.{kind}"))
    for kind in ("weight", "bias"):
        getattr(vision.post_layernorm, kind).copy_(theirs[f"post_layernorm.{kind}"])


def look(vision, pixels) -> tuple[torch.Tensor, torch.Tensor]:
    """Every row after the last norm, and the patches after two layers."""
    h = vision.embeddings(pixels)
    for i, layer in enumerate(vision.encoder.layers):
        h = layer(h)
        if i == 1:
            early = h[:, 1:]
    return vision.post_layernorm(h), early


def qformer(model, embeds, mask, seen, queries: int) -> torch.Tensor:
    """The Q-Former's states; ``mask`` (batch, 1, all, all) is true where a row may look."""
    h = model.qformer.layernorm(embeds)
    for layer in model.qformer.encoder.layer:
        h = layer(h, mask, seen, query_length=queries)
    return h


def opt(model, h, positions, mask, sought=None):
    """OPT's logits for embeddings (batch, tokens, width); ``mask`` (batch, 1, tokens, tokens) as above.

    With ``sought``, rows, places and (rows, tokens) where each should look, also how little the first head
    of the last two layers looks there.
    """
    decoder = model.language_model.model.decoder
    heads = decoder.config.num_attention_heads
    b, n, width = h.shape
    h = h + F.embedding(positions + 2, decoder.embed_positions.weight)
    missed = 0
    for i, layer in enumerate(decoder.layers):
        a, y = layer.self_attn, layer.self_attn_layer_norm(h)
        q, k, v = (p(y).view(b, n, heads, width // heads).transpose(1, 2) for p in (a.q_proj, a.k_proj, a.v_proj))
        o = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        if sought is not None and i >= len(decoder.layers) - 2:
            row, at, wanted = sought
            score = torch.einsum("md,mnd->mn", q[row, 0, at], k[row, 0]) / math.sqrt(width // heads)
            score = score.masked_fill(~mask[row, 0, at], -1e4).log_softmax(-1)
            missed = missed - score.masked_fill(~wanted, -1e4).logsumexp(-1).mean()
        h = h + a.out_proj(o.transpose(1, 2).reshape(b, n, width))
        h = h + layer.fc2(F.relu(layer.fc1(layer.final_layer_norm(h))))
    logits = F.linear(decoder.final_layer_norm(h), decoder.embed_tokens.weight)
    return logits if sought is None else (logits, missed)


def write_json(path: Path, value) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def save(model, folder: Path, first: bool) -> None:
    """Configs and fp16 weights beside the tokenizer's files; the tied head is left out, as published."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    if first:
        write_json(folder / "config.json", config(tokenizer.convert_tokens_to_ids("<image>"), True))
    else:
        end = tokenizer.convert_tokens_to_ids("Ċ")
        write_json(folder / "config.json", config(len(tokenizer), False, end))
        generation = {"_from_model_config": True, "bos_token_id": 2, "eos_token_id": end, "pad_token_id": 1}
        write_json(folder / "generation_config.json", generation)
    write_json(
        folder / "preprocessor_config.json",
        {
            "do_convert_rgb": True,
            "do_normalize": True,
            "do_rescale": True,
            "do_resize": True,
            "image_mean": CLIP_MEAN,
            "image_processor_type": "BlipImageProcessor",
            "image_std": CLIP_STD,
            "processor_class": "Blip2Processor",
            "resample": 3,
            "rescale_factor": 0.00392156862745098,
            "size": {"height": BLIP2_SIZE, "width": BLIP2_SIZE},
        },
    )
    write_json(folder / "processor_config.json", {"num_query_tokens": QUERIES, "processor_class": "Blip2Processor"})
    state = {k: v.detach().half().contiguous() for k, v in sorted(model.state_dict().items()) if "lm_head" not in k}
    save_file(state, str(folder / "model.safetensors"), metadata={"format": "pt"})
    (folder / "model.safetensors").chmod(0o644)
    write_sums(folder)
