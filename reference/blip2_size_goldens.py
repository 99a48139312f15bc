"""What the tiny BLIP-2s of both stages answer to pictures of other sizes than those of their training.

    python blip2_size_goldens.py                    # writes lmm-blip2/src/test/resources/golden/blip2-sizes
    python blip2_size_goldens.py --check-mistakes   # and shows that they catch the usual mistakes

The checkpoints are those that blip2_goldens.py and blip2_itm_goldens.py made: 42 pixels a side, 3 x 3 patches. The
processor is told other sizes, and the models ``interpolate_pos_encoding=True``. For each size (height, width):

- ``pixels_N``, ``queries_N`` (the Q-Former's last states) and ``cross_N`` [layers, heads, queries, rows] of the second
  stage; greedy tokens;
- of the first, the probability and the similarity of a text.
"""

from __future__ import annotations

import argparse

import support

import torch
from torch.nn import functional
from transformers import AutoProcessor, Blip2ForConditionalGeneration, Blip2ForImageTextRetrieval
from transformers.models.blip_2 import modeling_blip_2

import blip2_support
from blip2_support import PATCH, PICTURES, SIDE, caught, replaced

GOLDEN = support.ROOT / "lmm-blip2/src/test/resources/golden"
SIZES = ((56, 56), (28, 28), (28, 70), (75, 43))  # more patches, fewer, flat, upright with pixels over
PROMPT, TEXT = "a photo of", "two cats on a sofa"
NEW = 8


def load():
    writes = Blip2ForConditionalGeneration.from_pretrained(
        GOLDEN / "blip2-opt", dtype=torch.float32, attn_implementation="eager"
    )
    matches = Blip2ForImageTextRetrieval.from_pretrained(GOLDEN / "blip2-itm", dtype=torch.float32)
    return writes.eval(), matches.eval()


def given(folder: str, size, text: str) -> dict:
    processor = AutoProcessor.from_pretrained(GOLDEN / folder, backend="pil")
    processor.image_processor.size = {"height": size[0], "width": size[1]}
    made = processor(images=blip2_support.picture(0), text=text, return_tensors="pt")
    assert made["pixel_values"].shape[-2:] == size
    return made


@torch.no_grad()
def looked(model, pixels) -> tuple[torch.Tensor, torch.Tensor]:
    seen = model.vision_model(pixels, interpolate_pos_encoding=True).last_hidden_state
    out = model.qformer(query_embeds=model.query_tokens, encoder_hidden_states=seen, output_attentions=True)
    return out.last_hidden_state[0], torch.cat(out.cross_attentions)


@torch.no_grad()
def matched(model, size) -> tuple[float, float]:
    inputs = given("blip2-itm", size, TEXT)
    # This class has no such parameter; its vision model does.
    own = model.vision_model.forward
    model.vision_model.forward = lambda **more: own(**{**more, "interpolate_pos_encoding": True})
    probability = model(**inputs, use_image_text_matching_head=True).logits_per_image.softmax(-1)[0, 1].item()
    similarity = model(**inputs, use_image_text_matching_head=False).logits_per_image[0, 0].item()
    model.vision_model.forward = own
    return probability, similarity


@torch.no_grad()
def greedy(model, size) -> list[int]:
    inputs = given("blip2-opt", size, PROMPT)
    out = model.generate(**inputs, max_new_tokens=NEW, do_sample=False, interpolate_pos_encoding=True)
    return out[0, inputs["input_ids"].shape[1] :].tolist()


def write_goldens() -> None:
    writes, matches = load()
    tensors, about = {}, []
    for n, size in enumerate(SIZES):
        pixels = given("blip2-opt", size, PROMPT)["pixel_values"]
        tensors[f"pixels_{n}"] = pixels
        tensors[f"queries_{n}"], tensors[f"cross_{n}"] = looked(writes, pixels)
        probability, similarity = matched(matches, size)
        about.append(
            {
                "height": size[0],
                "width": size[1],
                "greedy": greedy(writes, size),
                "probability": probability,
                "similarity": similarity,
            }
        )
    told = {"picture": PICTURES[0], "prompt": PROMPT, "text": TEXT, "sizes": about}
    support.write_golden(GOLDEN / "blip2-sizes/golden", tensors, told)
    print(*about, sep="\n")


def check_mistakes() -> None:
    kind = modeling_blip_2.Blip2VisionEmbeddings
    right = functional.interpolate

    def resized(**changed):
        def forward(x, size, mode, align_corners):
            return right(x, **{"size": size, "mode": mode, "align_corners": align_corners, **changed})

        return replaced(modeling_blip_2.nn.functional, "interpolate", forward)

    def nearest(x, size, mode, align_corners):
        return right(x, size=size, mode="nearest")

    def swapped(self, embeddings, height, width):
        side = int((self.position_embedding.shape[1] - 1) ** 0.5)
        grid = self.position_embedding[:, 1:].reshape(1, side, side, -1).permute(0, 3, 2, 1)
        grid = right(grid, size=(height // PATCH, width // PATCH), mode="bicubic", align_corners=False)
        return torch.cat([self.position_embedding[:, :1], grid.permute(0, 2, 3, 1).flatten(1, 2)], 1)

    def everything(self, embeddings, height, width):
        """The class token among the patches, as one row."""
        rows = embeddings.shape[1]
        table = self.position_embedding.transpose(1, 2)
        return right(table, size=rows, mode="linear", align_corners=False).transpose(1, 2)

    def cut(self, embeddings, height, width):
        """What happens without the argument where pictures are smaller; here the table goes on from its start."""
        rows = embeddings.shape[1]
        return self.position_embedding.repeat(1, 3, 1)[:, :rows]

    mistakes = {
        "linear": resized(mode="bilinear"),
        "nearest": replaced(modeling_blip_2.nn.functional, "interpolate", nearest),
        "corners to corners": resized(align_corners=True),
        "a wider filter where patches are fewer": resized(antialias=True),
        "rows and columns swapped": replaced(kind, "interpolate_pos_encoding", swapped),
        "the class token's place stretched, too": replaced(kind, "interpolate_pos_encoding", everything),
        "the table cut off": replaced(kind, "interpolate_pos_encoding", cut),
    }
    writes, _ = load()
    pixels = [given("blip2-opt", size, PROMPT)["pixel_values"] for size in SIZES]
    expected = [looked(writes, p) for p in pixels]
    for name, patched in mistakes.items():
        with patched(writes):
            moved = [(looked(writes, p)[0] - e[0]).abs().max().item() for p, e in zip(pixels, expected)]
        caught(name, max(moved))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check-mistakes", action="store_true")
    check = parser.parse_args().check_mistakes
    assert SIDE // PATCH == 3
    write_goldens()
    if check:
        check_mistakes()


if __name__ == "__main__":
    main()
