package dev.lmm.fuzz;

import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;

/** The targets by name. */
final class Targets {
  static final Map<String, Supplier<Target>> ALL = new TreeMap<>();

  static {
    ALL.put("safetensors", SafetensorsTarget::new);
    ALL.put("pickle", PickleTarget::new);
    ALL.put("tokenizer", TokenizerTarget::new);
    ALL.put("template", TemplateTarget::new);
    ALL.put("config", ConfigTarget::new);
    ALL.put("load", LoadTarget::new);
    ALL.put("image", ImageTarget::new);
    ALL.put("hub", HubTarget::new);
    ALL.put("bundle", BundleTarget::new);
  }

  private Targets() {}

  /** A target. */
  static Target of(String name) {
    Supplier<Target> target = ALL.get(name);
    if (target == null) {
      throw new IllegalArgumentException("no target " + name + "; there are " + ALL.keySet());
    }
    return target.get();
  }
}
