"""The two models' configurations, and how their checkpoints are written in the published layout."""

from __future__ import annotations

import hashlib
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
    words, words_batch = 600, 128  # steps on captions alone
    steps = 1000  # on pictures and captions
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
        # The patches after two and three of the four layers: what the class token still reads.
        out = model.vision_model(pixel_values=pixels, output_hidden_states=True)
        return model.visual_projection(out.pooler_output), [h[:, 1:] for h in out.hidden_states[2:4]]

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
    words, words_batch = 2000, 64
    steps = 1500
    mean = std = [0.5, 0.5, 0.5]

    def __init__(self, folder: Path):
        vocabularies.write_siglip2(folder, TOKENIZER_SEED)
        self.tokenizer = GemmaTokenizer.from_pretrained(folder)

    def config(self) -> dict:
        return self.settings(len(self.tokenizer))

    @staticmethod
    def settings(vocabulary: int) -> dict:
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
                "vocab_size": vocabulary,
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
        out = model.vision_model(pixel_values=pixels, output_hidden_states=True)
        return out.pooler_output, out.hidden_states[2:4]

    @staticmethod
    def texts(model, ids):
        # Cut captions (see Pool.cut): the last token is still that of the last of the 64 positions.
        positions = torch.arange(ids.shape[1])
        positions[-1] = 63
        return model.text_model(input_ids=ids, position_ids=positions[None]).pooler_output


def _mimetic(attention) -> None:
    """Sets query times key near 0.7 (I + noise), by head, and value times output near 0.4 (noise - I)."""
    width = attention.q_proj.weight.shape[0]
    noise = lambda: torch.randn(width, width) / math.sqrt(width)
    one = torch.eye(width)
    rank = width // attention.num_heads
    for h in range(attention.num_heads):
        u, s, v = torch.linalg.svd(0.7 * noise() + 0.7 * one)
        keep = torch.randperm(width)[:rank]
        root = s[keep].sqrt()[:, None]
        rows = slice(h * rank, (h + 1) * rank)
        attention.q_proj.weight[rows] = root * u[:, keep].T
        attention.k_proj.weight[rows] = root * v[keep]
    u, s, v = torch.linalg.svd(0.4 * noise() - 0.4 * one)
    attention.out_proj.weight.copy_(u * s.sqrt())
    attention.v_proj.weight.copy_(s.sqrt()[:, None] * v)


@torch.no_grad()
def start_tower(model: SiglipModel) -> None:
    """Initial values of the vision tower that differ from the library's.

    Small position embeddings drown beside patches of flat colour, and place and shape are then learned
    very late: sines and cosines of both axes instead. The attention starts as trained towers look
    (Trockman and Kolter 2023, "Mimetic initialization of self-attention layers"): patches of like colour
    and place attend to each other from the first step.
    """
    embeddings = model.vision_model.embeddings
    side = SIZE // PATCH
    nn.init.normal_(embeddings.patch_embedding.weight, std=(3 * PATCH * PATCH) ** -0.5)
    table = embeddings.position_embedding.weight
    quarter = table.shape[1] // 4
    frequency = torch.exp(-torch.arange(quarter) / quarter * math.log(side * 2.0)) * math.pi
    angle = torch.arange(side)[:, None] * frequency
    one = torch.cat([angle.sin(), angle.cos()], 1)
    grid = torch.cat([one[:, None].expand(side, side, -1), one[None].expand(side, side, -1)], -1)
    table.copy_(0.5 * grid.reshape(side * side, -1))
    for layer in model.vision_model.encoder.layers:
        _mimetic(layer.self_attn)


@torch.no_grad()
def adopt_tower(kind, model, tower: dict[str, torch.Tensor], pictures: np.ndarray) -> None:
    """Starts a model from the vision tower that was trained on pictures alone (SigLIP's form).

    For CLIP the input's other mean and deviation move into the patch weights and the position table, and
    the factor of the activation into the MLPs; class token and projection start anew. The norm before
    CLIP's first layer gets the typical size of the tower's tokens, measured on some pictures.
    """
    model.logit_scale.fill_(math.log(10))
    if kind.name == "siglip2":
        model.logit_bias.fill_(-10)
        model.vision_model.load_state_dict(tower)
        return
    vision = model.vision_model
    theirs = SiglipModel(SiglipConfig(**TinySiglip2.settings(8))).vision_model
    theirs.load_state_dict(tower)
    tokens = theirs.embeddings(normalise(TinySiglip2, pictures))
    vision.pre_layrnorm.weight.fill_(float(tokens.std(-1).mean()))
    layers = {k.removeprefix("encoder."): v.clone() for k, v in tower.items() if k.startswith("encoder.")}
    for name in layers:
        if ".mlp.fc1." in name:
            layers[name] *= 1.702
        elif name.endswith(".mlp.fc2.weight"):
            layers[name] /= 1.702
    vision.encoder.load_state_dict(layers)
    weight = tower["embeddings.patch_embedding.weight"]
    mean, std = torch.tensor(CLIP_MEAN).view(1, 3, 1, 1), torch.tensor(CLIP_STD).view(1, 3, 1, 1)
    vision.embeddings.patch_embedding.weight.copy_(weight * std / 0.5)
    bias = tower["embeddings.patch_embedding.bias"] + (weight * (mean - 0.5) / 0.5).sum((1, 2, 3))
    vision.embeddings.position_embedding.weight[0] = 0
    vision.embeddings.position_embedding.weight[1:] = tower["embeddings.position_embedding.weight"] + bias


KINDS = {"clip": TinyClip, "siglip2": TinySiglip2}


def normalise(kind, pictures: np.ndarray) -> torch.Tensor:
    """(N, H, W, 3) uint8 to the pixel values (N, 3, H, W) that the processor gives."""
    x = torch.from_numpy(np.array(pictures)).permute(0, 3, 1, 2).float()
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
    (folder / "model.safetensors").chmod(0o644)
    write_sums(folder)


def write_sums(folder: Path) -> None:
    """Lists the checkpoint's files in SHA256SUMS, in sha256sum's form: the library reads it."""
    names = sorted(
        f.relative_to(folder).as_posix()
        for f in folder.rglob("*")
        if f.suffix in (".json", ".txt", ".safetensors") and not {"src", "target"} & set(f.relative_to(folder).parts)
    )
    lines = [f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in names]
    (folder / "SHA256SUMS").write_text("".join(lines))
