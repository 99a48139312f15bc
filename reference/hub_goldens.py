"""Writes the cache that the real huggingface_hub makes of a small repository, entry by entry.

  python reference/hub_goldens.py lmm-core/src/test/resources/hub/python_cache.tsv
  python reference/hub_goldens.py --check CACHE     reads a cache that this library wrote, offline

The repository is served from the loopback interface. Each line is kind, path, content: the content
of a file in base64, the target of a link as it stands. Made with huggingface_hub 2.4.0.
"""

import base64
import hashlib
import http.server
import json
import os
import random
import struct
import sys
import tempfile
import threading

COMMIT = "0123456789abcdef0123456789abcdef01234567"
REPO = "owner/name"


def weights():
    data = random.Random(5).randbytes(3000)
    header = json.dumps({"w": {"dtype": "U8", "shape": [3000], "data_offsets": [0, 3000]}}).encode()
    return struct.pack("<Q", len(header)) + header + data


# The same files, in the same order, as the hub's tests serve; those a load does not need included.
SMALL = {
    "config.json": b'{"model_type":"clip"}',
    "tokenizer.json": b"{}",
    "merges.txt": b"#version: 0.2\na b\n",
}
LARGE = {"model.safetensors": weights()}
FILES = {**SMALL, **LARGE}


def git(data):
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_HEAD(self):
        self.answer(False)

    def do_GET(self):
        self.answer(True)

    def send(self, data, headers, body):
        self.send_response(200)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if body:
            self.wfile.write(data)

    def answer(self, body):
        path = self.path.split("?")[0]
        if path.startswith(f"/api/models/{REPO}/tree/"):
            entries = []
            for name, data in sorted(FILES.items()):
                entry = {"type": "file", "path": name, "size": len(data), "oid": git(data)}
                if name in LARGE:
                    entry["lfs"] = {"oid": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 134}
                entries.append(entry)
            self.send(json.dumps(entries).encode(), {"Content-Type": "application/json"}, body)
        elif path.startswith("/api/models/"):
            info = {"_id": "1", "id": REPO, "sha": COMMIT, "siblings": [{"rfilename": n} for n in FILES]}
            self.send(json.dumps(info).encode(), {"Content-Type": "application/json"}, body)
        else:
            name = path.split("/", 5)[5]
            data = FILES[name]
            etag = hashlib.sha256(data).hexdigest() if name in LARGE else git(data)
            self.send(data, {"ETag": f'"{etag}"', "X-Repo-Commit": COMMIT}, body)


def check(cache):
    """Has the real client read a cache, offline."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["HF_HUB_CACHE"] = cache
    from huggingface_hub import get_cached_repo_tree, hf_hub_download, scan_cache_dir

    for name in SMALL | LARGE:
        print(name, os.path.getsize(hf_hub_download(REPO, name)))
    for entry in get_cached_repo_tree(REPO):
        print(entry.path, entry.size, entry.blob_id)
    report = scan_cache_dir(cache)
    print(report.repos, report.warnings)
    assert not report.warnings


def record(target):
    """The cache that the real client makes."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as cache:
        os.environ["HF_ENDPOINT"] = f"http://127.0.0.1:{server.server_port}"
        os.environ["HF_HUB_CACHE"] = cache
        os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
        import huggingface_hub

        huggingface_hub.snapshot_download(REPO)
        print("huggingface_hub", huggingface_hub.__version__)
        lines = []
        for folder, folders, files in os.walk(cache):
            for name in files:
                path = os.path.join(folder, name)
                shown = os.path.relpath(path, cache)
                if os.path.islink(path):
                    lines.append(f"link\t{shown}\t{os.readlink(path)}")
                else:
                    with open(path, "rb") as file:
                        lines.append(f"file\t{shown}\t{base64.b64encode(file.read()).decode()}")
        with open(target, "w") as out:
            out.write("\n".join(sorted(lines)) + "\n")


if __name__ == "__main__":
    check(sys.argv[2]) if sys.argv[1] == "--check" else record(sys.argv[1])
