package dev.lmm;

import java.util.function.Supplier;

/** One step of a picture under way. Only valid while its listener runs. */
public final class DenoisingStep {
  private final int picture;
  private final int index;
  private final int count;
  private final double timestep;
  private final Supplier<Image> preview;
  private final Supplier<Image> decoded;

  /**
   * For families.
   *
   * @param picture which picture of the request, from 0
   * @param index which step, from 0
   * @param count number of steps
   * @param timestep of the noise schedule, falling from about 1000 to 0
   * @param preview makes the rough picture
   * @param decoded makes the full picture
   */
  public DenoisingStep(
      int picture,
      int index,
      int count,
      double timestep,
      Supplier<Image> preview,
      Supplier<Image> decoded) {
    this.picture = picture;
    this.index = index;
    this.count = count;
    this.timestep = timestep;
    this.preview = preview;
    this.decoded = decoded;
  }

  /**
   * Which picture of the request.
   *
   * @return from 0
   */
  public int picture() {
    return picture;
  }

  /**
   * Which step was just done.
   *
   * @return from 0
   */
  public int index() {
    return index;
  }

  /**
   * How many steps there are.
   *
   * @return at least 1
   */
  public int count() {
    return count;
  }

  /**
   * Where on the noise schedule the step began.
   *
   * @return from about 1000, noise alone, to 0
   */
  public double timestep() {
    return timestep;
  }

  /**
   * A rough preview of the picture's size: a linear map of the latents, enlarged. Costs next to
   * nothing.
   *
   * @return the preview
   */
  public Image preview() {
    return preview.get();
  }

  /**
   * The picture as it would be decoded now. Costs as much as decoding the result.
   *
   * @return the picture at full size
   */
  public Image decoded() {
    return decoded.get();
  }
}
