"""The texts of the model goldens."""

LONG = "a flower with pink petals and a yellow heart, " * 12 + "and then the end"

TEXTS = [
    "a photo of a flower",
    "an old woman in a dark uniform in front of a flag",
    "분홍 꽃과 초록 잎",
    "A DOG, running! 3 times… (isn't it?)",
    "🌸 👩‍👩‍👧 ok",
    "",
    LONG,
    "ΟΔΥΣΣΕΥΣ in İstanbul,  twice   spaced\n",
]
