package dev.lmm.fuzz;

import dev.lmm.Image;
import dev.lmm.core.vision.DecodeLimits;
import dev.lmm.core.vision.PictureDecoder;
import java.util.ArrayList;
import java.util.List;

/**
 * A picture file of any format. The limit of pixels is a million, so that what a sound picture
 * itself needs does not hide what a broken one takes.
 */
final class ImageTarget implements Target {
  private static final String GOLDEN = "lmm-core/src/test/resources/golden/pictures/";
  private final PictureDecoder decoder =
      new PictureDecoder(DecodeLimits.standard().withMaxPixels(1 << 20));

  @Override
  public void read(byte[] input) {
    Image image = decoder.decode(input, "picture");
    if (image.rgb().length != image.width() * image.height() * 3) {
      throw new IllegalStateException(image + " has " + image.rgb().length + " bytes");
    }
  }

  @Override
  public List<byte[]> seeds() {
    List<byte[]> seeds = new ArrayList<>(Seeds.folder(GOLDEN + "made", 6000, name -> true));
    seeds.addAll(Seeds.folder(GOLDEN + "files", 7000, name -> true));
    return seeds;
  }

  @Override
  public List<String> words() {
    return List.of(
        "\u00ff\u00d8",
        "\u00ff\u00c0\0\21\10",
        "\u00ff\u00c2\0\21\10",
        "\u00ff\u00c4",
        "\u00ff\u00da",
        "\u00ff\u00db",
        "\u00ff\u00dd\0\4",
        "\u00ff\u00d9",
        "\u00ff\u00ee\0\16Adobe",
        "\u00ff\u00e1\0\50Exif\0\0",
        "\u0089PNG\r\n\u001a\n",
        "IHDR",
        "PLTE",
        "tRNS",
        "IDAT",
        "IEND",
        "eXIf",
        "acTL",
        "GIF89a",
        "!\u00f9\4",
        ",",
        "BM",
        "RIFF",
        "WEBP",
        "VP8 ",
        "VP8L",
        "VP8X",
        "ALPH",
        "ANMF",
        "EXIF",
        "II*\0",
        "MM\0*",
        "II+\0\10\0\0\0\20\0\0\0\0\0\0\0",
        "\u00ff\u00ff",
        "\u00ff\u00ff\u00ff\u00ff",
        "\u007f\u00ff\u00ff\u00ff",
        "\0\0\0\0",
        "\0\0\1\0");
  }
}
