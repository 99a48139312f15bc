"""Makes the small pictures of the model goldens from two photographs (licences: MANIFEST.tsv beside them)."""

from __future__ import annotations

from pathlib import Path

import support

from PIL import Image

FOLDER = support.CLIP_GOLDEN / "pictures"


def write() -> list[Path]:
    """Writes the pictures and returns their files, always in the same order."""
    flower = support.open_rgb(support.PICTURES / "flower.webp")  # 480 x 360
    hopper = support.open_rgb(support.PICTURES / "hopper.png")  # 128 x 128
    FOLDER.mkdir(parents=True, exist_ok=True)

    transparent = flower.crop((180, 90, 280, 240)).resize((50, 75), Image.LANCZOS)
    transparent.putalpha(Image.linear_gradient("L").resize(transparent.size))
    turned = hopper.crop((0, 0, 128, 90))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees, clockwise

    made = {
        "flower-144x108.png": (flower.resize((144, 108), Image.LANCZOS), {}),
        "hopper-97x113.png": (hopper.crop((20, 10, 117, 123)), {}),
        "grey-61x40.png": (hopper.convert("L").crop((30, 20, 91, 60)), {}),
        "transparent-50x75.png": (transparent, {}),
        "wide-260x17.png": (flower.crop((0, 150, 480, 182)).resize((260, 17), Image.LANCZOS), {}),
        "tall-11x150.png": (flower.crop((240, 0, 264, 327)).resize((11, 150), Image.LANCZOS), {}),
        "turned-128x90.jpg": (turned, {"quality": 92, "exif": exif}),
        "small-7x5.png": (flower.crop((200, 120, 340, 220)).resize((7, 5), Image.LANCZOS), {}),
    }
    for name, (image, options) in made.items():
        image.save(FOLDER / name, optimize=True, **options)
    return [FOLDER / name for name in made]


if __name__ == "__main__":
    for path in write():
        print(path.name, path.stat().st_size)
