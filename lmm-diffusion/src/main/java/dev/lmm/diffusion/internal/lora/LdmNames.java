package dev.lmm.diffusion.internal.lora;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The names that a UNet's modules have in the first implementation (CompVis' latent-diffusion,
 * Stability's generative-models), which adapters for SDXL still use: every resnet and attention of
 * the way down is an input block of its own, every one of the way up an output block.
 */
public final class LdmNames {
  /** Modules of a resnet. */
  private static final Map<String, String> RESNET =
      Map.of(
          "conv1", "in_layers.2",
          "time_emb_proj", "emb_layers.1",
          "conv2", "out_layers.3",
          "conv_shortcut", "skip_connection");

  private final Map<String, String> modules = new LinkedHashMap<>();

  /**
   * Names of one UNet.
   *
   * @param downAttends whether each level of the way down has attentions
   * @param upAttends whether each level of the way up has
   * @param layers resnets of each level
   */
  public LdmNames(List<Boolean> downAttends, List<Boolean> upAttends, int layers) {
    modules.put("conv_in", "input_blocks.0.0");
    modules.put("conv_out", "out.2");
    for (int i = 0; i < 2; i++) {
      modules.put("time_embedding.linear_" + (i + 1), "time_embed." + 2 * i);
      modules.put("add_embedding.linear_" + (i + 1), "label_emb.0." + 2 * i);
    }
    int block = 1;
    int levels = downAttends.size();
    for (int level = 0; level < levels; level++) {
      String own = "down_blocks." + level;
      for (int i = 0; i < layers; i++) {
        pair(own, i, "input_blocks." + block++);
      }
      if (level < levels - 1) {
        modules.put(own + ".downsamplers.0.conv", "input_blocks." + block++ + ".0.op");
      }
    }
    modules.put("mid_block.resnets.0", "middle_block.0");
    modules.put("mid_block.attentions.0", "middle_block.1");
    modules.put("mid_block.resnets.1", "middle_block.2");
    block = 0;
    for (int step = 0; step < levels; step++) {
      String own = "up_blocks." + step;
      for (int i = 0; i <= layers; i++) {
        pair(own, i, "output_blocks." + block++);
      }
      if (step < levels - 1) {
        String last = "output_blocks." + (block - 1) + (upAttends.get(step) ? ".2" : ".1");
        modules.put(own + ".upsamplers.0.conv", last + ".conv");
      }
    }
  }

  private void pair(String own, int i, String block) {
    modules.put(own + ".resnets." + i, block + ".0");
    modules.put(own + ".attentions." + i, block + ".1");
  }

  /** All of a module's names: none, if only diffusers knows it. */
  List<String> of(String path) {
    List<String> names = new ArrayList<>();
    modules.forEach(
        (own, old) -> {
          if (path.equals(own)) {
            names.add(old);
          } else if (path.startsWith(own + ".")) {
            String rest = path.substring(own.length() + 1);
            names.add(
                old + "." + (own.contains("resnets") ? RESNET.getOrDefault(rest, rest) : rest));
          }
        });
    return names;
  }
}
