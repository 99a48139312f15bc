package dev.lmm.diffusion.internal;

import dev.lmm.Cancellation;
import dev.lmm.core.engine.Tensor;
import dev.lmm.diffusion.internal.lora.LoraBranches;
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

  /**
   * Encodes.
   *
   * @param prompt the prompt
   * @param negative the negative prompt, or null
   * @param guided whether the negative prompt is used at all
   * @param sizes SDXL's six numbers as waves
   * @param loras what adapters change, by part
   */
  Conditioning encode(
      String prompt,
      @Nullable String negative,
      boolean guided,
      int clipSkip,
      float[] sizes,
      Map<String, LoraBranches> loras,
      @Nullable Cancellation cancellation) {
    List<String> texts =
        guided ? List.of(negative == null ? "" : negative, prompt) : List.of(prompt);
    LoraBranches own = loras.getOrDefault("text_encoder", LoraBranches.NONE);
    TextEncoder other = second;
    if (other == null) {
      return new Conditioning(single(texts, clipSkip, own, cancellation), null);
    }
    // SDXL reads the layer before the last, without the final norm.
    TextEncoder.Encoded one = first.encode(texts, clipSkip + 1, false, own, cancellation);
    TextEncoder.Encoded two =
        other.encode(
            texts,
            clipSkip + 1,
            false,
            loras.getOrDefault("text_encoder_2", LoraBranches.NONE),
            cancellation);
    float[] a = one.states().toFloats();
    float[] b = two.states().toFloats();
    float[] pooled = Objects.requireNonNull(two.pooled()).toFloats();
    int batch = texts.size();
    int tokens = (int) one.states().dim(1);
    int width = first.width() + other.width();
    int projection = pooled.length / batch;
    float[] context = new float[batch * tokens * width];
    for (int row = 0; row < batch * tokens; row++) {
      System.arraycopy(a, row * first.width(), context, row * width, first.width());
      System.arraycopy(b, row * other.width(), context, row * width + first.width(), other.width());
    }
    float[] added = new float[batch * (projection + sizes.length)];
    for (int row = 0; row < batch; row++) {
      int at = row * (projection + sizes.length);
      System.arraycopy(pooled, row * projection, added, at, projection);
      System.arraycopy(sizes, 0, added, at + projection, sizes.length);
    }
    if (guided && negative == null && zerosForNone) {
      java.util.Arrays.fill(context, 0, tokens * width, 0);
      java.util.Arrays.fill(added, 0, projection, 0);
    }
    return new Conditioning(
        Tensor.of(context, batch, tokens, width),
        Tensor.of(added, batch, projection + sizes.length));
  }

  /** The one tower's states. The negative prompt is read to the end, whatever is skipped. */
  private Tensor single(
      List<String> texts, int clipSkip, LoraBranches own, @Nullable Cancellation cancellation) {
    if (clipSkip == 0 || texts.size() == 1) {
      return first.encode(texts, clipSkip, true, own, cancellation).states();
    }
    Tensor negative = first.encode(texts.subList(0, 1), 0, true, own, cancellation).states();
    Tensor positive = first.encode(texts.subList(1, 2), clipSkip, true, own, cancellation).states();
    float[] both = new float[(int) (2 * negative.elements())];
    negative.floats().get(both, 0, both.length / 2);
    positive.floats().get(both, both.length / 2, both.length / 2);
    return Tensor.of(both, 2, negative.dim(1), negative.dim(2));
  }
}
