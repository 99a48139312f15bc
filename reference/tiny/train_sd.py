"""Trains tiny-sd from scratch on one or two CPU cores: a Stable Diffusion pipeline in diffusers' layout.

    python train_sd.py --out ../../lmm-tiny/models/tiny-sd --work ../work/sd

Stages: pictures, vocabulary, text tower (what a caption names), autoencoder, latents, UNet, decoder.
Each stage that is complete is skipped and an interrupted one goes on from its last saved state; all
randomness comes from the stage, the step and a seed.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL, DDIMScheduler, PNDMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

import vocabularies
import world
from models import write_sums
from training import fit

SIZE = 64
POSITIONS = 77
SEED = 11
HELD_BACK = 256  # the last pictures are for validation only
CLASSES = [5, 9, 7, 9, 9, 9, 7]  # count, colour, shape, place, background, colour2, shape2; 0 = not named


def random_scene(rng: np.random.Generator) -> world.Scene:
    """One shape or a pair; several equal shapes are left to larger models."""
    while True:
        scene = world.random_scene(rng)
        if scene.count in (1, world.PAIR):
            return scene


class Pool:
    """Drawn pictures and their scenes."""

    def __init__(self, work: Path, count: int):
        self.pictures_file, self.scenes_file = work / "pictures.npy", work / "scenes.npy"
        if not self.scenes_file.exists():
            pictures = np.lib.format.open_memmap(self.pictures_file, "w+", np.uint8, (count, SIZE, SIZE, 3))
            scenes = np.empty((count, 7), np.int8)
            for i in range(count):
                rng = np.random.default_rng([SEED, 0, i])
                scene = random_scene(rng)
                pictures[i] = np.asarray(world.draw(rng, scene, SIZE, SIZE, noise=0.0)[0])
                scenes[i] = scene.attributes()
            pictures.flush()
            np.save(self.scenes_file, scenes)
        self.pictures = np.load(self.pictures_file, mmap_mode="r")
        self.scenes = np.load(self.scenes_file)
        self.trained_on = len(self.scenes) - HELD_BACK

    def batch(self, indices) -> torch.Tensor:
        x = torch.from_numpy(self.pictures[np.sort(indices)].astype(np.float32)).permute(0, 3, 1, 2)
        return (x / 127.5 - 1).contiguous(memory_format=torch.channels_last)

    def scene(self, i: int) -> world.Scene:
        return world.Scene(*(int(a) for a in self.scenes[i]))


# ------------------------------------------------------------------------------------------- text


class Captions:
    """Captions of scenes as ids; each is tokenized once."""

    def __init__(self, tokenizer: CLIPTokenizer):
        self.tokenizer, self.known = tokenizer, {}

    def ids(self, texts: list[str]) -> torch.Tensor:
        for text in texts:
            if text not in self.known:
                encoded = self.tokenizer(text, padding="max_length", max_length=POSITIONS, truncation=True)
                self.known[text] = torch.tensor(encoded["input_ids"])
        return torch.stack([self.known[t] for t in texts])


def new_text(tokenizer: CLIPTokenizer) -> CLIPTextModel:
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=64,
            intermediate_size=256,
            projection_dim=64,
            num_hidden_layers=2,
            num_attention_heads=4,
            max_position_embeddings=POSITIONS,
            hidden_act="quick_gelu",
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.eos_token_id,
        )
    )


def train_text(work: Path, pool: Pool, captions: Captions, steps: int) -> CLIPTextModel:
    """The end token and every padding after it must tell what the caption names: then the tower is frozen."""
    folder = work / "text"
    if folder.exists():
        return CLIPTextModel.from_pretrained(folder)
    torch.manual_seed(SEED)
    text = new_text(captions.tokenizer).train()
    head = nn.Linear(64, sum(CLASSES))
    right = []

    def loss(rng, step):
        lines, wanted = [], []
        for _ in range(64):
            scene = random_scene(rng)
            caption = world.caption(rng, scene, "en" if rng.random() < 0.5 else "ko", full=rng.random() < 0.5)
            lines.append(caption.text)
            named = [a + 1 if n and a >= 0 else 0 for a, n in zip(scene.attributes(), caption.named)]
            named[0] = scene.count
            wanted.append(named)
        ids, wanted = captions.ids(lines), torch.tensor(wanted)
        # A fifth of the steps with all of the padding; the first tokens alone cost a third as much.
        length = POSITIONS if step % 5 == 0 else 26
        ids = ids[:, :length]
        hidden = text(input_ids=ids)[0]
        first_end = (ids == captions.tokenizer.eos_token_id).int().argmax(1)
        place = first_end + (torch.rand(len(ids)) * (length - first_end)).long()
        scores = head(hidden[torch.arange(len(ids)), place]).split(CLASSES, 1)
        right.append(torch.stack([s.argmax(1) == wanted[:, i] for i, s in enumerate(scores)]).all(0).float().mean())
        return sum(F.cross_entropy(s, wanted[:, i]) for i, s in enumerate(scores))

    fit(SEED, "text", work, [*text.parameters(), *head.parameters()], steps, 3e-3, loss, warm=0.05, decay=0.01)
    print(f"text: all attributes of {100 * float(torch.stack(right[-50:]).mean()):.1f} % of the last captions", flush=True)
    text.save_pretrained(folder)
    return text


# ------------------------------------------------------------------------------------ autoencoder


def new_autoencoder() -> AutoencoderKL:
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(8, 16, 32, 64),
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=4,
        sample_size=SIZE,
    )


@torch.no_grad()
def psnr(autoencoder: AutoencoderKL, pool: Pool) -> float:
    errors = []
    for i in range(pool.trained_on, pool.trained_on + HELD_BACK, 64):
        x = pool.batch(np.arange(i, i + 64))
        y = autoencoder.decode(autoencoder.encode(x).latent_dist.mode()).sample.clamp(-1, 1)
        errors.append(((x - y) / 2).pow(2).flatten(1).mean(1))
    return float((-10 * torch.cat(errors).log10()).mean())


def train_autoencoder(work: Path, pool: Pool, crops: int, wholes: int) -> AutoencoderKL:
    """On crops of a quarter first: four times the steps for the same work."""
    folder = work / "autoencoder"
    if folder.exists():
        return AutoencoderKL.from_pretrained(folder)
    torch.manual_seed(SEED)
    autoencoder = new_autoencoder().to(memory_format=torch.channels_last).train()
    with torch.no_grad():  # the posterior starts narrow
        autoencoder.quant_conv.bias[4:] = -5
        autoencoder.quant_conv.weight[4:] *= 0.1

    def loss(rng, step):
        x = pool.batch(rng.integers(0, pool.trained_on, 8))
        if step < crops:
            top, left = np.clip(rng.normal(16, 9, 2), 0, 32).astype(int)
            x = x[:, :, top : top + 32, left : left + 32].contiguous(memory_format=torch.channels_last)
        posterior = autoencoder.encode(x).latent_dist
        d = autoencoder.decode(posterior.sample()).sample - x
        divergence = 0.5 * (posterior.mean.pow(2) + posterior.var - 1 - posterior.logvar).mean()
        return d.pow(2).mean() + 0.1 * d.abs().mean() + 1e-4 * divergence

    fit(SEED, "autoencoder", work, autoencoder.parameters(), crops + wholes, 2e-3, loss, decay=1e-4)
    print(f"autoencoder: {psnr(autoencoder, pool):.2f} dB", flush=True)
    autoencoder.save_pretrained(folder)
    return autoencoder


@torch.no_grad()
def latents(work: Path, pool: Pool, autoencoder: AutoencoderKL) -> dict[str, torch.Tensor]:
    """Means and deviations of the pictures' latents, and the factor that makes them of unit size."""
    file = work / "latents.pt"
    if not file.exists():
        moments = [
            autoencoder.quant_conv(autoencoder.encoder(pool.batch(np.arange(i, min(i + 64, pool.trained_on)))))
            for i in range(0, pool.trained_on, 64)
        ]
        moments = torch.cat([m.contiguous() for m in moments])
        mean = moments[:, :4].clone()
        torch.save({"mean": mean, "std": (0.5 * moments[:, 4:].clamp(-30, 20)).exp(), "factor": 1 / mean.std()}, file)
    return torch.load(file, weights_only=True)


def train_decoder(work: Path, pool: Pool, autoencoder: AutoencoderKL, known, steps: int) -> None:
    """The decoder alone, on latents noisier than the encoder's: what the UNet writes is not exact either."""
    file = work / "decoder"
    parameters = [*autoencoder.decoder.parameters(), *autoencoder.post_quant_conv.parameters()]
    autoencoder.to(memory_format=torch.channels_last).train()

    def loss(rng, step):
        i = np.sort(rng.integers(0, len(known["mean"]), 8))
        spread = known["std"][i] + 0.2 * torch.rand(8, 1, 1, 1)
        z = (known["mean"][i] + spread * torch.randn(8, 4, 8, 8)).contiguous(memory_format=torch.channels_last)
        d = autoencoder.decode(z).sample - pool.batch(i)
        return d.pow(2).mean() + 0.2 * d.abs().mean()

    if file.exists():
        autoencoder.load_state_dict(AutoencoderKL.from_pretrained(file).state_dict())
        return
    fit(SEED, "decoder", work, parameters, steps, 1e-3, loss, warm=0.05)
    print(f"decoder: {psnr(autoencoder, pool):.2f} dB", flush=True)
    autoencoder.save_pretrained(file)


# ------------------------------------------------------------------------------------------- UNet


def new_unet() -> UNet2DConditionModel:
    """Stable Diffusion's order of blocks: attention to the text everywhere but in the lowest."""
    return UNet2DConditionModel(
        sample_size=SIZE // 8,
        layers_per_block=1,
        block_out_channels=(64, 96),
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        norm_num_groups=8,
        cross_attention_dim=64,
        attention_head_dim=4,
    )


NOISE = {
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "steps_offset": 1,
    "set_alpha_to_one": False,
}


def train_unet(work: Path, pool: Pool, captions: Captions, text: CLIPTextModel, known, steps: int) -> UNet2DConditionModel:
    folder = work / "unet"
    if folder.exists():
        return UNet2DConditionModel.from_pretrained(folder)
    torch.manual_seed(SEED)
    unet = new_unet().to(memory_format=torch.channels_last).train()
    text.eval().requires_grad_(False)
    kept = DDIMScheduler(**NOISE).alphas_cumprod
    ratio = kept / (1 - kept)
    weight = ratio.clamp(max=5.0) / ratio  # min-SNR
    size = 32

    def loss(rng, step):
        chosen = rng.integers(0, len(known["mean"]), size)
        lines = [
            ""
            if rng.random() < 0.1
            else world.caption(rng, pool.scene(i), "en" if rng.random() < 0.5 else "ko", full=rng.random() < 0.6).text
            for i in chosen
        ]
        clean = (known["mean"][chosen] + known["std"][chosen] * torch.randn(size, 4, 8, 8)) * known["factor"]
        t = ((torch.arange(size) + torch.rand(size)) / size * 1000).long().clamp(max=999)
        noise = torch.randn_like(clean)
        a = kept[t].view(-1, 1, 1, 1)
        noisy = (a.sqrt() * clean + (1 - a).sqrt() * noise).contiguous(memory_format=torch.channels_last)
        with torch.no_grad():
            context = text(input_ids=captions.ids(lines))[0]
        error = (unet(noisy, t, context).sample - noise).pow(2).mean((1, 2, 3))
        return (error * weight[t]).mean()

    fit(SEED, "unet", work, unet.parameters(), steps, 1.5e-3, loss, average=0.999, decay=0.01)
    unet.save_pretrained(folder)
    return unet


# ------------------------------------------------------------------------------------------- all


def save(folder: Path, tokenizer_folder: Path, autoencoder, text, unet) -> None:
    """As diffusers publishes: fp16, one folder a part; the tokenizer in CLIP's own form."""
    pipe = StableDiffusionPipeline(
        vae=autoencoder,
        text_encoder=text,
        tokenizer=CLIPTokenizer.from_pretrained(tokenizer_folder),
        unet=unet,
        scheduler=PNDMScheduler(**NOISE, skip_prk_steps=True),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).to(dtype=torch.float16)
    pipe.save_pretrained(folder, safe_serialization=True)
    # As Stable Diffusion's file has it: read by the schedulers that would otherwise clip latents to 1.
    file = folder / "scheduler" / "scheduler_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "clip_sample": False}, indent=2) + "\n")
    for part in ("unet", "vae"):  # where the training kept them
        file = folder / part / "config.json"
        values = json.loads(file.read_text())
        values.pop("_name_or_path", None)
        file.write_text(json.dumps(values, indent=2, sort_keys=True) + "\n")
    shutil.rmtree(folder / "tokenizer")
    shutil.copytree(tokenizer_folder, folder / "tokenizer")
    write_sums(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--pictures", type=int, default=20_000)
    parser.add_argument("--text-steps", type=int, default=1500)
    parser.add_argument("--crops", type=int, default=14_000)
    parser.add_argument("--wholes", type=int, default=3000)
    parser.add_argument("--unet-steps", type=int, default=8000)
    parser.add_argument("--decoder-steps", type=int, default=3000)
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    a.work.mkdir(parents=True, exist_ok=True)
    start = time.process_time()

    def spent(stage):
        print(f"{stage}: {(time.process_time() - start) / 60:.1f} CPU minutes since the start", flush=True)

    pool = Pool(a.work, a.pictures)
    spent("pictures")
    tokenizer_folder = a.work / "tokenizer"
    if not tokenizer_folder.exists():
        vocabularies.write_clip(tokenizer_folder, SEED)
    captions = Captions(CLIPTokenizer.from_pretrained(tokenizer_folder))
    autoencoder = train_autoencoder(a.work, pool, a.crops, a.wholes)
    spent("autoencoder")
    text = train_text(a.work, pool, captions, a.text_steps)
    spent("text")
    known = latents(a.work, pool, autoencoder)
    unet = train_unet(a.work, pool, captions, text, known, a.unet_steps)
    spent("UNet")
    train_decoder(a.work, pool, autoencoder, known, a.decoder_steps)
    spent("decoder")
    autoencoder.register_to_config(scaling_factor=float(known["factor"]))
    save(a.out, tokenizer_folder, autoencoder, text, unet)


if __name__ == "__main__":
    main()
