"""What torch's CPU generator draws for a few seeds: lmm-core's golden/random.json and random.safetensors.

Counts below 16 are drawn one by one, others in blocks of 16; several draws follow one another from one
generator, so that what it keeps between draws counts too.
"""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file

OUT = Path(__file__).parent.parent / "lmm-core/src/test/resources/golden"
SEEDS = [0, 1, 42, 2**31, 2**32 + 7, -3]
COUNTS = [16, 1, 3, 15, 17, 256, 1000, 5, 31, 2]


def main() -> None:
    tensors = {}
    for i, seed in enumerate(SEEDS):
        generator = torch.Generator("cpu").manual_seed(seed % 2**64)
        for j, count in enumerate(COUNTS):
            tensors[f"{i}.{j}"] = torch.randn(count, generator=generator)
        # Whole range of a 32-bit draw, as int64.
        integers = torch.Generator("cpu").manual_seed(seed % 2**64)
        tensors[f"{i}.bits"] = torch.randint(0, 2**32, (1300,), generator=integers)
        tensors[f"{i}.uniform"] = torch.rand(40, generator=torch.Generator("cpu").manual_seed(seed % 2**64))
    save_file(tensors, OUT / "random.safetensors")
    (OUT / "random.json").write_text(
        json.dumps({"torch": torch.__version__, "seeds": SEEDS, "counts": COUNTS}, indent=1) + "\n"
    )


if __name__ == "__main__":
    main()
