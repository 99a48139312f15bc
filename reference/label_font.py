"""Makes the font of labels: NanumGothic (SIL OFL 1.1) cut down to Latin and Hangul, and renamed.

  pip install fonttools==4.68.0
  python reference/label_font.py NanumGothic.ttf lmm-core/src/main/resources/dev/lmm/core/vision/draw/labels.ttf

The licence reserves the font's own name for the unmodified font.
"""

import sys

from fontTools import subset
from fontTools.ttLib import TTFont

NAME = "LMM Labels"
RANGES = [(0x20, 0x7E), (0xA0, 0x17F), (0x2010, 0x2027), (0x20A9, 0x20AC), (0x3000, 0x3003), (0x3131, 0x318E), (0xAC00, 0xD7A3), (0xFFFD, 0xFFFD)]

source, target = sys.argv[1:]
options = subset.Options(hinting=False, layout_features=[], name_IDs=[0, 13, 14], name_languages=[0x409], notdef_outline=True, drop_tables=["GSUB", "GPOS", "GDEF", "DSIG", "morx", "vhea", "vmtx", "kern", "gasp", "VDMX", "hdmx"])
font = TTFont(source, recalcTimestamp=False)
cutter = subset.Subsetter(options)
cutter.populate(unicodes=[c for first, last in RANGES for c in range(first, last + 1)])
cutter.subset(font)
names = font["name"]
names.names = [n for n in names.names if n.nameID in (0, 13, 14)]
for key, value in {1: NAME, 2: "Regular", 3: NAME + " 1", 4: NAME, 5: "Version 1.0", 6: NAME.replace(" ", "")}.items():
    names.setName(value, key, 3, 1, 0x409)
names.setName("Copyright (c) 2010, NAVER Corporation; a modified version under the SIL Open Font License 1.1", 0, 3, 1, 0x409)
font.save(target)
