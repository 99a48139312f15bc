"""A tiny Qwen2.5-VL whose language model is packed in four bits, and what transformers computes with it unpacked.

    python packed_goldens.py   # writes lmm-qwenvl/src/test/resources/golden/packed; run qwenvl_goldens.py before

``common.safetensors`` holds what is not packed; ``awq``, ``gptq`` and ``gptq-act-order`` a config.json, the packed
layers, and as goldens each layer's ``weight`` as scale * (code - zero) in float32 (one whole, all by a hash), and
logits of float32 with these weights. Tokenizer and processor are those of ``qwen4``.

The packers are written from what AutoAWQ and AutoGPTQ publish; the unpackers beside them take another way, and both
must agree.

- AWQ (gemm): qweight [in, out / 8], an integer's eight codes are eight outputs, the lowest first in the order
  0, 2, 4, 6, 1, 3, 5, 7; qzeros [groups, out / 8] alike; scales [groups, out].
- GPTQ: qweight [in / 8, out], eight inputs in order, the lowest first; qzeros [groups, out / 8], eight outputs in
  order, each less one; scales [groups, out]; g_idx [in], the group of each input, which with act-order is any.
"""

from __future__ import annotations

import hashlib
import json
import shutil

import qwenvl_goldens as qwen
import torch
import transformers
from safetensors.torch import save_file
from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

OUT = qwen.OUT / "packed"
ORDER = [0, 2, 4, 6, 1, 3, 5, 7]
CASES = [qwen.CASES[10], qwen.CASES[3], qwen.CASES[5]]
GROUPS = {"awq": 128, "gptq": 128, "gptq-act-order": 32}
LINEARS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


def quantize(weight: torch.Tensor, group_of: torch.Tensor, groups: int):
    """Codes [out, in], zero points and scales [groups, out], with zero points of all sizes."""
    codes = torch.zeros(weight.shape, dtype=torch.int32)
    zeros = torch.zeros(groups, len(weight), dtype=torch.int32)
    scales = torch.zeros(groups, len(weight), dtype=torch.float16)
    for g in range(groups):
        part = weight[:, group_of == g]
        low, high = part.amin(1).clamp(max=0), part.amax(1).clamp(min=0)
        scale = ((high - low) / 15).clamp(min=1e-4).half().float()
        zero = (-low / scale).round().clamp(0, 15)
        codes[:, group_of == g] = (part / scale[:, None] + zero[:, None]).round().clamp(0, 15).int()
        zeros[g], scales[g] = zero.int(), scale.half()
    return codes, zeros, scales


def pack(values: torch.Tensor, order: list[int]) -> torch.Tensor:
    """Eight neighbours of the last axis into an integer: the i-th from below is neighbour order[i]."""
    eight = values.long().reshape(*values.shape[:-1], -1, 8)
    packed = sum(eight[..., order[i]] << (4 * i) for i in range(8))
    return torch.where(packed >= 2**31, packed - 2**32, packed).int().contiguous()


def unpack(packed: torch.Tensor, order: list[int]) -> torch.Tensor:
    """The way back, digit by digit of the hexadecimal number."""
    digits = torch.tensor([[int(d, 16) for d in reversed(f"{v & 0xFFFFFFFF:08x}")] for v in packed.flatten().tolist()])
    values = torch.empty_like(digits)
    for i in range(8):
        values[:, order[i]] = digits[:, i]
    return values.reshape(*packed.shape[:-1], -1).int()


def packed_layer(kind: str, weight: torch.Tensor, seed: int):
    """The published tensors of a layer, and the weight that they stand for."""
    out, inputs = weight.shape
    size = GROUPS[kind]
    groups = inputs // size
    group_of = torch.arange(inputs) // size
    if kind == "gptq-act-order":
        group_of = group_of[torch.randperm(inputs, generator=torch.Generator().manual_seed(seed))]
    codes, zeros, scales = quantize(weight, group_of, groups)
    if kind == "awq":
        tensors = {"qweight": pack(codes.T, ORDER), "qzeros": pack(zeros, ORDER), "scales": scales}
        back, zeros_back = unpack(tensors["qweight"], ORDER).T, unpack(tensors["qzeros"], ORDER)
    else:
        plain = list(range(8))
        tensors = {"qweight": pack(codes, plain).T.contiguous(), "qzeros": pack((zeros - 1) & 15, plain), "scales": scales,
                   "g_idx": group_of.int()}  # fmt: skip
        back, zeros_back = unpack(tensors["qweight"].T, plain), (unpack(tensors["qzeros"], plain) + 1) & 15
    assert torch.equal(back, codes) and torch.equal(zeros_back, zeros)
    whole = (back - zeros_back.T[:, group_of]).float() * scales.float().T[:, group_of]
    assert (whole - weight).abs().max() < 0.6 * scales.max()
    return tensors, whole.contiguous()


def make() -> tuple[Qwen2_5_VLForConditionalGeneration, dict, dict, dict]:
    ids = qwen.ids_of(qwen.OUT / "qwen4")
    vision = dict(depth=2, hidden_size=32, intermediate_size=40, num_heads=2, out_hidden_size=128, patch_size=14,
                  spatial_merge_size=2, temporal_patch_size=2, window_size=112, fullatt_block_indexes=[1], tokens_per_second=2)  # fmt: skip
    rope = {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [4, 6, 6]}
    text = dict(vocab_size=max(ids.values()) + 11, hidden_size=128, intermediate_size=256, num_hidden_layers=2,
                num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=4096, rope_parameters=rope,
                tie_word_embeddings=True, rms_norm_eps=1e-6, use_sliding_window=False, sliding_window=4096,
                max_window_layers=2, bos_token_id=ids["<|endoftext|>"], eos_token_id=ids["<|im_end|>"], pad_token_id=ids["<|endoftext|>"])  # fmt: skip
    named = dict(image_token_id=ids["<|image_pad|>"], video_token_id=ids["<|video_pad|>"],
                 vision_start_token_id=ids["<|vision_start|>"], vision_end_token_id=ids["<|vision_end|>"])  # fmt: skip
    config = Qwen2_5_VLConfig(text_config=text, vision_config=vision, tie_word_embeddings=True, **named)
    model = Qwen2_5_VLForConditionalGeneration(config)
    qwen.larger(model, 8)
    # A new one, for the angles' frequencies must not have been in few bits.
    fresh = Qwen2_5_VLForConditionalGeneration(config)
    fresh.load_state_dict({name: value.half().float() for name, value in model.state_dict().items()})
    fresh.tie_weights()
    return fresh.eval(), text, vision, named


def config(kind: str, text: dict, vision: dict, named: dict) -> dict:
    """A config.json as published, flat, with the quantization."""
    rope = text["rope_parameters"]
    quantization = {
        "awq": {"quant_method": "awq", "bits": 4, "group_size": GROUPS["awq"], "version": "gemm", "zero_point": True,
                "modules_to_not_convert": ["visual"]},
        "gptq": {"quant_method": "gptq", "bits": 4, "group_size": GROUPS["gptq"], "desc_act": False, "sym": False,
                 "damp_percent": 0.01, "static_groups": False, "true_sequential": True},
        "gptq-act-order": {"quant_method": "gptq", "bits": 4, "group_size": GROUPS["gptq-act-order"], "desc_act": True,
                           "sym": False, "checkpoint_format": "gptq", "true_sequential": True},
    }[kind]  # fmt: skip
    return {
        "architectures": ["Qwen2_5_VLForConditionalGeneration"], "attention_dropout": 0.0,
        **{k: v for k, v in text.items() if k not in ("rope_parameters", "pad_token_id")}, **named, "hidden_act": "silu",
        "model_type": "qwen2_5_vl", "rope_theta": rope["rope_theta"],
        "rope_scaling": {"type": "mrope", "mrope_section": rope["mrope_section"]}, "torch_dtype": "float16",
        "transformers_version": "4.49.0", "use_cache": True, "quantization_config": quantization,
        "vision_config": {**vision, "hidden_act": "silu", "in_chans": 3, "spatial_patch_size": 14},
    }  # fmt: skip


def published(name: str) -> str:
    return name.replace("model.visual.", "visual.").replace("model.language_model.", "model.")


class Unpacked(qwen.Reference):
    """The model in memory, with qwen4's tokenizer and processor."""

    def __init__(self, model):
        self.folder = qwen.OUT / "qwen4"
        self.model = model
        self.ids = qwen.ids_of(self.folder)
        self.tokenizer = transformers.AutoTokenizer.from_pretrained(self.folder)
        self.processor = qwen.Qwen2VLImageProcessorPil.from_pretrained(self.folder)
        self.old = True


def main() -> None:
    shutil.rmtree(OUT, ignore_errors=True)
    model, text, vision, named = make()
    state = {name: value.clone() for name, value in model.state_dict().items() if name != "lm_head.weight"}
    linears = [n for n in state if ".language_model." in n and n.endswith(tuple(f"{p}.weight" for p in LINEARS))]
    OUT.mkdir(parents=True)
    rest = {published(n): v.half().contiguous() for n, v in state.items() if n not in linears}
    save_file(rest, OUT / "common.safetensors", metadata={"format": "pt"})
    for kind in GROUPS:
        folder = OUT / kind
        folder.mkdir()
        tensors, golden = {}, {}
        for i, name in enumerate(linears):
            module = published(name).removesuffix(".weight")
            layer, whole = packed_layer(kind, state[name], 100 + i)
            tensors |= {f"{module}.{part}": value for part, value in layer.items()}
            if kind != "awq" and f"{module}.bias" not in rest:
                tensors[f"{module}.bias"] = torch.zeros(len(whole), dtype=torch.float16)
            golden[f"{module}.weight"] = whole
            with torch.no_grad():
                dict(model.named_parameters())[name].copy_(whole)
        save_file(tensors, folder / "model-00002-of-00002.safetensors", metadata={"format": "pt"})
        where = {n: "model-00001-of-00002.safetensors" for n in rest} | {n: "model-00002-of-00002.safetensors" for n in tensors}
        (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": where}, indent=1) + "\n")
        (folder / "config.json").write_text(json.dumps(config(kind, text, vision, named), indent=2) + "\n")
        r, cases = Unpacked(model), []
        # One layer is kept whole, all by the hashes of their elements.
        kept = {n: v for n, v in golden.items() if n.endswith("layers.1.self_attn.k_proj.weight")}
        for i, messages in enumerate(CASES):
            c = r.conversation(messages)
            c["features"] = {n: r.features(*r.pixels(n)) for n in c["pixels"]}
            kept[f"logits.{i}"] = r.logits(c).contiguous()
            cases.append({"messages": messages, "ids": c["ids"].tolist()})
        save_file(kept, folder / "golden.safetensors")
        value = {"transformers": transformers.__version__, "torch": torch.__version__, "cases": cases, "layers": {n: hashlib.sha256(v.numpy().tobytes()).hexdigest() for n, v in golden.items()},
                 "videos": {n: {"frames": v[0], "fps": v[3]} for n, v in qwen.VIDEOS.items()}}  # fmt: skip
        (folder / "golden.json").write_text(json.dumps(value, ensure_ascii=False) + "\n")
        zeros = [unpack(v, ORDER) if kind == "awq" else (unpack(v, list(range(8))) + 1) & 15 for n, v in tensors.items() if n.endswith("qzeros")]
        print(kind, "zero points", min(int(z.min()) for z in zeros), "to", max(int(z.max()) for z in zeros))
    print(sum(f.stat().st_size for f in OUT.rglob("*") if f.is_file()) // 1000, "kB")


if __name__ == "__main__":
    main()
