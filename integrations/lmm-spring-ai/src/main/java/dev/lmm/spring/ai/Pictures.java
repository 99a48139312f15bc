package dev.lmm.spring.ai;

import dev.lmm.Image;
import dev.lmm.InvalidRequestException;
import dev.lmm.spi.LocalPictures;
import java.net.URI;
import java.nio.ByteBuffer;
import java.util.function.Function;
import org.springframework.ai.content.Media;

/** Pictures from Spring AI's world. */
final class Pictures {
  /** Reads {@code file:} and {@code data:}, and asks nobody for others. */
  static final Function<URI, Image> LOCAL = Pictures::local;

  private Pictures() {}

  /**
   * A picture as lmm knows it.
   *
   * @param loader reads an address, where a picture is one
   */
  static Image from(Media media, Function<URI, Image> loader) {
    if (!isPicture(media)) {
      throw new InvalidRequestException(
          "media: is " + media.getMimeType() + "; expected a picture (image/…)");
    }
    if (media.getData() instanceof byte[] bytes) {
      return Image.read(bytes);
    }
    try {
      return loader.apply(URI.create(media.getData().toString()));
    } catch (IllegalArgumentException e) {
      throw new InvalidRequestException("media: is no address: " + e.getMessage(), e);
    }
  }

  static boolean isPicture(Media media) {
    return media.getMimeType().getType().equals("image");
  }

  /** Equal for media of the same content. */
  static Object key(Media media) {
    return media.getData() instanceof byte[] bytes ? ByteBuffer.wrap(bytes) : media.getData();
  }

  private static Image local(URI address) {
    Image image = LocalPictures.read(address);
    if (image == null) {
      throw new InvalidRequestException(LocalPictures.refusal(address));
    }
    return image;
  }
}
