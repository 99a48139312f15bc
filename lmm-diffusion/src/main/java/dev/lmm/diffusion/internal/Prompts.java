package dev.lmm.diffusion.internal;

import dev.lmm.Cancellation;
import dev.lmm.GenerateRequest;
import dev.lmm.core.engine.Tensor;
import dev.lmm.diffusion.internal.lora.LoraBranches;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * From prompts to what the UNet is told: by one text tower, or by SDXL's two.
 *
 * @param first the text tower
 * @param second SDXL's second tower, or null
 * @param zerosForNone whether an absent negative prompt is all zeros (SDXL), not an empty text
 */
record Prompts(TextEncoder first, @Nullable TextEncoder second, boolean zerosForNone) {
  private static final String FIRST = "text_encoder";
  private static final String SECOND = "text_encoder_2";

  /** A tower with what a request changes of it. */
  private record Tower(TextEncoder encoder, LoraBranches loras, LearnedWords.Vectors words) {
    /** The chunks of each text. */
    List<List<PromptChunks.Chunk>> chunks(List<List<WeightedText>> texts, boolean isLong) {
      return texts.stream().map(text -> encoder.chunks(text, isLong, words)).toList();
    }

    /** States of [texts, count * tokens, width]: missing chunks are those of an empty prompt. */
    TextEncoder.Encoded encode(
        List<List<PromptChunks.Chunk>> texts,
        int count,
        int fromTop,
        boolean normed,
        @Nullable Cancellation cancellation) {
      List<PromptChunks.Chunk> rows = new ArrayList<>();
      for (List<PromptChunks.Chunk> text : texts) {
        for (int i = 0; i < count; i++) {
          rows.add(i < text.size() ? text.get(i) : encoder.empty());
        }
      }
      return encoder.encode(rows, fromTop, normed, loras, words, cancellation);
    }
  }

  /**
   * Encodes.
   *
   * @param request prompts and what changes how they are read
   * @param guided whether the negative prompt is used at all
   * @param sizes SDXL's six numbers as waves
   * @param loras what adapters change, by part
   */
  Conditioning encode(
      GenerateRequest request, boolean guided, float[] sizes, Map<String, LoraBranches> loras) {
    String negative = request.negative();
    List<List<WeightedText>> texts = new ArrayList<>();
    if (guided) {
      texts.add(pieces(negative == null ? "" : negative, request));
    }
    texts.add(pieces(request.prompt(), request));
    Map<String, Integer> widths = new LinkedHashMap<>();
    widths.put(FIRST, first.width());
    TextEncoder other = second;
    if (other != null) {
      widths.put(SECOND, other.width());
    }
    Map<String, LearnedWords.Vectors> words =
        LearnedWords.read(request.textualInversions(), widths);
    Tower tower = tower(first, FIRST, loras, words);
    if (other == null) {
      return new Conditioning(single(tower, texts, request), null);
    }
    return both(
        tower,
        tower(other, SECOND, loras, words),
        texts,
        request,
        sizes,
        guided && negative == null && zerosForNone);
  }

  private static List<WeightedText> pieces(String prompt, GenerateRequest request) {
    return request.promptWeights() ? WeightedText.parse(prompt) : WeightedText.plain(prompt);
  }

  private static Tower tower(
      TextEncoder encoder,
      String part,
      Map<String, LoraBranches> loras,
      Map<String, LearnedWords.Vectors> words) {
    return new Tower(
        encoder,
        loras.getOrDefault(part, LoraBranches.NONE),
        words.getOrDefault(part, LearnedWords.Vectors.NONE));
  }

  private static int most(List<List<PromptChunks.Chunk>> chunks) {
    return chunks.stream().mapToInt(List::size).max().orElse(1);
  }

  /** SDXL reads the layer before the last of both towers, without the final norm. */
  private static Conditioning both(
      Tower first,
      Tower second,
      List<List<WeightedText>> texts,
      GenerateRequest request,
      float[] sizes,
      boolean zeros) {
    List<List<PromptChunks.Chunk>> firstChunks = first.chunks(texts, request.longPrompts());
    List<List<PromptChunks.Chunk>> secondChunks = second.chunks(texts, request.longPrompts());
    int count = Math.max(most(firstChunks), most(secondChunks));
    int skip = request.clipSkip() + 1;
    TextEncoder.Encoded one = first.encode(firstChunks, count, skip, false, request.cancellation());
    TextEncoder.Encoded two =
        second.encode(secondChunks, count, skip, false, request.cancellation());
    float[] a = one.states().toFloats();
    float[] b = two.states().toFloats();
    float[] pooled = Objects.requireNonNull(two.pooled()).toFloats();
    int batch = texts.size();
    int tokens = count * (int) one.states().dim(1);
    int firstWidth = first.encoder().width();
    int secondWidth = second.encoder().width();
    int width = firstWidth + secondWidth;
    int projection = pooled.length / (batch * count);
    float[] context = new float[batch * tokens * width];
    for (int row = 0; row < batch * tokens; row++) {
      System.arraycopy(a, row * firstWidth, context, row * width, firstWidth);
      System.arraycopy(b, row * secondWidth, context, row * width + firstWidth, secondWidth);
    }
    float[] added = new float[batch * (projection + sizes.length)];
    for (int row = 0; row < batch; row++) {
      int at = row * (projection + sizes.length);
      // The first chunk's, as the user interfaces take it.
      System.arraycopy(pooled, row * count * projection, added, at, projection);
      System.arraycopy(sizes, 0, added, at + projection, sizes.length);
    }
    if (zeros) {
      Arrays.fill(context, 0, tokens * width, 0);
      Arrays.fill(added, 0, projection, 0);
    }
    return new Conditioning(
        Tensor.of(context, batch, tokens, width),
        Tensor.of(added, batch, projection + sizes.length));
  }

  /** The one tower's states. The negative prompt is read to the end, whatever is skipped. */
  private static Tensor single(
      Tower tower, List<List<WeightedText>> texts, GenerateRequest request) {
    List<List<PromptChunks.Chunk>> chunks = tower.chunks(texts, request.longPrompts());
    int count = most(chunks);
    int skip = request.clipSkip();
    float[] states;
    if (skip == 0 || texts.size() == 1) {
      Tensor all = tower.encode(chunks, count, skip, true, request.cancellation()).states();
      states = all.toFloats();
    } else {
      Tensor negative =
          tower.encode(chunks.subList(0, 1), count, 0, true, request.cancellation()).states();
      Tensor positive =
          tower.encode(chunks.subList(1, 2), count, skip, true, request.cancellation()).states();
      states = new float[(int) (2 * negative.elements())];
      negative.floats().get(states, 0, states.length / 2);
      positive.floats().get(states, states.length / 2, states.length / 2);
    }
    int width = tower.encoder().width();
    return Tensor.of(states, texts.size(), states.length / texts.size() / width, width);
  }
}
