package dev.lmm;

import java.util.List;

/**
 * What was found in a picture.
 *
 * @param regions in the order the model wrote them; none if it found nothing
 * @param answers what the model wrote: one answer, or one for each tile
 */
public record Located(List<Region> regions, List<Answer> answers) {
  /**
   * Copies the lists.
   *
   * @param regions in the order the model wrote them
   * @param answers what the model wrote
   */
  public Located {
    regions = List.copyOf(regions);
    answers = List.copyOf(answers);
  }

  /**
   * The regions over the picture.
   *
   * @param picture the one that was searched
   * @return a copy with boxes, points and labels
   */
  public Image draw(Image picture) {
    Drawing drawing = picture.draw();
    regions.forEach(region -> region.draw(drawing));
    return drawing.image();
  }
}
