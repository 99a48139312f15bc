"""A folder of JPEG photographs to embeddings: this library beside Pillow, transformers and torch.

Both sides read the files, prepare them (PIL backend) and embed them in batches of 16, in turn, on the
same cores; medians of the rounds are compared. The Java side (dev.lmm.bench.FilesPeer) is a child
process whose resident memory is read after each round.

    python reference/bench_files.py MODEL_FOLDER --photo A.png [--photo B.jpg] --work DIR \
        --classpath lmm-bench/target/classes:$(cat lmm-bench/target/classpath)
"""

import argparse
import statistics
import subprocess
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from transformers import AutoModel, CLIPImageProcessorPil


def photographs(folder: Path, sources: list[str], count: int, width: int, height: int) -> list[Path]:
    """Seeded crops of photographs, brought to about one size: all differ."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    pictures = [Image.open(s).convert("RGB") for s in sources]
    files = []
    for i in range(count):
        file = folder / f"{i:04}.jpg"
        picture = pictures[i % len(pictures)]
        w, h = picture.size
        box_w, box_h = int(w * rng.uniform(0.6, 1)), int(h * rng.uniform(0.6, 1))
        x, y = int(rng.integers(w - box_w + 1)), int(rng.integers(h - box_h + 1))
        if not file.exists():
            crop = picture.crop((x, y, x + box_w, y + box_h))
            crop.resize((width + int(rng.integers(-20, 21)), height + int(rng.integers(-20, 21)))).save(file, quality=90)
        files.append(file)
    return files


def python_run(model, processor, files: list[Path], batch: int) -> float:
    start = time.perf_counter()
    with torch.inference_mode():
        for i in range(0, len(files), batch):
            images = [Image.open(f).convert("RGB") for f in files[i : i + batch]]
            pixels = processor(images, return_tensors="pt")["pixel_values"]
            vectors = model.get_image_features(pixel_values=pixels).pooler_output
            vectors / vectors.norm(dim=-1, keepdim=True)
    return time.perf_counter() - start


def resident_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=Path)
    parser.add_argument("--photo", action="append", required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--classpath", required=True)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--width", type=int, default=640)
    parser.add_argument("--height", type=int, default=480)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--precision", default="auto", help="of the Java side; torch stays in fp32")
    args = parser.parse_args()

    torch.set_num_threads(args.threads)
    folder = args.work / f"{args.count}-{args.width}x{args.height}"
    files = photographs(folder, args.photo, args.count, args.width, args.height)
    model = AutoModel.from_pretrained(args.model, dtype=torch.float32).eval()
    processor = CLIPImageProcessorPil.from_pretrained(args.model)
    java = subprocess.Popen(
        ["java", "-Xmx1g", f"-Dprecision={args.precision}", "-cp", args.classpath, "dev.lmm.bench.FilesPeer"]
        + [str(args.model), str(folder), str(args.batch), str(args.threads)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert java.stdout.readline().strip() == "ready"
    times = {"java": [], "python": []}
    python_run(model, processor, files[: 2 * args.batch], args.batch)
    for _ in range(args.rounds):
        java.stdin.write("\n")
        java.stdin.flush()
        seconds, embedded = java.stdout.readline().split()
        assert int(embedded) == len(files), "a file was not read"
        times["java"].append(float(seconds))
        times["python"].append(python_run(model, processor, files, args.batch))
        print(
            f"java {times['java'][-1]:.2f} s (resident {resident_mb(java.pid):.0f} MB), python {times['python'][-1]:.2f} s",
            flush=True,
        )
    java.stdin.close()
    java.wait()
    j, p = (statistics.median(times[k]) for k in ("java", "python"))
    print(f"pictures a second: java {len(files) / j:.1f}, python {len(files) / p:.1f}, ratio {p / j:.2f}")


if __name__ == "__main__":
    main()
