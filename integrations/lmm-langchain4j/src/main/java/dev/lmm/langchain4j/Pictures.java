package dev.lmm.langchain4j;

import dev.langchain4j.data.image.Image;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.lmm.GeneratedImage;
import dev.lmm.ImageException;
import dev.lmm.spi.LocalPictures;
import java.net.URI;
import java.util.Base64;
import java.util.function.Function;

/** Pictures from one world to the other. */
final class Pictures {
  /** Reads {@code file:} and {@code data:}, and asks nobody for others. */
  static final Function<URI, dev.lmm.Image> LOCAL = Pictures::local;

  private Pictures() {}

  /**
   * A picture as lmm knows it.
   *
   * @param loader reads an address, where a picture is one
   */
  static dev.lmm.Image from(Image image, Function<URI, dev.lmm.Image> loader) {
    try {
      if (image.base64Data() != null) {
        return dev.lmm.Image.read(Base64.getMimeDecoder().decode(image.base64Data()));
      }
      return loader.apply(image.url());
    } catch (ImageException | IllegalArgumentException e) {
      throw new InvalidRequestException(e.getMessage(), e);
    }
  }

  private static dev.lmm.Image local(URI address) {
    dev.lmm.Image image = LocalPictures.read(address);
    if (image == null) {
      throw new UnsupportedFeatureException(
          "Pictures on the network are not supported by themselves. "
              + LocalPictures.refusal(address));
    }
    return image;
  }

  /** A picture as LangChain4j knows it: a PNG in base64, with how it was made inside. */
  static Image to(GeneratedImage made) {
    return Image.builder()
        .base64Data(Base64.getEncoder().encodeToString(made.png()))
        .mimeType("image/png")
        .build();
  }
}
