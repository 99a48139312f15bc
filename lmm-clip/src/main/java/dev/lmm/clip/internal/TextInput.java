package dev.lmm.clip.internal;

import dev.lmm.core.engine.Tensor;
import dev.lmm.core.graph.DType;
import dev.lmm.core.text.Tokenizer;
import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** From texts to the inputs of a text tower. */
final class TextInput {
  private static final Logger LOG = LoggerFactory.getLogger(TextInput.class);

  private final Tokenizer tokenizer;
  private final ClipConfig.Kind kind;
  private final int longest;
  private final int eos;
  private final int pad;

  /**
   * Makes the input.
   *
   * @param tokenizer of the checkpoint
   * @param kind CLIP or one of the SigLIPs
   * @param longest the most tokens the tower reads
   * @param eos where CLIP reads the text's state; 2 for the largest id
   * @param pad id of padding, for SigLIP
   */
  TextInput(Tokenizer tokenizer, ClipConfig.Kind kind, int longest, int eos, int pad) {
    this.tokenizer = tokenizer;
    this.kind = kind;
    this.longest = longest;
    this.eos = eos;
    this.pad = pad;
  }

  /** The most tokens the tower reads. */
  int longest() {
    return longest;
  }

  /** The tower's inputs. */
  Map<String, Tensor> tensors(List<String> texts) {
    List<int[]> all = new ArrayList<>(texts.size());
    int most = 1;
    for (String text : texts) {
      int[] ids = cut(tokenizer.encode(text, true).ids());
      all.add(ids);
      most = Math.max(most, ids.length);
    }
    // CLIP's result does not depend on padding, so there is as little of it as the batch allows;
    // SigLIP was trained to see exactly so much.
    int length = kind == ClipConfig.Kind.CLIP ? most : longest;
    Tensor ids = Tensor.zeros(DType.I64, texts.size(), length);
    LongBuffer target = ids.longs();
    for (int i = 0; i < all.size(); i++) {
      int[] row = all.get(i);
      for (int t = 0; t < length; t++) {
        target.put(i * length + t, t < row.length ? row[t] : pad);
      }
    }
    if (kind != ClipConfig.Kind.CLIP) {
      return Map.of("ids", ids);
    }
    Tensor end = Tensor.zeros(DType.I64, texts.size());
    for (int i = 0; i < all.size(); i++) {
      end.longs().put(i, end(all.get(i)));
    }
    return Map.of("ids", ids, "end", end);
  }

  /** The pieces of one text as {@link #tensors} has it, padding included. */
  List<String> pieces(String text) {
    String[] tokens = tokenizer.encode(text, true).tokens();
    int length = kind == ClipConfig.Kind.CLIP ? Math.min(tokens.length, longest) : longest;
    List<String> pieces = new ArrayList<>(length);
    for (int i = 0; i < length; i++) {
      if (i >= tokens.length) {
        pieces.add(tokenizer.decode(new int[] {pad}, false));
      } else {
        boolean last = i == length - 1;
        pieces.add(tokens[last ? tokens.length - 1 : i]);
      }
    }
    return pieces;
  }

  /** Cuts a text that is too long; the end token stays last. */
  private int[] cut(int[] ids) {
    if (ids.length <= longest) {
      return ids;
    }
    LOG.debug("A text of {} tokens was cut to the {} the model reads", ids.length, longest);
    int[] cut = new int[longest];
    System.arraycopy(ids, 0, cut, 0, longest - 1);
    cut[longest - 1] = ids[ids.length - 1];
    return cut;
  }

  /** The place whose state is the text's. */
  private int end(int[] ids) {
    int place = 0;
    for (int i = 0; i < ids.length; i++) {
      if (eos == 2) {
        // Files of before the id was right: the first of the largest ids, which is the end token's.
        if (ids[i] > ids[place]) {
          place = i;
        }
      } else if (ids[i] == eos) {
        return i;
      }
    }
    return place;
  }
}
