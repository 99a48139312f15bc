"""Makes the goldens of reading, resizing, cropping and sizing pictures: Pillow's and transformers' results.

    python picture_goldens.py   # writes lmm-core/src/test/resources/golden/pictures

- ``made/``: small pictures in many formats and modes, written here;
- ``rgb.json``, ``rgb.safetensors``: for each file of ``files/`` and ``made/`` what ``exif_transpose`` and
  ``convert("RGB")`` give (alpha dropped): size and sha256 of the bytes row by row, the bytes themselves where
  they are few; or that Pillow refuses the file, and why;
- ``resize.json``, ``resize.safetensors``: Pillow's resize of 8-bit pictures, sources and results;
- ``crop.json``, ``crop.safetensors``: transformers' centre crop (which pads what is too small);
- ``cuts.json``: what Pillow makes of files that are cut;
- ``partial.json``: the same where Pillow is told to take what there is;
- ``composite.json``: hashes of what ``alpha_composite`` makes of every level with every alpha;
- ``sizes.json``: sizes after "shortest edge" and NaFlex resizing.
"""

from __future__ import annotations

import hashlib
import io
import shutil
import struct
import warnings
import zlib
from pathlib import Path

import support

import numpy as np
from PIL import Image, ImageCms, ImageFile, ImageOps, PngImagePlugin
from transformers.image_transforms import center_crop, get_resize_output_image_size
from transformers.image_utils import ChannelDimension
from transformers.models.siglip2.image_processing_pil_siglip2 import get_image_size_for_max_num_patches

FOLDER = support.CORE_GOLDEN / "pictures"
MADE = FOLDER / "made"
SEED = 6
FILTERS = ["NEAREST", "BOX", "BILINEAR", "HAMMING", "BICUBIC", "LANCZOS"]
WHOLE = 30_000  # results up to this many bytes are stored whole, larger ones by their hash


def sha256(array: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def _png(
    width: int, height: int, depth: int, colour: int, rows: bytes, *chunks: tuple[bytes, bytes], interlaced: int = 0
) -> bytes:
    """A PNG from raw rows (each behind its filter byte), for kinds Pillow does not write."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced))
    middle = b"".join(chunk(*c) for c in chunks)
    return b"\x89PNG\r\n\x1a\n" + head + middle + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


def make_pictures() -> None:
    """Writes ``made/``: an asymmetric piece of a photograph in formats, modes and orientations."""
    if MADE.exists():
        shutil.rmtree(MADE)
    MADE.mkdir(parents=True)
    flower = support.open_rgb(support.PICTURES / "flower.webp")
    rgb = flower.crop((190, 90, 310, 180)).resize((40, 30), Image.LANCZOS)
    grey = rgb.convert("L")
    alpha = rgb.copy()
    alpha.putalpha(Image.linear_gradient("L").resize(rgb.size))
    rng = np.random.default_rng(SEED)

    def save(name: str, image: Image.Image, **options) -> None:
        image.save(MADE / name, **options)

    for sampling, label in ((0, "444"), (1, "422"), (2, "420")):
        save(f"jpeg-{label}.jpg", rgb, quality=90, subsampling=sampling)
        save(f"jpeg-{label}-odd-17x9.jpg", rgb.crop((3, 3, 20, 12)), quality=85, subsampling=sampling)
        save(f"jpeg-{label}-progressive.jpg", rgb, quality=80, subsampling=sampling, progressive=True)
    save("jpeg-rgb-not-ycc.jpg", rgb, quality=90, keep_rgb=True)
    save("jpeg-low-quality.jpg", rgb, quality=5)
    save("jpeg-restart-markers.jpg", rgb, quality=75, restart_marker_blocks=2)
    save("jpeg-grey.jpg", grey, quality=90)
    save("jpeg-cmyk.jpg", rgb.convert("CMYK"), quality=90)
    ink_pictures(rgb)
    save("jpeg-1x1.jpg", rgb.crop((5, 5, 6, 6)), quality=90)
    for orientation in range(0, 10):  # 0 and 9 mean nothing
        exif = Image.Exif()
        exif[0x0112] = orientation
        save(f"exif-{orientation}.jpg", rgb, quality=90, exif=exif)
    exif = Image.Exif()
    exif[0x0112] = 8
    save("exif-8.png", rgb, exif=exif)
    save("exif-8.webp", rgb, exif=exif, lossless=True)
    save("exif-8-in-jpeg-name.png", rgb, format="JPEG", exif=exif)

    save("png-rgb.png", rgb)
    save("png-rgba.png", alpha)
    save("png-grey.png", grey)
    save("png-grey-alpha.png", Image.merge("LA", (grey, alpha.getchannel("A"))))
    save("png-1-bit.png", grey.convert("1"))
    save("png-palette.png", rgb.quantize(30))
    save("png-palette-4-bit.png", rgb.quantize(11), bits=4)
    save("png-palette-2-bit.png", rgb.quantize(4), bits=2)
    save("png-palette-transparent.png", rgb.quantize(30), transparency=bytes(range(0, 240, 8)))
    save("png-rgb-transparent-colour.png", rgb, transparency=rgb.getpixel((4, 4)))
    save("png-grey-transparent-level.png", grey, transparency=grey.getpixel((4, 4)))
    wide = (np.asarray(grey, np.uint16) * 5).astype(np.uint16)  # some above 255, most levels below 1,280
    save("png-grey-16-bit.png", Image.fromarray(wide))
    levels = rng.integers(0, 65536, (7, 5, 3)).astype(">u2")
    rows = b"".join(b"\0" + r.tobytes() for r in levels)
    (MADE / "png-rgb-16-bit.png").write_bytes(_png(5, 7, 16, 2, rows))
    levels = rng.integers(0, 65536, (7, 5, 4)).astype(">u2")
    (MADE / "png-rgba-16-bit.png").write_bytes(_png(5, 7, 16, 6, b"".join(b"\0" + r.tobytes() for r in levels)))
    levels = rng.integers(0, 65536, (7, 5, 2)).astype(">u2")
    (MADE / "png-grey-alpha-16-bit.png").write_bytes(_png(5, 7, 16, 4, b"".join(b"\0" + r.tobytes() for r in levels)))
    for bits in (2, 4):
        packed = rng.integers(0, 256, (6, (13 * bits + 7) // 8)).astype(np.uint8)
        data = b"".join(b"\0" + r.tobytes() for r in packed)
        (MADE / f"png-grey-{bits}-bit.png").write_bytes(_png(13, 6, bits, 0, data))
    gamma = ((b"gAMA", struct.pack(">I", 100000)),)
    data = b"".join(b"\0" + r.tobytes() for r in np.asarray(rgb))
    (MADE / "png-rgb-gamma-1.png").write_bytes(_png(40, 30, 8, 2, data, *gamma))
    save("png-1x1.png", rgb.crop((5, 5, 6, 6)))
    note_pictures(data)
    depth_pictures(rgb, rng)
    later = [ImageOps.mirror(rgb), ImageOps.flip(rgb)]
    save("png-animated.png", rgb, save_all=True, append_images=later, duration=50)
    # The picture for readers that know no animations comes first, and is none of its frames.
    save("png-animated-default-apart.png", rgb, save_all=True, append_images=later, default_image=True)

    save("gif.gif", rgb.quantize(40))
    second = ImageOps.mirror(rgb).quantize(40)
    save("gif-animated.gif", rgb.quantize(40), save_all=True, append_images=[second], duration=50)
    save("gif-transparent.gif", rgb.quantize(40), transparency=3)
    save("bmp-24-bit.bmp", rgb)
    save("bmp-8-bit.bmp", rgb.quantize(40))
    save("bmp-grey.bmp", grey)
    save("bmp-1-bit.bmp", grey.convert("1"))
    save("bmp-32-bit.bmp", alpha)
    bmp_pictures(rgb)
    save("webp-lossless.webp", rgb, lossless=True)
    save("webp-lossy.webp", rgb, quality=70)
    save("webp-lossy-alpha.webp", alpha, quality=70)
    save("webp-lossless-alpha.webp", alpha, lossless=True, exact=True)
    save("webp-animated.webp", rgb, save_all=True, append_images=[ImageOps.mirror(rgb)], lossless=True)
    save("webp-in-jpeg-name.jpeg", rgb, format="WEBP", lossless=True)
    save("png-in-jpeg-name.jpg", rgb, format="PNG")
    tiff_pictures(rgb, grey, alpha, save)

    whole = (MADE / "jpeg-420.jpg").read_bytes()
    (MADE / "bad-jpeg-cut-in-half.jpg").write_bytes(whole[: len(whole) * 2 // 3])
    (MADE / "bad-jpeg-head-only.jpg").write_bytes(whole[:20])
    whole = (MADE / "png-rgb.png").read_bytes()
    (MADE / "bad-png-cut-in-half.png").write_bytes(whole[: len(whole) // 2])
    (MADE / "bad-png-wrong-sum.png").write_bytes(whole[:29] + b"\0\0\0\0" + whole[33:])
    (MADE / "bad-empty.png").write_bytes(b"")
    (MADE / "bad-text.jpg").write_text("This is no picture.\n", encoding="utf-8")
    (MADE / "bad-webp-cut.webp").write_bytes((MADE / "webp-lossy.webp").read_bytes()[:120])


def _tiff(
    bits: int, kind: int | None, samples: int, parts: list[bytes], order: str = "<", big: bool = False, **tags: int
) -> bytes:
    """A TIFF of 40 x 30 in strips or tiles, for kinds Pillow does not write."""
    numbers = {"compression": 259, "planes": 284, "fill": 266, "rows": 278, "tile_width": 322, "tile_height": 323}
    numbers |= {"orientation": 274, "format": 339}
    entries = {256: [40], 257: [30], 258: [bits] * samples, 259: [1], 277: [samples]}
    entries |= {} if kind is None else {262: [kind]}
    entries |= {numbers[name]: [value] for name, value in tags.items()}
    where, sizes = (324, 325) if "tile_width" in tags else (273, 279)
    entries |= {where: [0] * len(parts), sizes: [len(p) for p in parts]}

    def head() -> bytes:
        listed, more = b"", b""
        inside, offset, long = (8, "Q", 16) if big else (4, "I", 4)
        beside = (16 + 8 + 20 * len(entries) + 8) if big else (8 + 2 + 12 * len(entries) + 4)
        for tag, values in sorted(entries.items()):
            wide = tag in (where, sizes)
            packed = struct.pack(f"{order}{len(values)}{offset if wide else 'H'}", *values)
            listed += struct.pack(f"{order}HH{offset}", tag, long if wide else 3, len(values))
            short = len(packed) <= inside
            listed += packed.ljust(inside, b"\0") if short else struct.pack(f"{order}{offset}", beside + len(more))
            more += b"" if short else packed.ljust(len(packed) + len(packed) % 4, b"\0")
        start = b"II" if order == "<" else b"MM"
        if big:
            start += struct.pack(f"{order}HHHQQ", 43, 8, 0, 16, len(entries))
        else:
            start += struct.pack(f"{order}HIH", 42, 8, len(entries))
        return start + listed + bytes(inside) + more

    entries[where] = [len(head()) + sum(map(len, parts[:i])) for i in range(len(parts))]
    return head() + b"".join(parts)


def tiff_pictures(rgb: Image.Image, grey: Image.Image, alpha: Image.Image, save) -> None:
    """TIFF in the compressions and colours there are, with white as zero, in planes and in tiles."""
    save("tiff.tiff", rgb)
    for compression in ("tiff_lzw", "packbits", "jpeg", "zstd"):
        save(f"tiff-{compression.removeprefix('tiff_')}.tiff", rgb, compression=compression)
    save("tiff-deflate-predictor.tiff", rgb, compression="tiff_adobe_deflate", tiffinfo={317: 2})
    for compression in ("group3", "group4"):
        save(f"tiff-1-bit-{compression}.tiff", grey.convert("1"), compression=compression)
    save("tiff-grey.tiff", grey)
    save("tiff-grey-alpha.tiff", Image.merge("LA", (grey, alpha.getchannel("A"))))
    save("tiff-rgba.tiff", alpha)
    save("tiff-palette.tiff", rgb.quantize(30))
    save("tiff-cmyk.tiff", rgb.convert("CMYK"))
    save("tiff-ycbcr.tiff", rgb.convert("YCbCr"))
    profiles = [ImageCms.createProfile(name) for name in ("sRGB", "LAB")]
    save("tiff-lab.tiff", ImageCms.applyTransform(rgb, ImageCms.buildTransform(*profiles, "RGB", "LAB")))
    save("tiff-float.tiff", Image.fromarray(np.asarray(grey, np.float32)))
    save("tiff-pages.tiff", rgb, save_all=True, append_images=[ImageOps.mirror(rgb)])
    save("tiff-big.tiff", rgb, big_tiff=True)
    save("exif-6.tiff", rgb, tiffinfo={274: 6})

    pixels, light = np.asarray(rgb), np.asarray(grey)
    wide = pixels.astype(np.uint16) * 257 + np.arange(3, dtype=np.uint16)
    levels = (light.astype("<u2") * 3).tobytes()
    nibbles = ((light[:, ::2] & 0xF0) | (light[:, 1::2] >> 4)).tobytes()
    strips = [pixels[y : y + 7].tobytes() for y in range(0, 30, 7)]
    planes = [pixels[..., c].tobytes() for c in range(3)]
    padded = np.pad(pixels, ((0, 2), (0, 8), (0, 0)))
    tiles = [zlib.compress(padded[y : y + 16, x : x + 16].tobytes()) for y in (0, 16) for x in (0, 16, 32)]
    bits = np.packbits(light > 128, axis=1)
    floats = light.astype(np.float32) * 1.5 - 40.25  # beyond both ends
    floats[2, 3:8] = np.nan, np.inf, -np.inf, 254.99, -0.01
    wholes = (light.astype(np.int32) - 60) * 3
    wholes[4, 5:9] = 2**31 - 1, -(2**31), 255, 256
    twelve = np.repeat(light.astype(np.uint16) * 3, 1, axis=1).reshape(30, 20, 2)
    twelve = np.stack([twelve[..., 0] >> 4, (twelve[..., 0] & 15) << 4 | twelve[..., 1] >> 8, twelve[..., 1] & 255], -1)
    for name, data in {
        "tiff-strips": _tiff(8, 2, 3, strips, rows=7),
        "tiff-planes": _tiff(8, 2, 3, planes, planes=2),
        "tiff-tiles": _tiff(8, 2, 3, tiles, compression=8, tile_width=16, tile_height=16),
        "tiff-rgb-16-bit": _tiff(16, 2, 3, [wide.astype("<u2").tobytes()]),
        "tiff-rgb-16-bit-big-endian": _tiff(16, 2, 3, [wide.astype(">u2").tobytes()], order=">"),
        "tiff-grey-16-bit": _tiff(16, 1, 1, [levels]),
        "tiff-grey-4-bit": _tiff(4, 1, 1, [nibbles]),
        "tiff-white-is-zero": _tiff(8, 0, 1, [light.tobytes()]),
        "tiff-white-is-zero-deflate": _tiff(8, 0, 1, [zlib.compress(light.tobytes())], compression=8),
        "tiff-white-is-zero-16-bit": _tiff(16, 0, 1, [levels]),
        "tiff-white-is-zero-4-bit": _tiff(4, 0, 1, [nibbles]),
        "tiff-white-is-zero-1-bit": _tiff(1, 0, 1, [bits.tobytes()]),
        "tiff-kind-missing": _tiff(8, None, 1, [light.tobytes()]),
        "tiff-kind-missing-16-bit": _tiff(16, None, 1, [levels]),
        "tiff-kind-missing-4-bit": _tiff(4, None, 1, [nibbles]),
        "tiff-kind-missing-1-bit": _tiff(1, None, 1, [bits.tobytes()]),
        "tiff-bits-from-the-right": _tiff(1, 1, 1, [np.packbits(light > 128, axis=1, bitorder="little").tobytes()], fill=2),
        "tiff-float-beyond": _tiff(32, 1, 1, [floats.astype("<f4").tobytes()], format=3),
        "tiff-float-big-endian": _tiff(32, 1, 1, [floats.astype(">f4").tobytes()], order=">", format=3),
        "tiff-float-white-is-zero": _tiff(32, 0, 1, [floats.astype("<f4").tobytes()], format=3),
        "tiff-float-deflate": _tiff(32, 1, 1, [zlib.compress(floats.astype("<f4").tobytes())], compression=8, format=3),
        "tiff-grey-32-bit": _tiff(32, 1, 1, [wholes.astype("<i4").tobytes()]),
        "tiff-grey-32-bit-signed": _tiff(32, 1, 1, [wholes.astype("<i4").tobytes()], format=2),
        "tiff-grey-32-bit-signed-big-endian": _tiff(32, 1, 1, [wholes.astype(">i4").tobytes()], order=">", format=2),
        "tiff-grey-16-bit-signed": _tiff(16, 1, 1, [wholes.astype("<i2").tobytes()], format=2),
        "tiff-grey-16-bit-signed-big-endian": _tiff(16, 1, 1, [wholes.astype(">i2").tobytes()], order=">", format=2),
        "tiff-grey-8-bit-signed": _tiff(8, 1, 1, [light.tobytes()], format=2),
        "tiff-grey-12-bit": _tiff(12, 1, 1, [twelve.astype(np.uint8).tobytes()]),
        "tiff-big-strips": _tiff(8, 2, 3, strips, big=True, rows=7, orientation=3),
        "tiff-big-tiles-big-endian": _tiff(8, 2, 3, tiles, ">", True, compression=8, tile_width=16, tile_height=16),
        "tiff-big-rgb-16-bit": _tiff(16, 2, 3, [wide.astype("<u2").tobytes()], big=True),
        "tiff-big-float": _tiff(32, 1, 1, [floats.astype("<f4").tobytes()], big=True, format=3),
        "bad-tiff-grey-32-bit-big-endian": _tiff(32, 1, 1, [wholes.astype(">i4").tobytes()], order=">"),
        "bad-tiff-float-64-bit": _tiff(64, 1, 1, [floats.astype("<f8").tobytes()], format=3),
        "bad-tiff-float-rgb": _tiff(32, 2, 3, [pixels.astype("<f4").tobytes()], format=3),
        "bad-tiff-kind-missing-rgb": _tiff(8, None, 3, [pixels.tobytes()]),
        "bad-tiff-kind-unknown": _tiff(8, 7, 3, [pixels.tobytes()]),
        "bad-tiff-white-is-zero-alpha": _tiff(8, 0, 2, [pixels[..., :2].tobytes()]),
        "bad-tiff-lab-grey": _tiff(8, 8, 1, [light.tobytes()]),
    }.items():
        (MADE / f"{name}.tiff").write_bytes(data)


def bmp_pictures(rgb: Image.Image) -> None:
    """BMP in the depths, bit fields, headers, directions and run lengths that Pillow does not write."""
    rng = np.random.default_rng(SEED + 3)
    width, height = 13, 6

    def write(name: str, bits: int, rows: bytes, *, header: int = 40, kind: int = 0, masks=(), palette=b"", top_down=False):
        colours = len(palette) // (3 if header == 12 else 4)
        if header == 12:
            info = struct.pack("<IHHHH", header, width, height, 1, bits)
        else:
            tall = -height if top_down else height
            info = struct.pack("<IiiHHIIiiII", header, width, tall, 1, bits, kind, len(rows), 0, 0, colours, 0)
            fields = struct.pack(f"<{len(masks)}I", *masks)
            info += fields if header == 40 else fields.ljust(header - 40, b"\0")
        info += palette
        start = b"BM" + struct.pack("<IHHI", 14 + len(info) + len(rows), 0, 0, 14 + len(info))
        (MADE / f"bmp-{name}.bmp").write_bytes(start + info + rows)

    def noise(bits: int) -> bytes:
        return rng.integers(0, 256, height * ((width * bits + 31) // 32 * 4)).astype(np.uint8).tobytes()

    def colours(count: int, size: int) -> bytes:
        return rng.integers(0, 256, count * size).astype(np.uint8).tobytes()

    write("4-bit", 4, noise(4), palette=colours(16, 4))
    write("8-bit-few-colours", 8, (np.frombuffer(noise(8), np.uint8) % 9).tobytes(), palette=colours(9, 4))
    write("16-bit", 16, noise(16))
    write("24-bit-top-down", 24, noise(24), top_down=True)
    for header in (40, 56, 108, 124):
        write(f"565-header-{header}", 16, noise(16), header=header, kind=3, masks=(0xF800, 0x7E0, 0x1F))
    write("555-fields", 16, noise(16), kind=3, masks=(0x7C00, 0x3E0, 0x1F))
    for name, masks in (
        ("bgra", (0xFF0000, 0xFF00, 0xFF, 0xFF000000)),
        ("rgba", (0xFF, 0xFF00, 0xFF0000, 0xFF000000)),
        ("abgr", (0xFF000000, 0xFF0000, 0xFF00, 0xFF)),
        ("no-masks", (0, 0, 0, 0)),
    ):
        write(f"32-bit-{name}", 32, noise(32), header=108, kind=3, masks=masks)
    write("32-bit-plain", 32, noise(32))
    write("os2-24-bit", 24, noise(24), header=12)
    write("os2-8-bit", 8, noise(8), header=12, palette=colours(256, 3))
    # Runs, runs as they are (padded to an even place), a jump, ends of rows, one of which ends itself.
    runs = bytes([13, 5, 0, 0, 4, 7, 0, 5, 1, 2, 3, 4, 5, 0, 4, 9, 0, 0, 6, 200, 0, 2, 3, 1, 4, 8, 0, 0, 13, 33, 0, 0])
    runs += bytes([0, 13, *range(40, 53), 0, 0, 0, 0, 1])
    write("run-lengths-8-bit", 8, runs, kind=1, palette=colours(256, 4))
    runs = bytes([13, 0x5A, 0, 0, 4, 0x71, 0, 5, 0x12, 0x34, 0x50, 0, 4, 0x9C, 0, 0, 6, 0x2B, 0, 2, 3, 1, 4, 0x83, 0, 0])
    runs += bytes([13, 0xEE, 0, 0, 0, 13, 1, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xC0, 0, 0, 0, 0, 1])
    write("run-lengths-4-bit", 4, runs, kind=2, palette=colours(16, 4))
    write("run-lengths-that-end-early", 8, bytes([13, 5, 0, 0, 4, 7, 0, 1]), kind=1, palette=colours(256, 4))


def ink_pictures(rgb: Image.Image) -> None:
    """JPEG of four inks: YCCK with Adobe's marker, as Photoshop writes it, and inks without that marker."""
    # Under colour removal: three inks and black.
    inks = np.asarray(rgb, np.int16)
    light = inks.max(-1)
    black = 255 - light
    three = np.where(light[..., None] > 0, 255 - inks * 255 // np.maximum(light, 1)[..., None], 0)
    ycc = Image.fromarray((255 - three).astype(np.uint8)).convert("YCbCr")
    # Pillow inverts what it writes, and leaves the colours of four components as they are.
    planes = [ImageOps.invert(p) for p in ycc.split()] + [Image.fromarray(black.astype(np.uint8))]
    for name, options in (
        ("444", {"subsampling": 0}),
        ("420", {"subsampling": 2}),
        ("420-progressive", {"subsampling": 2, "progressive": True}),
    ):
        out = io.BytesIO()
        Image.merge("CMYK", planes).save(out, "JPEG", quality=92, **options)
        data = bytearray(out.getvalue())
        at = data.index(b"\xff\xee\0\x0eAdobe")
        assert data[at + 15] == 0
        data[at + 15] = 2
        (MADE / f"jpeg-ycck-{name}.jpg").write_bytes(data)
    data[at + 15] = 1  # which means something for three components alone
    (MADE / "jpeg-ycck-transform-1.jpg").write_bytes(data)
    data = (MADE / "jpeg-cmyk.jpg").read_bytes()
    at = data.index(b"\xff\xee\0\x0eAdobe")
    (MADE / "jpeg-cmyk-without-adobe.jpg").write_bytes(data[:at] + data[at + 16 :])


def depth_pictures(rgb: Image.Image, rng: np.random.Generator) -> None:
    """PNG of every colour and bit depth: interlaced, with every filter, and with the colour that is transparent."""
    palette = rng.integers(0, 256, (256, 3)).astype(np.uint8)

    def rows(width: int, height: int, bits: int) -> bytes:
        if not width:
            return b""
        data = rng.integers(0, 256, (height, 1 + (width * bits + 7) // 8)).astype(np.uint8)
        data[:, 0] = rng.integers(0, 5, height)  # the filters
        return data.tobytes()

    def passes(width: int, height: int, bits: int) -> bytes:
        steps = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
        return b"".join(rows((width - x + dx - 1) // dx, (height - y + dy - 1) // dy, bits) for x, y, dx, dy in steps)

    for colour, name, samples, depths in (
        (0, "grey", 1, (1, 2, 4, 8, 16)),
        (2, "rgb", 3, (8, 16)),
        (3, "palette", 1, (1, 2, 4, 8)),
        (4, "grey-alpha", 2, (8, 16)),
        (6, "rgba", 4, (8, 16)),
    ):
        for depth in depths:
            chunks = [(b"PLTE", palette[: 2**depth].tobytes())] if colour == 3 else []
            data = passes(13, 11, depth * samples)
            (MADE / f"png-{name}-{depth}-bit-interlaced.png").write_bytes(
                _png(13, 11, depth, colour, data, *chunks, interlaced=1)
            )
            if colour > 3:
                continue
            if colour == 3:
                chunks.append((b"tRNS", bytes(range(0, 250, 250 // min(200, 2**depth)))[: 2**depth]))
            else:
                chunks.append((b"tRNS", struct.pack(f">{samples}H", *[2**depth // 3] * samples)))
            (MADE / f"png-{name}-{depth}-bit-transparent-colour.png").write_bytes(
                _png(13, 11, depth, colour, rows(13, 11, depth * samples), *chunks)
            )
    # Most passes of so small a picture are empty.
    (MADE / "png-rgb-interlaced-3x2.png").write_bytes(_png(3, 2, 8, 2, passes(3, 2, 24), interlaced=1))


def note_pictures(rows: bytes) -> None:
    """PNG with texts and profiles: as large as Pillow takes them when unpacked, one byte more, and damaged ones."""
    most = PngImagePlugin.MAX_TEXT_CHUNK
    count = PngImagePlugin.MAX_TEXT_MEMORY // most
    full, over = (zlib.compress(b" " * n, 9) for n in (most, most + 1))
    xmp = zlib.compress(b'<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>')
    for name, *chunks in (
        ("png-text-at-limit", (b"zTXt", b"k\0\0" + full)),
        ("bad-png-text-over-limit", (b"zTXt", b"k\0\0" + over)),
        ("png-texts-at-limit", *[(b"zTXt", b"k\0\0" + full)] * count),
        ("bad-png-texts-over-limit", *[(b"zTXt", b"k\0\0" + full)] * count, (b"tEXt", b"k\0v")),
        ("bad-png-international-text-over-limit", (b"iTXt", b"k\0\1\0\0\0" + over)),
        ("bad-png-profile-over-limit", (b"iCCP", b"k\0\0" + over)),
        ("png-profile-damaged", (b"iCCP", b"k\0\0nothing")),
        ("bad-png-profile-compression", (b"iCCP", b"k\0\1" + full)),
        ("bad-png-profile-empty", (b"iCCP", b"k\0")),
        ("png-text-damaged", (b"zTXt", b"k\0\0nothing")),
        ("bad-png-text-compression", (b"zTXt", b"k\0\1" + full)),
        ("png-international-text-compression", (b"iTXt", b"k\0\1\1\0\0" + over)),
        ("exif-6-in-xmp", (b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + xmp)),
    ):
        (MADE / f"{name}.png").write_bytes(_png(40, 30, 8, 2, rows, *chunks))


def rgb_goldens() -> None:
    listed, tensors = {}, {}
    for path in sorted([*(FOLDER / "files").iterdir(), *MADE.iterdir()], key=lambda p: (p.parent.name, p.name)):
        key = f"{path.parent.name}/{path.name}"
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", Image.DecompressionBombWarning)
                opened = Image.open(path)
                found = {"format": opened.format, "mode": opened.mode, "stored": list(opened.size)}
                array = np.asarray(ImageOps.exif_transpose(opened).convert("RGB"))
        except Exception as refused:  # whatever Pillow raises is the answer
            reason = str(refused).replace(str(path.parent), path.parent.name)
            listed[key] = {"refused": type(refused).__name__, "reason": reason.split("<_io")[0].strip()}
            continue
        height, width = array.shape[:2]
        listed[key] = {**found, "width": width, "height": height, "sha256": sha256(array)}
        if array.nbytes <= WHOLE:
            tensors[key] = array
    support.write_golden(FOLDER / "rgb", tensors, {"files": listed})
    refused = [k for k, v in listed.items() if "refused" in v]
    print("rgb:", len(listed), "files,", len(refused), "refused:", {k: listed[k]["reason"] for k in refused})


def resize_goldens() -> None:
    rng = np.random.default_rng(SEED)
    hopper = support.open_rgb(support.PICTURES / "hopper.png")
    flower = support.open_rgb(support.PICTURES / "flower.webp")
    sources = {
        "photo": np.asarray(hopper.crop((15, 5, 116, 82))),  # 101 x 77
        "noise": rng.integers(0, 256, (37, 53, 3)).astype(np.uint8),
        # Black and white alone: overshoot must be cut at both ends.
        "extremes": (rng.integers(0, 2, (32, 24, 3)) * 255).astype(np.uint8),
        "row": rng.integers(0, 256, (1, 300, 3)).astype(np.uint8),
        "column": rng.integers(0, 256, (257, 1, 3)).astype(np.uint8),
        "pixel": np.array([[[250, 3, 128]]], np.uint8),
        "strip": np.asarray(flower.crop((0, 150, 480, 153))),  # 480 x 3
    }
    targets = {
        "photo": [(224, 224), (101, 77), (50, 38), (33, 77), (101, 20), (1, 1), (7, 3), (300, 13), (13, 260), (102, 78), (202, 154), (293, 224)],
        "noise": [(16, 16), (53, 36), (52, 37), (106, 74), (19, 200), (5, 5), (3, 37), (64, 64)],
        "extremes": [(48, 64), (23, 31), (9, 10), (25, 33), (240, 7)],
        "row": [(10, 1), (300, 5), (77, 3), (600, 2), (1, 1)],
        "column": [(1, 20), (4, 257), (3, 100), (1, 1)],
        "pixel": [(1, 1), (5, 3), (40, 2)],
        "strip": [(48, 48), (2000, 13), (9, 1), (480, 224)],
    }  # fmt: skip
    tensors = {f"source.{name}": array for name, array in sources.items()}
    cases = []
    for name, sizes in targets.items():
        image = Image.fromarray(sources[name])
        for size in sizes:
            for filter_name in FILTERS:
                out = np.asarray(image.resize(size, Image.Resampling[filter_name]))
                case = {"source": name, "width": size[0], "height": size[1], "filter": filter_name, "sha256": sha256(out)}
                # Whole results for a look at what differs; hashes decide everywhere.
                if out.nbytes <= 3_000:
                    case["tensor"] = f"result.{len(cases)}"
                    tensors[case["tensor"]] = out
                cases.append(case)
    support.write_golden(FOLDER / "resize", tensors, {"codes": {f: int(Image.Resampling[f]) for f in FILTERS}, "cases": cases})
    print("resize:", len(cases), "cases")


def crop_goldens() -> None:
    rng = np.random.default_rng(SEED + 1)
    tensors, cases = {}, []
    for width, height, crop_width, crop_height in (
        (9, 7, 4, 4), (9, 7, 5, 4), (8, 6, 5, 3), (6, 6, 6, 6), (5, 8, 8, 5), (4, 4, 7, 7), (3, 5, 8, 9), (1, 1, 4, 3), (10, 2, 5, 5), (2, 11, 6, 6), (7, 3, 4, 6),
    ):  # fmt: skip
        source = rng.integers(1, 256, (height, width, 3)).astype(np.uint8)
        planes = center_crop(
            source.transpose(2, 0, 1),
            (crop_height, crop_width),
            data_format=ChannelDimension.FIRST,
            input_data_format=ChannelDimension.FIRST,
        )
        n = len(cases)
        tensors[f"source.{n}"], tensors[f"result.{n}"] = source, planes.transpose(1, 2, 0).astype(np.uint8)
        cases.append({"width": width, "height": height, "cropWidth": crop_width, "cropHeight": crop_height})
    support.write_golden(FOLDER / "crop", tensors, {"cases": cases})
    print("crop:", len(cases), "cases")


def size_goldens() -> None:
    rng = np.random.default_rng(SEED + 2)
    pictures = [(1, 1), (640, 480), (480, 640), (500, 333), (60000, 1), (1, 60000), (224, 224), (223, 225), (1000, 999), (16, 4000), (4032, 3024)]
    pictures += [tuple(int(v) for v in np.exp(rng.uniform(0, 9, 2)).astype(int)) for _ in range(190)]
    shortest, naflex = [], []
    for width, height in pictures:
        planes = np.broadcast_to(np.uint8(0), (3, height, width))
        for edge in (224, 336, 40):
            h, w = get_resize_output_image_size(
                planes, size=edge, default_to_square=False, input_data_format=ChannelDimension.FIRST
            )
            shortest.append([width, height, edge, w, h])
        for patch, most in ((16, 256), (16, 1024), (14, 729), (8, 36)):
            h, w = get_image_size_for_max_num_patches(height, width, patch, most)
            naflex.append([width, height, patch, most, w, h])
    about = {
        "shortestEdge": {"columns": ["width", "height", "edge", "newWidth", "newHeight"], "rows": shortest},
        "naflex": {"columns": ["width", "height", "patch", "mostPatches", "newWidth", "newHeight"], "rows": naflex},
        "versions": support.versions(),
    }
    text = "{\n"
    parts = []
    for key, value in about.items():
        if key == "versions":
            parts.append(f'"versions": {support.compact(value)}')
            continue
        rows = ",\n".join(support.compact(r) for r in value["rows"])
        parts.append(f'"{key}": {{"columns": {support.compact(value["columns"])}, "rows": [\n{rows}\n]}}')
    text += ",\n".join(parts) + "\n}\n"
    (FOLDER / "sizes.json").write_text(text, encoding="utf-8")
    print("sizes:", len(shortest), len(naflex))


def composite_goldens() -> None:
    """Every level with every alpha over some backgrounds: what ``alpha_composite`` makes of them."""
    levels, alphas = (a.astype(np.uint8) for a in np.mgrid[0:256, 0:256])
    source = Image.fromarray(np.stack([levels, 255 - levels, levels, alphas], -1), "RGBA")
    cases = []
    for background in ((255, 255, 255), (0, 0, 0), (37, 128, 201)):
        below = Image.new("RGBA", source.size, (*background, 255))
        out = np.asarray(Image.alpha_composite(below, source).convert("RGB"))
        cases.append({"background": list(background), "sha256": sha256(out)})
    # A common mistake: to round as an exact division would, or to cut.
    exact = (levels.astype(int) * alphas + 255 * (255 - alphas.astype(int))) / 255
    white = np.asarray(Image.alpha_composite(Image.new("RGBA", source.size, "white"), source))[..., 0]
    about = {"cases": cases, "cut": int((white != np.floor(exact)).sum()), "versions": support.versions()}
    (FOLDER / "composite.json").write_text(support.compact(about) + "\n", encoding="utf-8")
    print("composite:", len(cases), "differs from cutting in", about["cut"], "from rounding in", int((white != np.floor(exact + 0.5)).sum()))


def cut_goldens() -> None:
    """Each picture of ``made/`` cut at each tenth: the hash of what Pillow makes of it, empty where it refuses."""
    listed = {}
    for path in sorted(MADE.iterdir()):
        if path.name.startswith("bad-"):
            continue
        whole, tenths = path.read_bytes(), []
        for tenth in range(1, 10):
            try:
                opened = Image.open(io.BytesIO(whole[: len(whole) * tenth // 10]))
                tenths.append(sha256(np.asarray(ImageOps.exif_transpose(opened).convert("RGB"))))
            except Exception:  # whatever Pillow raises is the answer
                tenths.append("")
        listed[path.name] = tenths
    rows = ",\n".join(f"{support.compact(name)}: {support.compact(tenths)}" for name, tenths in listed.items())
    text = f'{{"versions": {support.compact(support.versions())},\n"files": {{\n{rows}\n}}}}\n'
    (FOLDER / "cuts.json").write_text(text, encoding="utf-8")
    print("cuts:", len(listed), "files,", sum(bool(t) for v in listed.values() for t in v), "read")


def partial_goldens() -> None:
    """The same cuts where Pillow is told to take what there is: hashes of PNG, whole rows of baseline JPEG."""
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    png, jpeg = {}, {}
    for path in sorted(MADE.iterdir()):
        if not path.name.startswith(("png-", "exif-8", "jpeg-")) or "progressive" in path.name:
            continue
        data = path.read_bytes()
        upright = lambda part: np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(part))).convert("RGB"))
        whole, hashes, rows = upright(data), [], []
        for tenth in range(1, 10):
            try:
                cut = upright(data[: len(data) * tenth // 10])
                hashes.append(sha256(cut))
                rows.append(int(np.cumprod((cut == whole).all((1, 2))).sum()))
            except Exception:  # whatever Pillow raises is the answer
                hashes.append("")
                rows.append(-1)
        if data.startswith(b"\x89PNG"):
            png[path.name] = hashes
        elif path.name.startswith("jpeg-"):
            jpeg[path.name] = rows
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    about = {"versions": support.versions(), "png": png, "jpeg": jpeg}
    (FOLDER / "partial.json").write_text(support.compact(about) + "\n", encoding="utf-8")
    print("partial:", sum(map(bool, sum(png.values(), []))), "PNG", sum(r > 0 for r in sum(jpeg.values(), [])), "JPEG")


def main() -> None:
    Image.MAX_IMAGE_PIXELS = 178_956_970 // 2  # Pillow's default, said here because the goldens depend on it
    make_pictures()
    rgb_goldens()
    resize_goldens()
    crop_goldens()
    composite_goldens()
    cut_goldens()
    partial_goldens()
    size_goldens()


if __name__ == "__main__":
    main()
