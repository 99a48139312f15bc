package dev.lmm;

import java.util.List;
import java.util.Locale;

/**
 * The layers of a model and how many parameters each has.
 *
 * @param model name of the model
 * @param layers in the order of the computation
 * @param parts the parts the model is made of, for instance vision and text tower
 * @param parameters number of all parameters
 * @param bytes size of all parameters as they are stored
 */
public record Summary(
    String model, List<Layer> layers, List<Part> parts, long parameters, long bytes) {
  /**
   * One layer.
   *
   * @param name the place in the checkpoint, for instance {@code vision_model.encoder.layers.0}
   * @param kind what it is, for instance {@code Linear}
   * @param output shape of its output, {@code batch} and the like for what varies
   * @param parameters number of its parameters
   */
  public record Layer(String name, String kind, String output, long parameters) {}

  /**
   * One part.
   *
   * @param name for instance {@code vision}
   * @param parameters number of its parameters
   * @param frozen whether the model's training left it as it was: BLIP-2's vision tower and
   *     language model were there before it
   */
  public record Part(String name, long parameters, boolean frozen) {
    /**
     * A part that was trained.
     *
     * @param name for instance {@code vision}
     * @param parameters number of its parameters
     */
    public Part(String name, long parameters) {
      this(name, parameters, false);
    }
  }

  /**
   * Copies the lists.
   *
   * @param model name of the model
   * @param layers in the order of the computation
   * @param parts the parts the model is made of, for instance vision and text tower
   * @param parameters number of all parameters
   * @param bytes size of all parameters as they are stored
   */
  public Summary {
    layers = List.copyOf(layers);
    parts = List.copyOf(parts);
  }

  /**
   * What the model's training changed.
   *
   * @return the number of parameters of all parts that are not frozen
   */
  public long trained() {
    return parts.stream().filter(part -> !part.frozen()).mapToLong(Part::parameters).sum();
  }

  /**
   * A table as Keras prints it.
   *
   * @return several lines
   */
  @Override
  public String toString() {
    int name = "Layer (type)".length();
    int output = "Output Shape".length();
    for (Layer layer : layers) {
      name = Math.max(name, layer.name().length() + layer.kind().length() + 3);
      output = Math.max(output, layer.output().length());
    }
    String rule = "-".repeat(name + output + 20);
    StringBuilder text = new StringBuilder("Model: \"" + model + "\"\n").append(rule).append('\n');
    String row = "%-" + name + "s  %-" + output + "s  %15s%n";
    text.append(String.format(Locale.ROOT, row, "Layer (type)", "Output Shape", "Param #"));
    text.append("=".repeat(rule.length())).append('\n');
    for (Layer layer : layers) {
      text.append(
          String.format(
              Locale.ROOT,
              row,
              layer.name() + " (" + layer.kind() + ")",
              layer.output(),
              String.format(Locale.ROOT, "%,d", layer.parameters())));
    }
    text.append("=".repeat(rule.length())).append('\n');
    for (Part part : parts) {
      text.append(
          String.format(
              Locale.ROOT,
              "%s: %,d parameters%s%n",
              part.name(),
              part.parameters(),
              part.frozen() ? ", frozen" : ""));
    }
    text.append(
        String.format(Locale.ROOT, "Total params: %,d (%.2f MB)%n", parameters, bytes / 1e6));
    if (trained() < parameters) {
      text.append(
          String.format(
              Locale.ROOT,
              "Trained params: %,d (%.1f %%)%n",
              trained(),
              100.0 * trained() / parameters));
    }
    return text.toString().replace(System.lineSeparator(), "\n");
  }
}
