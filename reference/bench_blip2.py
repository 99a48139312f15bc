"""Times blip2-opt-2.7b's shapes, with random weights, beside transformers.

    python bench_blip2.py vision   --work DIR --classpath CP    # a picture to its queries' states, single precision
    python bench_blip2.py language --work DIR --classpath CP    # tokens written, greedy and by five beams, lmm in 4 bits

The class path is that of ``bench_clip.py``; the Java side is dev.lmm.bench.Blip2Peer, a child process. Every round does the
same work once in each, and medians are compared. ``vision`` has all 39 layers of the tower and 12 of the Q-Former and
one of OPT; ``language`` all 32 layers of OPT and one of the tower (random weights in single precision take 11 GB below
DIR while it runs). A token's time is the difference between writing 24 and 8, divided by 16, so that what comes before
is not in it.

Beside them: a large product of matrices in torch (the tower's measure), and reading memory by both threads (the measure of
decoding: all weights are read for each token). ``--torch`` also writes with transformers' OPT in single precision, which
takes 11 GB of memory. With ``--pause`` a line is awaited once everything is loaded, so that other programs can be stopped.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

import support

import torch
from transformers import Blip2Config, Blip2QFormerModel, Blip2VisionModel, OPTForCausalLM

import blip2_goldens
from bench_clip import Gemm

FILES = ("vocab.json", "merges.txt", "tokenizer_config.json", "generation_config.json", "preprocessor_config.json", "processor_config.json")
LONG, SHORT = 24, 8


def write_folder(folder: Path, part: str) -> Blip2Config:
    """blip2-opt-2.7b's config, one layer of what is not measured, and the tests' tokenizer."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in FILES:
        shutil.copy(blip2_goldens.OPT / file, folder)
    config = json.loads((blip2_goldens.OPT / "config.json").read_text(encoding="utf-8"))
    config["num_query_tokens"] = 32
    config["qformer_config"].update(
        encoder_hidden_size=1408, hidden_size=768, intermediate_size=3072, num_attention_heads=12, num_hidden_layers=12
    )
    config["vision_config"].update(
        hidden_size=1408,
        image_size=224,
        intermediate_size=6144,
        num_attention_heads=16,
        num_hidden_layers=39 if part == "vision" else 1,
    )
    config["text_config"].update(
        ffn_dim=10240,
        hidden_size=2560,
        max_position_embeddings=2048,
        num_attention_heads=32,
        num_hidden_layers=32 if part == "language" else 1,
        vocab_size=50304,
        word_embed_proj_dim=2560,
    )
    support.write_json(folder / "config.json", config)
    for name, change in (("preprocessor_config.json", {"size": {"height": 224, "width": 224}}), ("processor_config.json", {"num_query_tokens": 32})):
        support.write_json(folder / name, {**json.loads((folder / name).read_text(encoding="utf-8")), **change})
    return Blip2Config.from_pretrained(folder)


class Java:
    def __init__(self, folder: Path, classpath: str, threads: int, precision: str, block: int):
        temporary = folder / "tmp"
        temporary.mkdir(exist_ok=True)
        command = ["java", "-Xmx4g", f"-Djava.io.tmpdir={temporary}", f"-Dprecision={precision}", f"-Dblock={block}", "-cp", classpath]
        command += ["dev.lmm.bench.Blip2Peer", str(folder), str(threads)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("ready"):
            sys.exit("the Java side did not start: " + line)

    def run(self, what: str) -> float:
        self.process.stdin.write(what + "\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def memory(self) -> dict[str, int]:
        """Private memory now and the most that was resident, in MB."""
        found = {}
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(("RssAnon:", "VmHWM:")):
                found[line.split(":")[0]] = int(line.split()[1]) // 1024
        return found

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def filled(kind, config):
    """A model whose numbers are all alike: times do not depend on them."""
    with torch.device("meta"):
        model = kind(config)
    model = model.to_empty(device="cpu").eval().requires_grad_(False)
    for p in model.parameters():
        p.fill_(1 / 64)
    return model


class Vision:
    def __init__(self, config):
        self.tower, self.former = filled(Blip2VisionModel, config.vision_config), filled(Blip2QFormerModel, config.qformer_config)
        self.pixels = torch.randn(1, 3, 224, 224)
        self.queries = torch.randn(1, config.num_query_tokens, config.qformer_config.hidden_size)

    @torch.inference_mode()
    def run(self, what: str) -> float:
        begin = time.perf_counter()
        seen = self.tower(pixel_values=self.pixels).last_hidden_state
        self.former(query_embeds=self.queries, encoder_hidden_states=seen)
        return (time.perf_counter() - begin) * 1e3


class Language:
    def __init__(self, config):
        self.model = filled(OPTForCausalLM, config.text_config)
        self.given = torch.randn(1, config.num_query_tokens + 1, config.text_config.hidden_size)

    @torch.inference_mode()
    def run(self, what: str) -> float:
        kind, tokens = what.split()
        begin = time.perf_counter()
        self.model.generate(
            inputs_embeds=self.given,
            attention_mask=torch.ones(self.given.shape[:2], dtype=torch.long),
            max_new_tokens=int(tokens),
            min_new_tokens=int(tokens),
            num_beams=5 if kind == "beams" else 1,
            do_sample=False,
        )
        return (time.perf_counter() - begin) * 1e3


class Memory:
    """Bytes a second that both threads read, the best of several."""

    def __init__(self):
        self.numbers = torch.ones(1 << 28)  # 1 GiB
        self.rates = []

    def run(self):
        begin = time.perf_counter()
        self.numbers.sum()
        self.rates.append(self.numbers.numel() * 4 / (time.perf_counter() - begin) / 1e9)


def tower_gflop(config) -> float:
    """Multiplications and additions of a picture's way to the queries' states, in 1e9."""
    v, q = config.vision_config, config.qformer_config
    patches = (v.image_size // v.patch_size) ** 2
    n, w = patches + 1, v.hidden_size
    tower = v.num_hidden_layers * (n * (4 * w * w + 2 * w * v.intermediate_size) + 2 * n * n * w) + patches * 3 * v.patch_size**2 * w
    m, d = config.num_query_tokens, q.hidden_size
    own = m * (4 * d * d + 2 * d * q.intermediate_size) + 2 * m * m * d
    look = 2 * m * d * d + 2 * n * w * d + 2 * m * n * d
    return 2 * (tower + q.num_hidden_layers * own + q.num_hidden_layers // q.cross_attention_frequency * look) / 1e9


def read_bytes(config, block: int) -> int:
    """What one token reads of OPT: 4 bits and for each block a scale in single precision; the head in 8 bits."""
    t = config.text_config
    layers = t.num_hidden_layers * (4 * t.hidden_size**2 + 2 * t.hidden_size * t.ffn_dim)
    return int(layers * (0.5 + 4 / block) + t.vocab_size * t.hidden_size * (1 + 4 / block))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("vision", "language"))
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--classpath", required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--precision", default="int4", help="of OPT on the Java side")
    parser.add_argument("--block", type=int, default=32, help="weights that share a scale")
    parser.add_argument("--torch", action="store_true", help="OPT in transformers, too")
    parser.add_argument("--pause", action="store_true")
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    config = write_folder(a.work / a.part, a.part)
    peers = {"lmm": Java(a.work / a.part, a.classpath, a.threads, a.precision if a.part == "language" else "auto", a.block)}
    if a.part == "vision":
        peers["torch"] = Vision(config)
        measure, work = Gemm(torch, time.perf_counter), ["image"]
    else:
        if a.torch:
            peers["torch"] = Language(config)
        measure, work = Memory(), [f"{kind} {n}" for kind in ("greedy", "beams") for n in (SHORT, LONG)]
    print("loaded", {"private memory": peers["lmm"].memory()}, flush=True)
    if a.pause:
        input()
    times = {(name, what): [] for name in peers for what in work}
    for round_ in range(a.rounds + 1):
        for what in work:
            for name, peer in peers.items():
                taken = peer.run(what)
                if round_:
                    times[name, what].append(taken)
        measure.run()
    medians = {key: statistics.median(values) for key, values in times.items()}
    for key, values in times.items():
        print(*key, "median %.1f ms" % medians[key], "of", " ".join("%.0f" % v for v in values))
    rates = measure.rates
    if a.part == "vision":
        rate = tower_gflop(config) / medians["lmm", "image"] * 1e3
        print("%.0f GFLOP, lmm %.1f GFLOP/s; product in torch: median %.1f, best %.1f" % (tower_gflop(config), rate, statistics.median(rates), max(rates)))
        print("times torch: %.2f" % (medians["torch", "image"] / medians["lmm", "image"]))
    else:
        for name in peers:
            each = {k: (medians[name, f"{k} {LONG}"] - medians[name, f"{k} {SHORT}"]) / (LONG - SHORT) for k in ("greedy", "beams")}
            print(name, "a token: greedy %.1f ms, five beams %.1f ms, %.2f times" % (*each.values(), each["beams"] / each["greedy"]))
            if name == "lmm":
                read = read_bytes(config, a.block) / each["greedy"] / 1e6
                print("%.2f GB a token, %.1f GB/s; memory: median %.1f, best %.1f" % (read_bytes(config, a.block) / 1e9, read, statistics.median(rates), max(rates)))
    print({"private memory": peers["lmm"].memory()})
    peers["lmm"].close()


if __name__ == "__main__":
    main()
