"""Encodes with this library, torch and OpenVINO in turn, and compares the medians.

The Java side (dev.lmm.bench.ClipPeer) runs as a child process. Every round does the same work once
in each, so that all meet the same machine. With --cpu it compares processor time instead of elapsed
time (Linux; use --threads 1, for threads that wait by spinning count too), which says more where
other programs are running. Java's time includes preparing the picture and splitting
the text; the others are given tensors.

    mvn -q -pl lmm-bench -am package -DskipTests
    mvn -q -pl lmm-bench dependency:build-classpath -Dmdep.outputFile=target/classpath
    python reference/bench_clip.py FOLDER --classpath lmm-bench/target/classes:$(cat lmm-bench/target/classpath)

FOLDER holds openai/clip-vit-base-patch32, or the same with random weights (fullsize_clip.py).
"""

import argparse
import glob
import json
import os
import statistics
import subprocess
import sys
import time

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")


class Java:
    def __init__(self, folder, classpath, threads, mode, precision):
        started = time.perf_counter()
        command = ["java", "-Xmx1g", f"-Dprecision={precision}", "-cp", classpath, "dev.lmm.bench.ClipPeer", folder, str(threads)]
        self.process = subprocess.Popen(
            command + ([mode] if mode else []),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        line = self.process.stdout.readline()
        if not line.startswith("ready"):
            sys.exit("the Java side did not start: " + line)
        self.start_ms = (time.perf_counter() - started) * 1e3

    def run(self, kind, count):
        self.process.stdin.write(f"{kind} {count}\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def cpu_ms(self):
        total = 0
        for task in glob.glob(f"/proc/{self.process.pid}/task/*/schedstat"):
            with open(task) as schedstat:
                total += int(schedstat.read().split()[0])
        return total / 1e6

    def memory_mb(self):
        """Private memory: what is neither shared nor backed by a file."""
        total = 0
        with open(f"/proc/{self.process.pid}/smaps_rollup") as rollup:
            for line in rollup:
                if line.startswith("Anonymous:"):
                    total += int(line.split()[1])
        return total / 1024

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Python:
    def cpu_ms(self):
        return time.process_time() * 1e3


class Torch(Python):
    def __init__(self, folder, threads):
        import torch
        from transformers import CLIPModel

        torch.set_num_threads(threads)
        self.torch = torch
        self.model = CLIPModel.from_pretrained(folder, dtype=torch.float32)
        self.model.eval().requires_grad_(False)
        generator = torch.Generator().manual_seed(1)
        self.pixels = torch.randn(16, 3, 224, 224, generator=generator)
        ids = torch.randint(1000, 40000, (16, 77), generator=generator)
        ids[:, 0] = 49406
        ids[:, 76] = 49407
        self.ids = ids
        self.mask = torch.ones_like(ids)

    def run(self, kind, count):
        with self.torch.inference_mode():
            begin = time.perf_counter()
            if kind == "image":
                self.model.get_image_features(pixel_values=self.pixels[:count])
            else:
                self.model.get_text_features(
                    input_ids=self.ids[:count], attention_mask=self.mask[:count]
                )
            return (time.perf_counter() - begin) * 1e3


class OpenVino(Python):
    def __init__(self, peer, threads):
        import openvino as ov

        torch, model = peer.torch, peer.model

        class Image(torch.nn.Module):
            def forward(self, pixels):
                return model.visual_projection(model.vision_model(pixel_values=pixels)[1])

        class Text(torch.nn.Module):
            def forward(self, ids):
                return model.text_projection(model.text_model(input_ids=ids)[1])

        core = ov.Core()
        config = {
            "INFERENCE_NUM_THREADS": threads,
            "INFERENCE_PRECISION_HINT": "f32",
            "PERFORMANCE_HINT": "LATENCY",
        }
        self.data = {"image": peer.pixels, "text": peer.ids}
        self.compiled = {}
        with torch.inference_mode():
            for kind, module in (("image", Image()), ("text", Text())):
                for count in (1, 16):
                    part = self.data[kind][:count]
                    converted = ov.convert_model(
                        module, example_input=part, input=[list(part.shape)]
                    )
                    self.compiled[kind, count] = core.compile_model(converted, "CPU", config)

    def run(self, kind, count):
        part = self.data[kind][:count].numpy()
        begin = time.perf_counter()
        self.compiled[kind, count](part)
        return (time.perf_counter() - begin) * 1e3


class Gemm:
    """A large product in torch, the machine's measure: its rate varies with what else the host does."""

    def __init__(self, torch, clock):
        self.torch, self.clock = torch, clock
        self.a, self.b = torch.randn(1600, 3072), torch.randn(3072, 3072)
        self.rates = []
        for _ in range(12):
            self.run()
        self.best = max(self.rates)

    def run(self):
        """Appends the GFLOP/s of one product."""
        begin = self.clock()
        self.torch.mm(self.a, self.b)
        self.rates.append(2 * 1600 * 3072 * 3072 / (self.clock() - begin) / 1e9)


def image_gflop(config):
    """Multiplications and additions of an image tower whose last layer computes one row, in 1e9."""
    width, inner, layers = config.hidden_size, config.intermediate_size, config.num_hidden_layers
    tokens = (config.image_size // config.patch_size) ** 2 + 1
    full = tokens * (4 * width * width + 2 * width * inner) + 2 * tokens * tokens * width
    last = (2 * tokens + 2) * width * width + 2 * width * inner + 2 * tokens * width
    patches = (tokens - 1) * 3 * config.patch_size**2 * width
    return 2 * ((layers - 1) * full + last + patches + width * config.projection_dim) / 1e9


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--classpath", required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--mode", default="", help="mapped, or nothing")
    parser.add_argument("--precision", default="auto", help="of the Java side; torch stays in fp32")
    parser.add_argument("--cpu", action="store_true", help="compare processor time")
    parser.add_argument("--openvino", action="store_true")
    arguments = parser.parse_args()

    java = Java(arguments.folder, arguments.classpath, arguments.threads, arguments.mode, arguments.precision)
    peers = {"lmm": java}
    peers["torch"] = Torch(arguments.folder, arguments.threads)
    if arguments.openvino:
        peers["openvino"] = OpenVino(peers["torch"], arguments.threads)
    clock = time.process_time if arguments.cpu else time.perf_counter
    result = {
        "java start to first embedding ms": round(peers["lmm"].start_ms),
        "java private memory MB": round(peers["lmm"].memory_mb()),
    }
    gemm = Gemm(peers["torch"].torch, clock)
    result["best gemm GFLOP/s"] = round(gemm.best)
    for kind in ("image", "text"):
        for count in (1, 16):
            rounds = arguments.rounds if count == 1 else max(5, arguments.rounds // 5)
            times = {name: [] for name in peers}
            gemm.rates.clear()
            for round_ in range(rounds + 3):
                gemm.run()
                for name, peer in peers.items():
                    before = peer.cpu_ms()
                    taken = peer.run(kind, count)
                    if arguments.cpu:
                        taken = peer.cpu_ms() - before
                    if round_ >= 3:
                        times[name].append(taken)
            medians = {name: statistics.median(values) for name, values in times.items()}
            best = {name: min(values) for name, values in times.items()}
            line = {"median ms": {n: round(v, 1) for n, v in medians.items()}}
            line["best ms"] = {n: round(v, 1) for n, v in best.items()}
            for other in medians:
                if other != "lmm":
                    line["times " + other] = round(medians[other] / medians["lmm"], 2)
                    line["times " + other + ", best"] = round(best[other] / best["lmm"], 2)
            line["gemm GFLOP/s"] = round(statistics.median(gemm.rates), 1)
            if kind == "image":
                rate = count * image_gflop(peers["torch"].model.config.vision_config) / medians["lmm"] * 1e3
                line["lmm GFLOP/s"] = round(rate, 1)
            result[f"{kind} {count}"] = line
            print(kind, count, json.dumps(line), flush=True)
    print(json.dumps(result, indent=1))
    peers["lmm"].close()


if __name__ == "__main__":
    main()
