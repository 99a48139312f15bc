package dev.lmm;

/**
 * Shows where each learned query of a Q-Former looks: BLIP-2 of both stages. Thread-safe. It ends
 * with its model; using it afterwards throws {@link ClosedException}.
 *
 * <pre>{@code
 * try (Model blip = Models.load("Salesforce/blip2-opt-2.7b")) {
 *   Image photo = Image.read(file);
 *   QueryMaps maps = blip.queries().look(photo).run();
 *   maps.sheet(photo).save(Path.of("queries.png"));
 * }
 * }</pre>
 */
public interface Queries {
  /**
   * Begins to look at a picture.
   *
   * @param image the picture
   * @return the request, to be run
   * @throws ClosedException if the model was closed
   */
  QueriesRequest look(Image image);
}
