"""Small pictures whose notes say when they were taken, written by Pillow: lmm-search's golden/dates."""

import struct
from pathlib import Path

from PIL import Image

OUT = Path(__file__).parent.parent / "lmm-search/src/test/resources/golden/dates"
DATE_TIME, EXIF_IFD, DATE_TIME_ORIGINAL = 0x0132, 0x8769, 0x9003


def notes(taken=None, changed=None, endian="<"):
    exif = Image.Exif()
    exif.endian = endian
    exif[0x010F] = "lmm"  # a maker, so that the dates do not stand first
    if changed:
        exif[DATE_TIME] = changed
    if taken:
        exif.get_ifd(EXIF_IFD)[DATE_TIME_ORIGINAL] = taken
    return exif


def big_endian(taken):
    """Pillow writes little-endian ones; this is the same structure the other way round."""
    date = taken.encode() + b"\0"
    head = b"MM\0*" + struct.pack(">I", 8)
    first = struct.pack(">HHHIII", 1, EXIF_IFD, 4, 1, 26, 0)
    second = struct.pack(">HHHIII", 1, DATE_TIME_ORIGINAL, 2, len(date), 44, 0)
    return b"Exif\0\0" + head + first + second + date


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    picture = Image.new("RGB", (24, 16), (200, 40, 40))
    taken, changed = "2024:07:01 12:30:05", "2021:03:04 05:06:07"
    for ending in ("jpg", "png", "webp"):
        picture.save(OUT / f"original.{ending}", exif=notes(taken, changed))
    for ending in ("jpg", "tif"):  # Pillow puts no second directory into a TIFF
        picture.save(OUT / f"changed-only.{ending}", exif=notes(None, changed))
    picture.save(OUT / "zeros.jpg", exif=notes("0000:00:00 00:00:00"))
    picture.save(OUT / "thirteenth-month.jpg", exif=notes("2024:13:01 12:30:05"))
    picture.save(OUT / "big-endian.jpg", exif=big_endian("2019:12:31 23:59:59"))
    for ending in ("jpg", "png", "gif"):
        picture.save(OUT / f"none.{ending}")
    jpeg = (OUT / "original.jpg").read_bytes()
    other = b"\xff\xe1" + struct.pack(">H", 2 + 30) + b"http://ns.adobe.com/xap/1.0/\0 "
    comment = b"\xff\xfe" + struct.pack(">H", 2 + 5) + b"hello"
    (OUT / "behind-other-segments.jpg").write_bytes(jpeg[:2] + comment + other + jpeg[2:])
    # What Pillow itself reads again.
    for file in sorted(OUT.iterdir()):
        exif = Image.open(file).getexif()
        found = exif.get_ifd(EXIF_IFD).get(DATE_TIME_ORIGINAL) or exif.get(DATE_TIME)
        print(f"{file.name}: {found}")


if __name__ == "__main__":
    main()
