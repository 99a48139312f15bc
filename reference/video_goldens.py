"""Small video files of many kinds, and what PyAV reads out of them.

    python video_goldens.py

Writes lmm-video/src/test/resources/golden: the files, and golden.json with, for each, what a player is told of it and the
SHA-256 of each frame's RGB as ``frame.to_ndarray(format="rgb24")`` gives it, turned upright. Writes animated GIFs and what
Pillow reads out of them to lmm-core/src/test/resources/golden/gifs, and the frames that Qwen's own utilities choose to
lmm-api/src/test/resources/golden/frame-rule.json, the sizes they resize frames to to
lmm-qwenvl/src/test/resources/golden/video-sizes.json: both from the rules they publish.

The encoders are ones that FFmpeg's LGPL builds have too: mpeg4, mjpeg, ffv1, libvpx. PyAV has no other of H.264 than x264, which is
under the GPL, so h264.mp4 is not made here: it is what ``Video.save`` wrote of 24 such frames, by OpenH264.
"""

from __future__ import annotations

import hashlib
import json
import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image, ImageDraw, ImageSequence

ROOT = Path(__file__).parent.parent
OUT = ROOT / "lmm-video/src/test/resources/golden"
GIFS = ROOT / "lmm-core/src/test/resources/golden/gifs"


def scene(i: int, width: int, height: int) -> np.ndarray:
    """A red disc moving over a gradient, and the frame's number in bars."""
    picture = Image.new("RGB", (width, height))
    y, x = np.mgrid[0:height, 0:width]
    picture = Image.fromarray(np.stack([x * 255 // width, y * 255 // height, np.full_like(x, 90)], -1).astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    left = i * (width - 14) // 24 % (width - 14)
    draw.ellipse([left, 6, left + 12, 18], fill=(230, 30, 40))
    for bit in range(6):
        draw.rectangle([4 + 6 * bit, height - 10, 8 + 6 * bit, height - 5], fill=(255,) * 3 if i >> bit & 1 else (0,) * 3)
    return np.asarray(picture)


def write(name: str, codec: str, *, size=(64, 48), count=24, times=None, pix_fmt="yuv420p", gop=8, options=None,
          b_frames=0, container_options=None, tags=None, rate=12, base=600) -> Path:
    path = OUT / name
    with av.open(str(path), "w", options=container_options or {}) as container:
        stream = container.add_stream(codec, rate=rate, options=options or {})
        stream.width, stream.height, stream.pix_fmt = *size, pix_fmt
        stream.codec_context.gop_size = gop
        stream.codec_context.bit_rate = 60_000
        stream.codec_context.time_base = Fraction(1, base)
        if b_frames:
            stream.codec_context.max_b_frames = b_frames
        for key, value in (tags or {}).items():
            setattr(stream.codec_context, key, value)
        for i in range(count):
            frame = av.VideoFrame.from_ndarray(scene(i, *size), format="rgb24")
            frame = frame.reformat(format=pix_fmt)
            frame.time_base = Fraction(1, base)
            frame.pts = (times[i] if times else i * base // rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def turned(name: str, source: Path, matrix: tuple[int, int, int, int]) -> None:
    """A copy whose track header has another matrix: a, b, c, d."""
    data = bytearray(source.read_bytes())
    at = data.index(b"tkhd") + 4
    assert data[at] == 0
    place = at + 4 + 4 + 4 + 4 + 4 + 4 + 8 + 2 + 2 + 2 + 2
    a, b, c, d = (v << 16 for v in matrix)
    width, height = struct.unpack(">II", data[place + 36:place + 44])
    x = width if -1 in (matrix[0], matrix[2]) else 0
    y = height if -1 in (matrix[1], matrix[3]) else 0
    data[place:place + 36] = struct.pack(">9i", a, b, 0, c, d, 0, x, y, 1 << 30)
    (OUT / name).write_bytes(data)


def two_streams(name: str) -> None:
    """A small picture first, the large one second."""
    with av.open(str(OUT / name), "w") as container:
        streams = []
        for width, height in [(32, 24), (64, 48)]:
            stream = container.add_stream("mpeg4", rate=12)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            stream.codec_context.bit_rate = 60_000 if width == 64 else 20_000
            streams.append(stream)
        for i in range(8):
            for stream in streams:
                frame = av.VideoFrame.from_ndarray(scene(i, stream.width, stream.height), format="rgb24")
                frame.pts, frame.time_base = i, Fraction(1, 12)
                container.mux(stream.encode(frame))
        for stream in streams:
            container.mux(stream.encode())


def sound(name: str) -> None:
    with av.open(str(OUT / name), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        for i in range(4):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = 8000, i * 1024, Fraction(1, 8000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def upright(pixels: np.ndarray, matrix: tuple[int, int, int, int] | None) -> np.ndarray:
    if matrix is None:
        return pixels
    turns = {(0, 1, -1, 0): np.rot90(pixels, -1), (-1, 0, 0, -1): np.rot90(pixels, 2), (0, -1, 1, 0): np.rot90(pixels, 1),
             (-1, 0, 0, 1): pixels[:, ::-1], (1, 0, 0, -1): pixels[::-1],
             (0, 1, 1, 0): np.transpose(pixels, (1, 0, 2))}
    return np.ascontiguousarray(turns[matrix])


def sha(pixels: np.ndarray) -> str:
    return hashlib.sha256(pixels.tobytes()).hexdigest()


def read(path: Path, matrix=None) -> dict:
    with av.open(str(path)) as container:
        stream = container.streams.best("video")
        rate = float(stream.average_rate)
        frames, seconds = [], []
        for frame in container.decode(stream):
            pixels = upright(frame.to_ndarray(format="rgb24"), matrix)
            frames.append(pixels)
            seconds.append(frame.time)
    seconds = [s - seconds[0] for s in seconds]
    return {"width": frames[0].shape[1], "height": frames[0].shape[0], "rate": rate, "seconds": seconds,
            "sha256": [sha(f) for f in frames]}


def gifs() -> dict:
    GIFS.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(3)
    plain = [Image.fromarray(scene(i, 40, 30)).quantize(32) for i in range(6)]
    plain[0].save(GIFS / "plain.gif", save_all=True, append_images=plain[1:], duration=[40, 100, 70, 0, 200, 100], loop=0)
    for disposal in (1, 2, 3):
        frames = []
        for i in range(6):
            picture = Image.new("RGBA", (40, 30), (0, 0, 0, 0))
            draw = ImageDraw.Draw(picture)
            if i == 0:
                draw.rectangle([0, 0, 39, 29], fill=(20, 90, 200, 255))
            draw.ellipse([3 + 4 * i, 5 + 2 * i, 14 + 4 * i, 15 + 2 * i], fill=tuple(int(v) for v in rng.integers(0, 256, 3)) + (255,))
            frames.append(picture)
        frames[0].save(GIFS / f"disposal-{disposal}.gif", save_all=True, append_images=frames[1:], duration=80, disposal=disposal,
                       optimize=False)
    golden = {}
    for path in sorted(GIFS.glob("*.gif")):
        with Image.open(path) as animation:
            frames, delays = [], []
            for frame in ImageSequence.Iterator(animation):
                frames.append(np.asarray(frame.convert("RGB")))
                delays.append(frame.info.get("duration", 100) or 100)
        golden[path.name] = {"width": frames[0].shape[1], "height": frames[0].shape[0], "delays": delays,
                             "sha256": [sha(f) for f in frames]}
    return golden


def smart_nframes(total: int, rate: float, fps: float, least: int, most: int, factor: int = 2) -> int:
    """qwen-vl-utils' rule, as published."""
    min_frames = -(-least // factor) * factor
    max_frames = min(most, total) // factor * factor
    count = min(min(max(total / rate * fps, min_frames), max_frames), total)
    return int(count // factor) * factor


def frame_rule() -> list:
    import torch

    cases = []
    for total, rate, fps, least, most in [(24, 12, 2, 4, 768), (30, 10, 2, 4, 768), (300, 29.97, 2, 4, 768), (7, 25, 2, 4, 768),
                                          (5, 1, 2, 4, 768), (90_000, 25, 2, 4, 768), (1000, 30, 1, 4, 768), (101, 24, 5, 3, 9),
                                          (2, 30, 2, 4, 768), (100, 30, 30, 4, 768), (4001, 23.976, 2.5, 4, 768)]:
        count = smart_nframes(total, rate, fps, least, most)
        indices = torch.linspace(0, total - 1, count).round().long().tolist()
        cases.append({"total": total, "rate": rate, "fps": fps, "min": least, "max": most, "indices": indices})
    return cases


def video_sizes() -> list:
    """What a frame is resized to when all share a total, as published; the model's own smart_resize after it."""
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import smart_resize

    cases = []
    for width, height, frames, total, least, most in [
            (1920, 1080, 8, 0, 0, 0), (1920, 1080, 400, 0, 0, 0), (1920, 1080, 768, 0, 0, 0), (320, 240, 16, 0, 0, 0),
            (64, 48, 4, 0, 0, 0), (640, 360, 100, 2_000_000, 0, 0), (640, 360, 10, 1_000_000, 3136, 0),
            (1280, 720, 6, 0, 0, 200_000), (1079, 1918, 31, 20_000_001, 0, 0)]:
        low = least or 128 * 28 * 28
        high = max(min(768 * 28 * 28, (total or 90_316_800) / frames * 2), int(low * 1.05))
        high = min(most, high) if most else high
        h, w = smart_resize(height, width, 28, low, high)
        cases.append([width, height, frames, total, least, most, w, h])
    return cases


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    irregular = [0, 20, 60, 70, 160, 200, 210, 400, 430, 520, 600, 640, 655, 700, 900, 910, 1000, 1100, 1105, 1300, 1310, 1500,
                 1600, 1810]
    front = {"movflags": "faststart"}
    write("b-frames.mp4", "mpeg4", b_frames=2, gop=9, container_options=front)
    write("b-frames.mkv", "mpeg4", b_frames=2, gop=9)
    write("b-frames.avi", "mpeg4", b_frames=2, gop=9, base=12)
    write("vfr.mp4", "mpeg4", b_frames=1, times=irregular)
    write("late.mp4", "mpeg4", times=[1200 + 50 * i for i in range(24)], container_options={"use_editlist": "0"})
    write("odd-vp9.webm", "libvpx-vp9", size=(51, 37), options={"deadline": "good", "cpu-used": "8"})
    write("hidden-vp8.webm", "libvpx", options={"auto-alt-ref": "1", "lag-in-frames": "12", "deadline": "good", "cpu-used": "4"})
    write("ten-bit.mkv", "ffv1", pix_fmt="yuv420p10le", count=3,
          tags={"color_primaries": 9, "color_trc": 16, "colorspace": 9})
    write("bt709.mp4", "mpeg4", count=8, tags={"colorspace": 1, "color_primaries": 1, "color_trc": 1, "color_range": 1})
    write("full-range.mkv", "mjpeg", count=4, pix_fmt="yuvj420p", tags={"color_range": 2})
    two_streams("two-streams.mp4")
    sound("sound.m4a")
    matrices = {"turned-90.mp4": (0, 1, -1, 0), "turned-180.mp4": (-1, 0, 0, -1), "turned-270.mp4": (0, -1, 1, 0),
                "mirrored.mp4": (-1, 0, 0, 1), "transposed.mp4": (0, 1, 1, 0)}
    small = write("turned.mp4", "mpeg4", count=3, container_options=front)
    for name, matrix in matrices.items():
        turned(name, small, matrix)
    small.unlink()
    golden = {path.name: read(path, matrices.get(path.name)) for path in sorted(OUT.glob("*.*"))
              if path.name not in ("golden.json", "sound.m4a")}
    versions = {"av": av.__version__, "numpy": np.__version__}
    (OUT / "golden.json").write_text(json.dumps({"versions": versions, "files": golden}, indent=1) + "\n")
    (GIFS / "golden.json").write_text(json.dumps(gifs(), indent=1) + "\n")
    rules = ROOT / "lmm-api/src/test/resources/golden/frame-rule.json"
    rules.parent.mkdir(parents=True, exist_ok=True)
    rules.write_text(json.dumps(frame_rule()) + "\n")
    sizes = ROOT / "lmm-qwenvl/src/test/resources/golden/video-sizes.json"
    sizes.write_text(json.dumps({"cases": video_sizes()}) + "\n")


if __name__ == "__main__":
    main()
