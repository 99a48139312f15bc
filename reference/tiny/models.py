"""The two models' configurations, and how their checkpoints are written in the published layout."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn
from transformers import CLIPConfig, CLIPModel, CLIPTokenizer, GemmaTokenizer, SiglipConfig, SiglipModel

import vocabularies
from data import SIZE

TOKENIZER_SEED = 1
PATCH = 8
CLIP_MEAN = [0.48145466, 0.4578275, 0.40821073]
CLIP_STD = [0.26862954, 0.26130258, 0.27577711]


class TinyClip:
    """CLIP in OpenAI's layout: pre-norm towers, quick_gelu, causal text, pooled at the first largest id."""

    name = "clip"
    tokens = 32  # captions are far shorter than the 77 positions
    width = 128  # of the shared space
    both_languages = True  # two captions a picture in each batch
    mean, std = CLIP_MEAN, CLIP_STD

    def __init__(self, folder: Path):
        vocabularies.write_clip(folder, TOKENIZER_SEED)
        self.tokenizer = CLIPTokenizer.from_pretrained(folder)

    def config(self) -> dict:
        return {
            "architectures": ["CLIPModel"],
            "initializer_factor": 1.0,
            "logit_scale_init_value": 2.6592,
            "model_type": "clip",
            "projection_dim": 128,
            "text_config": {
                "attention_dropout": 0.0,
                "bos_token_id": 0,
                "eos_token_id": 2,
                "hidden_act": "quick_gelu",
                "hidden_size": 96,
                "initializer_factor": 1.0,
                "intermediate_size": 384,
                "layer_norm_eps": 1e-05,
                "max_position_embeddings": 77,
                "model_type": "clip_text_model",
                "num_attention_heads": 3,
                "num_hidden_layers": 3,
                "pad_token_id": 1,
                "projection_dim": 128,
                "vocab_size": len(self.tokenizer),
            },
            "torch_dtype": "float16",
            "vision_config": {
                "attention_dropout": 0.0,
                "hidden_act": "quick_gelu",
                "hidden_size": 96,
                "image_size": SIZE,
                "initializer_factor": 1.0,
                "intermediate_size": 384,
                "layer_norm_eps": 1e-05,
                "model_type": "clip_vision_model",
                "num_attention_heads": 3,
                "num_channels": 3,
                "num_hidden_layers": 4,
                "patch_size": PATCH,
                "projection_dim": 128,
            },
        }

    def preprocessor(self) -> dict:
        return {
            "crop_size": SIZE,
            "do_center_crop": True,
            "do_normalize": True,
            "do_resize": True,
            "feature_extractor_type": "CLIPFeatureExtractor",
            "image_mean": CLIP_MEAN,
            "image_std": CLIP_STD,
            "resample": 3,
            "size": SIZE,
        }

    def create(self) -> CLIPModel:
        """The model as it is trained: with silu, which torch computes in one pass.

        quick_gelu(x) = x sigmoid(1.702 x) = silu(1.702 x) / 1.702, so ``published`` moves the two
        factors into the neighbouring weights and the saved checkpoint is an ordinary quick_gelu one.
        """
        config = self.config()
        for tower in ("text_config", "vision_config"):
            config[tower]["hidden_act"] = "silu"
        return CLIPModel(CLIPConfig(**config))

    @staticmethod
    def published(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        def scaled(name, tensor):
            if ".mlp.fc1." in name:
                return tensor / 1.702
            return tensor * 1.702 if name.endswith(".mlp.fc2.weight") else tensor

        return {name: scaled(name, tensor) for name, tensor in state.items()}

    def tokenize(self, texts: list[str]) -> np.ndarray:
        # Padding changes nothing: the tower is causal and pooled at the first end token.
        return np.array(
            self.tokenizer(texts, padding="max_length", max_length=self.tokens, truncation=True)["input_ids"], np.int16
        )

    @staticmethod
    def images(model, pixels):
        out = model.vision_model(pixel_values=pixels)
        return model.visual_projection(out.pooler_output), out.last_hidden_state[:, 1:]

    @staticmethod
    def texts(model, ids):
        return model.text_projection(model.text_model(input_ids=ids).pooler_output)


class TinySiglip2:
    """SigLIP 2 of fixed size: no class token, attention pooling, text padded to 64 without a mask."""

    name = "siglip2"
    tokens = 64
    width = 96
    # Its text is always 64 tokens long, thrice CLIP's: one caption a picture, the language by family.
    both_languages = False
    mean = std = [0.5, 0.5, 0.5]

    def __init__(self, folder: Path):
        vocabularies.write_siglip2(folder, TOKENIZER_SEED)
        self.tokenizer = GemmaTokenizer.from_pretrained(folder)

    def config(self) -> dict:
        return {
            "architectures": ["SiglipModel"],
            "initializer_factor": 1.0,
            "model_type": "siglip",
            "text_config": {
                "attention_dropout": 0.0,
                "bos_token_id": 2,
                "eos_token_id": 1,
                "hidden_act": "gelu_pytorch_tanh",
                "hidden_size": 96,
                "intermediate_size": 384,
                "layer_norm_eps": 1e-06,
                "max_position_embeddings": 64,
                "model_type": "siglip_text_model",
                "num_attention_heads": 3,
                "num_hidden_layers": 3,
                "pad_token_id": 0,
                "projection_size": 96,
                "vocab_size": len(self.tokenizer),
            },
            "torch_dtype": "float16",
            "vision_config": {
                "attention_dropout": 0.0,
                "hidden_act": "gelu_pytorch_tanh",
                "hidden_size": 96,
                "image_size": SIZE,
                "intermediate_size": 384,
                "layer_norm_eps": 1e-06,
                "model_type": "siglip_vision_model",
                "num_attention_heads": 3,
                "num_channels": 3,
                "num_hidden_layers": 4,
                "patch_size": PATCH,
            },
        }

    def preprocessor(self) -> dict:
        return {
            "do_convert_rgb": None,
            "do_normalize": True,
            "do_rescale": True,
            "do_resize": True,
            "image_mean": [0.5, 0.5, 0.5],
            "image_processor_type": "SiglipImageProcessor",
            "image_std": [0.5, 0.5, 0.5],
            "processor_class": "SiglipProcessor",
            "resample": 2,
            "rescale_factor": 0.00392156862745098,
            "size": {"height": SIZE, "width": SIZE},
        }

    def create(self) -> SiglipModel:
        return SiglipModel(SiglipConfig(**self.config()))

    @staticmethod
    def published(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        return state

    def tokenize(self, texts: list[str]) -> np.ndarray:
        lower = [t.lower() for t in texts]
        return np.array(
            self.tokenizer(lower, padding="max_length", max_length=self.tokens, truncation=True)["input_ids"], np.int16
        )

    @staticmethod
    def images(model, pixels):
        out = model.vision_model(pixel_values=pixels)
        return out.pooler_output, out.last_hidden_state

    @staticmethod
    def texts(model, ids):
        return model.text_model(input_ids=ids).pooler_output


def start(kind, model) -> None:
    """Initial values that differ from the library's: patches and positions of like size.

    The library's small position embeddings drown beside the patches of flat colour, and place and shape
    are then learned very late; sines and cosines of both axes are a better start.
    """
    embeddings = model.vision_model.embeddings
    side = SIZE // PATCH
    with torch.no_grad():
        nn.init.normal_(embeddings.patch_embedding.weight, std=(3 * PATCH * PATCH) ** -0.5)
        table = embeddings.position_embedding.weight
        quarter = table.shape[1] // 4
        frequency = torch.exp(-torch.arange(quarter) / quarter * math.log(side * 2.0)) * math.pi
        angle = torch.arange(side)[:, None] * frequency
        one = torch.cat([angle.sin(), angle.cos()], 1)
        grid = torch.cat([one[:, None].expand(side, side, -1), one[None].expand(side, side, -1)], -1)
        table[-side * side :] = 0.5 * grid.reshape(side * side, -1)
        model.logit_scale.fill_(math.log(10))
        if kind.name == "siglip2":
            model.logit_bias.fill_(-10)


KINDS = {"clip": TinyClip, "siglip2": TinySiglip2}


def normalise(kind, pictures: np.ndarray) -> torch.Tensor:
    """(N, H, W, 3) uint8 to the pixel values (N, 3, H, W) that the processor gives."""
    x = torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float()
    mean = torch.tensor(kind.mean).view(3, 1, 1)
    std = torch.tensor(kind.std).view(3, 1, 1)
    return (x / 255 - mean) / std


def save(kind, model, state: dict[str, torch.Tensor], folder: Path) -> None:
    """Writes config, processor and fp16 weights beside the tokenizer's files.

    The names of the state are the published ones (text_model.…, vision_model.…); only a later
    ``save_pretrained`` of the library would shorten them, so the file is written directly.
    """
    assert set(state) == set(model.state_dict())
    (folder / "config.json").write_text(json.dumps(kind.config(), indent=2) + "\n")
    (folder / "preprocessor_config.json").write_text(json.dumps(kind.preprocessor(), indent=2) + "\n")
    # Sorted, so that the same weights give the same file.
    tensors = {k: v.detach().to(torch.float16).contiguous() for k, v in sorted(kind.published(state).items())}
    save_file(tensors, str(folder / "model.safetensors"), metadata={"format": "pt"})
