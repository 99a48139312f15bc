"""Lets the real huggingface_hub and this library fetch one repository into one cache at the same time.

    python reference/hub_beside.py ./lmm pull owner/name

The command after the script is this library's; it finds the hub and the cache in the environment, as the Python
client does. A hub on the loopback interface sends each file slowly, and none before both have asked for the list.

- both at once: each blob is sent once, whichever of the two it is that fetches it, and both end well;
- one killed in the middle of the large file: the other, which waits for it, gets its lock, fetches the file and ends
  well; once for either.

Each time the hashes of all blobs are right, nothing but the killed one's partial file is left over, and the real
client reads the cache. Made with huggingface_hub 2.4.0 and filelock 4.3.1.
"""

import hashlib
import http.server
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time

import hub_goldens as repository

PIECES = 40  # of the large file, a twentieth of a second each; a victim gets no more than half of them
PYTHON = "import huggingface_hub; huggingface_hub.snapshot_download('owner/name')"


class Slow(repository.Handler):
    """Sends slowly, and counts who gets what."""

    def send(self, data, headers, body):
        hub = self.server
        who = "python" if "hf_hub" in self.headers.get("User-Agent", "") else "java"
        if "ETag" not in headers:
            with hub.changed:
                hub.asked.add(who)
                hub.changed.notify_all()
            return super().send(data, headers, body)
        if not body:
            return super().send(data, headers, body)
        with hub.changed:
            assert hub.changed.wait_for(lambda: len(hub.asked) == 2 or hub.lone, timeout=120), hub.asked
        name = self.path.split("?")[0].split("/", 5)[5]
        with hub.changed:
            hub.sent.append((name, who))
            hub.changed.notify_all()
        pieces = PIECES if name in repository.LARGE else 1
        self.send_response(200)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        size = -(-len(data) // pieces)
        try:
            for at in range(0, len(data), size):
                if who == hub.victim and name in repository.LARGE and at > len(data) // 2:
                    hub.killed.wait(120)
                self.wfile.write(data[at : at + size])
                self.wfile.flush()
                time.sleep(0.05)
        except OSError:
            pass  # the client was killed


def trial(command, victim):
    """Runs both; kills one (``python``, ``java``) while it gets the large file, or none."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    server.changed, server.asked, server.sent, server.lone = threading.Condition(), set(), [], False
    server.victim, server.killed = victim, threading.Event()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as cache, tempfile.TemporaryDirectory() as said:
        environment = os.environ | {
            "HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}",
            "HF_HUB_CACHE": cache,
            "HF_HUB_DISABLE_TELEMETRY": "1",
        }
        commands = {"python": [sys.executable, "-c", PYTHON], "java": command}
        started = list(commands)
        if victim:
            # The victim goes first, so that it is the one that has the lock.
            started = [victim, *(who for who in commands if who != victim)]
        running = {}
        for who in started:
            output = open(os.path.join(said, f"{who}.txt"), "w")
            running[who] = subprocess.Popen(
                commands[who], env=environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )
            if who == victim:
                server.lone = True
                large = next(iter(repository.LARGE))
                with server.changed:
                    assert server.changed.wait_for(lambda: (large, victim) in server.sent, timeout=120)
        if victim:
            with server.changed:
                assert server.changed.wait_for(lambda: len(server.asked) == 2, timeout=120)
            time.sleep(1)  # the other comes to its lock
            os.killpg(running[victim].pid, signal.SIGKILL)
            server.killed.set()
        for who, process in running.items():
            code = process.wait()
            text = pathlib.Path(said, f"{who}.txt").read_text()
            assert code == (-signal.SIGKILL if who == victim else 0), (who, code, text)
        blobs = pathlib.Path(cache, "models--owner--name", "blobs")
        left = []
        for blob in sorted(blobs.iterdir()):
            if blob.name.endswith(".incomplete"):
                left.append(blob.name)
                continue
            data = blob.read_bytes()
            found = hashlib.sha256(data).hexdigest() if len(blob.name) == 64 else repository.git(data)
            assert found == blob.name, f"{blob} has the hash {found}"
        assert len(left) <= (1 if victim else 0), left
        subprocess.run([sys.executable, repository.__file__, "--check", cache], check=True, stdout=subprocess.DEVNULL)
    server.shutdown()
    for name in repository.FILES:
        times = [who for sent, who in server.sent if sent == name]
        print(f"  {name}: sent to {', '.join(times)}")
        most = 2 if victim and name in repository.LARGE else 1
        assert len(times) == most, f"{name} was sent {len(times)} times"


def main():
    repository.LARGE["model.safetensors"] += random.Random(6).randbytes(4_000_000)
    repository.FILES["model.safetensors"] = repository.LARGE["model.safetensors"]
    for victim in (None, "python", "java"):
        print("both at once" if victim is None else f"{victim} is killed")
        trial(sys.argv[1:], victim)


if __name__ == "__main__":
    main()
