"""What the training scripts share: steps that can be interrupted, and an average of the weights."""

from __future__ import annotations

import math
import os
import time
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from torch import nn


class Average:
    """Moving average of parameters."""

    def __init__(self, parameters, most: float):
        self.parameters = list(parameters)
        self.values = [p.detach().clone() for p in self.parameters]
        self.most, self.count = most, 0

    @torch.no_grad()
    def update(self):
        self.count += 1
        torch._foreach_lerp_(
            self.values, [p.detach() for p in self.parameters], 1 - min(self.most, (1 + self.count) / (10 + self.count))
        )

    @torch.no_grad()
    def take(self):
        for p, value in zip(self.parameters, self.values):
            p.copy_(value)


def average_gradients(parameters, ranks: int) -> None:
    """All processes get the mean of their gradients."""
    gradients = [p.grad for p in parameters if p.grad is not None]
    flat = torch.cat([g.reshape(-1) for g in gradients])
    dist.all_reduce(flat)
    flat /= ranks
    for gradient, part in zip(gradients, flat.split([g.numel() for g in gradients])):
        gradient.copy_(part.view_as(gradient))


def fit(seed, name, work: Path, parameters, steps, peak, loss, average=0.998, warm=0.02, end=0.02, decay=0.0):
    """Runs ``steps`` optimizer steps of ``loss(rng, step)``; saves its state every minute, resumes from it.

    Under torchrun every process draws batches of its own, and the gradients are averaged.
    """
    rank, ranks = (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)
    parameters = list(parameters)
    optimizer = torch.optim.AdamW(parameters, peak, betas=(0.9, 0.99), weight_decay=decay, fused=True)
    ema = Average(parameters, average)
    state, first = work / f"{name}.state", 0
    if state.exists():
        saved = torch.load(state, weights_only=True)
        first = saved["step"]
        with torch.no_grad():
            for p, value in zip(parameters, saved["parameters"]):
                p.copy_(value)
        optimizer.load_state_dict(saved["optimizer"])
        ema.values, ema.count = saved["average"], first
    seen, spoken = [], time.time()
    for step in range(first, steps):
        f = step / steps
        rate = peak * (f / warm if f < warm else end + (1 - end) * 0.5 * (1 + math.cos(math.pi * (f - warm) / (1 - warm))))
        for group in optimizer.param_groups:
            group["lr"] = rate
        torch.manual_seed(seed * 1_000_003 + step)
        value = loss(np.random.default_rng([seed, len(name), step, *([rank] if rank else [])]), step)
        optimizer.zero_grad()
        value.backward()
        if ranks > 1:
            average_gradients(parameters, ranks)
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        ema.update()
        seen.append(value.item())
        if rank == 0 and (time.time() - spoken > 60 or step == steps - 1):
            spoken = time.time()
            print(f"{name} {step + 1}/{steps} loss {np.mean(seen):.4f}", flush=True)
            seen = []
            temporary = state.with_suffix(".tmp")
            torch.save(
                {
                    "step": step + 1,
                    "parameters": [p.detach() for p in parameters],
                    "optimizer": optimizer.state_dict(),
                    "average": ema.values,
                },
                temporary,
            )
            os.replace(temporary, state)
    ema.take()
