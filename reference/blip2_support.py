"""What the golden scripts of BLIP-2's two stages share: configs in the published layout, attention, mistakes."""

from __future__ import annotations

import contextlib
from pathlib import Path
from unittest import mock

import support

import numpy as np
import torch

PICTURES = ("flower-144x108.png", "hopper-97x113.png", "transparent-50x75.png")
SIDE, PATCH = 42, 14


def vision_config() -> dict:
    return {
        "hidden_size": 32,
        "image_size": SIDE,
        "intermediate_size": 72,
        "layer_norm_eps": 1e-06,
        "model_type": "blip_2_vision_model",
        "num_attention_heads": 2,
        "num_hidden_layers": 3,
        "patch_size": PATCH,
        "qkv_bias": True,
    }


def config(architecture: str, image: int, queries: int, shared: int, qformer: dict, text: dict) -> dict:
    """``config.json`` as published; the Q-Former and the language model differ."""
    return {
        "architectures": [architecture],
        "image_text_hidden_size": shared,
        "image_token_index": image,
        "initializer_factor": 1.0,
        "initializer_range": 0.02,
        "model_type": "blip-2",
        "num_query_tokens": queries,
        "qformer_config": dict(
            sorted(
                {
                    "cross_attention_frequency": 2,
                    "encoder_hidden_size": 32,
                    "layer_norm_eps": 1e-12,
                    "model_type": "blip_2_qformer",
                    "num_hidden_layers": 4,
                    **qformer,
                }.items()
            )
        ),
        "text_config": text,
        "torch_dtype": "float32",
        "use_decoder_only_language_model": text["model_type"] == "opt",
        "vision_config": vision_config(),
    }


def write_processor(folder: Path, queries: int) -> None:
    support.write_json(
        folder / "preprocessor_config.json",
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
        folder / "processor_config.json", {"num_query_tokens": queries, "processor_class": "Blip2Processor"}
    )


def picture(index: int):
    return support.open_rgb(support.CLIP_GOLDEN / "pictures" / PICTURES[index])


@torch.no_grad()
def attentions(model, pixels, ids=None) -> tuple[torch.Tensor, torch.Tensor]:
    """Cross-attention [batch, layers, heads, queries, rows] and self-attention [batch, layers, heads, all, all].

    Of either stage; ``ids`` of the first only. The model must be loaded with eager attention.
    """
    seen = model.vision_model(pixels).last_hidden_state
    queries = model.query_tokens.expand(pixels.shape[0], -1, -1)
    embeds = queries if ids is None else model.embeddings(input_ids=ids, query_embeds=queries)
    out = model.qformer(
        query_embeds=embeds, query_length=queries.shape[1], encoder_hidden_states=seen, output_attentions=True
    )
    # ``attentions`` holds those of both kinds, in the order in which they were computed.
    own, rest = [], list(out.attentions)
    for layer in model.qformer.encoder.layer:
        own.append(rest.pop(0))
        if layer.has_cross_attention:
            assert torch.equal(rest.pop(0), out.cross_attentions[len(own) // 2])
    assert not rest
    return torch.stack(out.cross_attentions, 1), torch.stack(own, 1)


def rollout(config, cross: np.ndarray, own: np.ndarray) -> np.ndarray:
    """How much of each query comes from each row of the picture, half of every layer being the residual.

    ``cross`` [layers, heads, queries, rows], ``own`` [layers, heads, all, all]; rows that sum to 1.
    """
    flow = np.zeros((own.shape[2], cross.shape[3]))
    seen = 0
    for layer in range(own.shape[0]):
        flow = 0.5 * flow + 0.5 * own[layer].mean(0) @ flow
        if layer % config.qformer_config.cross_attention_frequency == 0:
            queries = cross.shape[2]
            flow[:queries] = 0.5 * flow[:queries] + 0.5 * cross[seen].mean(0)
            seen += 1
    flow = flow[: cross.shape[2]]
    return flow / flow.sum(1, keepdims=True)


# Mistakes, as context managers that take a loaded model.


def change(edit):
    """A mistake that is made in the model."""

    @contextlib.contextmanager
    def patched(model):
        edit(model)
        yield

    return patched


def replaced(owner, name: str, replacement):
    """A mistake that is made in the library."""

    @contextlib.contextmanager
    def patched(model):
        with mock.patch.object(owner, name, replacement):
            yield

    return patched


def epsilon(module, value: float) -> None:
    for part in module.modules():
        if isinstance(part, torch.nn.LayerNorm):
            part.eps = value


def caught(name: str, moved: float) -> None:
    """Fails if a mistake moves the goldens by less than twice what the tests allow."""
    print(f"{moved:10.5f}  {name}")
    if not moved > 2e-4:
        raise AssertionError(f"{name} moves the goldens by {moved} only; the tests allow 1e-4")
