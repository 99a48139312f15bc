"""Makes the tiny BLIP-2 of the first stage and its goldens.

    python blip2_itm_goldens.py                    # writes lmm-blip2/src/test/resources/golden/blip2-itm
    python blip2_itm_goldens.py --check-mistakes   # and shows that they catch the usual mistakes

``blip2-itm`` has the layout of the published blip2-itm-vit-g: ``image_token_index``, a ``text_config`` that says no
more than ``opt`` though there is no language model, BERT's vocab.txt (cut) with ``[DEC]`` behind it.

- ``pixel_values``, ``image_embeds`` [pictures, queries, shared] and ``text_embeds`` [texts, shared], normalised;
- ``itc`` [pictures, texts]; ``itm_logits`` [pictures, texts, 2], each pair alone, so nothing is padded;
- what the queries look at: ``cross_alone`` [pictures, layers, heads, queries, rows] and ``self_alone`` without a text;
  for the pairs of ``looked``, ``cross_N`` [layers, heads, queries, rows] and ``self_N`` [layers, heads, all, all]
  with it; and what flows from the patches to the queries through all layers: ``rollout_alone``, ``rollout_N``.
"""

from __future__ import annotations

import argparse
import json

import support

import numpy as np
import torch
from transformers import AutoProcessor, Blip2Config, Blip2ForImageTextRetrieval
from transformers.models.blip_2 import modeling_blip_2

import blip2_support
from blip2_support import PICTURES, attentions, caught, change, epsilon, replaced, rollout

FOLDER = support.ROOT / "lmm-blip2/src/test/resources/golden/blip2-itm"
TEXTS = (
    "a photo of a flower",
    "A man with a hat, looking at the camera.",
    "Crème brûlée!",
    "고양이 두 마리",
    "",
    "🌻 a [SEP] b",
    "the small red house beside the old green tree and the very long street of the town",
)
LOOKED = ((0, 0), (1, 3), (2, 4))
SEED = 18
QUERIES = 5
WORDS = 500  # of BERT's, from its beginning: the most frequent


def write_tokenizer() -> int:
    """BERT's vocabulary, cut to characters and the most frequent words; returns the id of ``<image>``."""
    lines = (support.TOKENIZERS / "bert/vocab.txt").read_text(encoding="utf-8").splitlines()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words = [w for w in lines if w.isascii() and w.isalpha() and len(w) > 1][:WORDS]
    # Characters of Latin, and the parts that Hangul is taken apart into.
    single = [
        w
        for w in lines
        if len(w.removeprefix("##")) == 1 and (w[-1].isascii() or 0x1100 <= ord(w[-1]) < 0x1200)
    ]
    tokens = special + sorted(set(single) | set(words), key=lines.index)
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "vocab.txt").write_text("\n".join(tokens) + "\n", encoding="utf-8")
    config = json.loads((support.TOKENIZERS / "bert-dec/tokenizer_config.json").read_text(encoding="utf-8"))
    added = {}
    for token in (*special, "[DEC]", "<image>"):
        at = tokens.index(token) if token in special else len(tokens) + (token == "<image>")
        added[str(at)] = {
            "content": token,
            "lstrip": False,
            "normalized": False,
            "rstrip": False,
            "single_word": False,
            "special": True,
        }
    config["added_tokens_decoder"] = added
    support.write_json(FOLDER / "tokenizer_config.json", config)
    return len(tokens) + 1


def write_configs(image: int) -> Blip2Config:
    config = blip2_support.config(
        "Blip2ForImageTextRetrieval",
        image,
        QUERIES,
        20,
        {
            "hidden_size": 28,
            "intermediate_size": 60,
            "max_position_embeddings": 80,
            "num_attention_heads": 4,
            "use_qformer_text_input": True,
            "vocab_size": image,
        },
        {"model_type": "opt"},
    )
    support.write_json(FOLDER / "config.json", config)
    blip2_support.write_processor(FOLDER, QUERIES)
    return Blip2Config.from_pretrained(FOLDER)


def write_weights(config: Blip2Config) -> None:
    model = Blip2ForImageTextRetrieval(config).float().eval()
    support.seeded_weights(model, SEED, {})
    with torch.no_grad():
        model.query_tokens.mul_(0.03)  # small: the first norm's epsilon shows
        model.itm_head.weight.mul_(2.0)
        model.itm_head.bias.copy_(torch.tensor([0.4, 1.6]))  # probabilities on both sides of one half
        # Feed-forward layers weigh as much as attention: which of the two kinds of gelu it is shows.
        for name, parameter in model.qformer.named_parameters():
            if "intermediate" in name and name.endswith("weight"):
                parameter.mul_(2.0)
    support.save_checkpoint(model, FOLDER)


def load():
    return Blip2ForImageTextRetrieval.from_pretrained(
        FOLDER, dtype=torch.float32, attn_implementation="eager"
    ).eval()


def inputs(processor, picture: int, text: str):
    return processor(images=blip2_support.picture(picture), text=text, return_tensors="pt")


@torch.no_grad()
def scores(model, processor) -> dict[str, torch.Tensor]:
    itm = torch.zeros(len(PICTURES), len(TEXTS), 2)
    itc = torch.zeros(len(PICTURES), len(TEXTS))
    images, texts = {}, {}
    for p in range(len(PICTURES)):
        for t, text in enumerate(TEXTS):
            given = inputs(processor, p, text)
            itm[p, t] = model(**given, use_image_text_matching_head=True).logits_per_image[0]
            out = model(**given, use_image_text_matching_head=False)
            itc[p, t] = out.logits_per_image[0, 0]
            images[p], texts[t] = out.image_embeds, out.text_embeds
    return {
        "image_embeds": torch.cat([images[p] for p in range(len(PICTURES))]),
        "text_embeds": torch.cat([texts[t] for t in range(len(TEXTS))]),
        "itm_logits": itm,
        "itc": itc,
    }


def looks(model, processor) -> dict[str, np.ndarray]:
    pixels = torch.cat([inputs(processor, p, "")["pixel_values"] for p in range(len(PICTURES))])
    cross, own = attentions(model, pixels)
    made = {"pixel_values": pixels, "cross_alone": cross, "self_alone": own}
    made["rollout_alone"] = np.stack(
        [rollout(model.config, c.double().numpy(), s.double().numpy()) for c, s in zip(cross, own)]
    )
    for n, (picture, text) in enumerate(LOOKED):
        ids = inputs(processor, picture, TEXTS[text])["input_ids"][:, QUERIES:]
        cross, own = attentions(model, pixels[picture : picture + 1], ids)
        made[f"cross_{n}"], made[f"self_{n}"] = cross[0], own[0]
        made[f"rollout_{n}"] = rollout(model.config, cross[0].double().numpy(), own[0].double().numpy())
    return made


def write_goldens() -> None:
    model = load()
    processor = AutoProcessor.from_pretrained(FOLDER, backend="pil")
    found = scores(model, processor)
    probabilities = found["itm_logits"].softmax(-1)[..., 1]
    ids = [inputs(processor, 0, t)["input_ids"][0, QUERIES:].tolist() for t in TEXTS]
    support.write_golden(
        FOLDER / "golden",
        {**found, "itm": probabilities, **looks(model, processor)},
        {"pictures": list(PICTURES), "texts": list(TEXTS), "ids": ids, "looked": [list(x) for x in LOOKED]},
    )
    print("itm", probabilities.numpy().round(3).tolist())
    print("itc", found["itc"].numpy().round(3).tolist())


def mistakes() -> dict:
    """What goes wrong in ports, each as a patch of transformers or of a loaded model."""

    def each(edit):
        return change(lambda m: [edit(layer) for layer in m.qformer.encoder.layer])

    tanh = torch.nn.GELU(approximate="tanh")
    layer_forward = modeling_blip_2.Blip2QFormerLayer.forward
    embed = modeling_blip_2.Blip2TextEmbeddings.forward

    def text_crosses(self, hidden, mask=None, seen=None, encoder_attention_mask=None, query_length=0, **kw):
        length = hidden.shape[1] if seen is not None else query_length
        return layer_forward(self, hidden, mask, seen, encoder_attention_mask, query_length=length, **kw)

    def query_feed_forward_for_texts(m):
        for layer in m.qformer.encoder.layer:
            layer.intermediate, layer.output = layer.intermediate_query, layer.output_query

    def text_feed_forward_for_queries(m):
        for layer in m.qformer.encoder.layer:
            layer.intermediate_query, layer.output_query = layer.intermediate, layer.output

    def positions_behind_queries(self, input_ids=None, position_ids=None, query_embeds=None):
        if input_ids is not None and query_embeds is not None:
            position_ids = self.position_ids[:, QUERIES : QUERIES + input_ids.shape[1]]
        return embed(self, input_ids, position_ids, query_embeds)

    def positions_one_further(self, input_ids=None, position_ids=None, query_embeds=None):
        if input_ids is not None:
            position_ids = self.position_ids[:, 1 : 1 + input_ids.shape[1]]
        return embed(self, input_ids, position_ids, query_embeds)

    def norm_of_queries_only(m):
        own = m.qformer.layernorm.forward

        def forward(x):
            return torch.cat([own(x[:, :QUERIES]), x[:, QUERIES:]], 1) if x.shape[1] > QUERIES else own(x)

        m.qformer.layernorm.forward = forward

    def head_of_the_first(m):
        own = m.itm_head.forward
        m.itm_head.forward = lambda x: own(x[:, :1])

    def flipped(m):
        m.itm_head.weight.data = m.itm_head.weight.data.flip(0)
        m.itm_head.bias.data = m.itm_head.bias.data.flip(0)

    def swapped_projections(m):
        m.vision_projection, m.text_projection = m.text_projection, m.vision_projection

    return {
        "texts cross-attend too": replaced(modeling_blip_2.Blip2QFormerLayer, "forward", text_crosses),
        "queries' feed-forward for texts": change(query_feed_forward_for_texts),
        "texts' feed-forward for queries": change(text_feed_forward_for_queries),
        "positions of texts begin behind the queries": replaced(
            modeling_blip_2.Blip2TextEmbeddings, "forward", positions_behind_queries
        ),
        "positions of texts begin at 1": replaced(
            modeling_blip_2.Blip2TextEmbeddings, "forward", positions_one_further
        ),
        "no positions of texts": change(lambda m: m.embeddings.position_embeddings.weight.data.zero_()),
        "norm of the queries only": change(norm_of_queries_only),
        "matching head on the first query only": change(head_of_the_first),
        "matching classes swapped": change(flipped),
        "projections swapped": change(swapped_projections),
        "no bias of the vision projection": change(lambda m: m.vision_projection.bias.data.zero_()),
        "no bias of the text projection": change(lambda m: m.text_projection.bias.data.zero_()),
        "tanh gelu for texts": each(lambda x: setattr(x.intermediate, "intermediate_act_fn", tanh)),
        "tanh gelu for queries": each(lambda x: setattr(x.intermediate_query, "intermediate_act_fn", tanh)),
        "epsilon 1e-5 in the Q-Former": change(lambda m: epsilon(m.qformer, 1e-5)),
        "scale of the whole width": each(lambda x: setattr(x.attention.attention, "scaling", 28**-0.5)),
    }


def check_mistakes() -> None:
    processor = AutoProcessor.from_pretrained(FOLDER, backend="pil")
    right = load()
    expected = scores(right, processor)

    def difference(found) -> float:
        return max((found[k] - v).abs().max().item() for k, v in expected.items())

    for name, patched in mistakes().items():
        model = load()
        with patched(model):
            caught(name, difference(scores(model, processor)))

    # Of the scores that are computed here from the parts.
    similarity = torch.einsum("pqd,td->pqt", expected["image_embeds"], expected["text_embeds"])
    caught("mean of the queries instead of the maximum", (similarity.mean(1) - expected["itc"]).abs().max().item())
    caught("the first query instead of the maximum", (similarity[:, 0] - expected["itc"]).abs().max().item())
    probability = expected["itm_logits"].softmax(-1)[..., 1]
    caught("sigmoid instead of softmax", (expected["itm_logits"][..., 1].sigmoid() - probability).abs().max().item())

    # Padding: what a text says must not depend on its neighbours.
    texts = list(TEXTS[:3])
    rgb = blip2_support.picture(0)
    given = processor(images=[rgb] * 3, text=texts, return_tensors="pt", padding=True)
    with torch.no_grad():
        masked = right(**given, use_image_text_matching_head=True).logits_per_image
        together = {**given, "attention_mask": torch.ones_like(given["attention_mask"])}
        unmasked = right(**together, use_image_text_matching_head=True).logits_per_image
    assert (masked - expected["itm_logits"][0, :3]).abs().max().item() < 1e-5
    caught("padding attended to", (unmasked - expected["itm_logits"][0, :3]).abs().max().item())


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--check-mistakes", action="store_true")
    check = parser.parse_args().check_mistakes
    write_weights(write_configs(write_tokenizer()))
    write_goldens()
    if check:
        check_mistakes()


if __name__ == "__main__":
    main()
