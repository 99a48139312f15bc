package dev.lmm.diffusion.internal.lora;

import dev.lmm.core.graph.Attributes;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.Node;
import dev.lmm.core.graph.Op;
import dev.lmm.core.graph.Value;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The layers of a pipeline that adapters can change, under every name that files give them: those
 * of peft and diffusers (dotted, also of diffusers' old attention processors), and those of kohya's
 * scripts (a prefix, and underscores for dots).
 */
public final class LoraLayers {
  private static final Map<String, List<String>> KOHYA =
      Map.of(
          "unet", List.of("lora_unet_"),
          "text_encoder", List.of("lora_te_", "lora_te1_"),
          "text_encoder_2", List.of("lora_te2_"));

  private final Map<String, LoraLayer> byName = new HashMap<>();
  private final List<String> parts;

  /**
   * The layers of a pipeline.
   *
   * @param graphs of {@code unet}, {@code text_encoder} and, if there is one, {@code
   *     text_encoder_2}, without branches
   * @param ldm the UNet's other names
   */
  public LoraLayers(Map<String, Graph> graphs, LdmNames ldm) {
    this.parts = List.copyOf(graphs.keySet());
    graphs.forEach(
        (part, graph) -> {
          for (Node node : graph.nodes()) {
            if (adaptable(node)) {
              LoraLayer layer = LoraLayer.of(part, node.input(1));
              if (part.equals("unet")) {
                unet(layer, ldm);
              } else {
                text(layer);
              }
            }
          }
        });
  }

  private static boolean adaptable(Node node) {
    boolean layer =
        node.op() == Op.LINEAR
            || (node.op() == Op.CONV && node.attributes(Attributes.Conv.class).groups() == 1);
    return layer
        && node.input(1).kind() == Value.Kind.WEIGHT
        && node.input(1).weight().name().endsWith(".weight");
  }

  private void unet(LoraLayer layer, LdmNames ldm) {
    String path = layer.path();
    // How diffusers named an attention's layers while adapters were processors of it.
    String processor =
        path.replaceFirst("\\.(attn[12])\\.", ".$1.processor.")
            .replaceFirst("\\.to_out\\.0$", ".to_out");
    for (String name : List.of(path, processor)) {
      byName.putIfAbsent(name, layer);
      byName.putIfAbsent("unet." + name, layer);
    }
    kohya(layer, path);
    for (String old : ldm.of(path)) {
      kohya(layer, old);
      byName.putIfAbsent("diffusion_model." + old, layer);
    }
  }

  private void text(LoraLayer layer) {
    String bare = layer.path().replaceFirst("^text_model\\.", "");
    for (String path : List.of(bare, "text_model." + bare)) {
      String old =
          path.replaceFirst("\\.([qkv])_proj$", ".to_$1").replaceFirst("\\.out_proj$", ".to_out");
      byName.putIfAbsent(layer.part() + "." + path, layer);
      byName.putIfAbsent(layer.part() + "." + old, layer);
      kohya(layer, path);
    }
  }

  private void kohya(LoraLayer layer, String path) {
    for (String prefix : KOHYA.getOrDefault(layer.part(), List.of())) {
      byName.putIfAbsent(prefix + path.replace('.', '_'), layer);
    }
  }

  /** The layer of a name, or null. */
  @Nullable LoraLayer find(String name) {
    return byName.get(name);
  }

  /** The parts that have such layers. */
  List<String> parts() {
    return parts;
  }
}
