package dev.lmm.langchain4j;

import dev.langchain4j.data.image.Image;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.lmm.GeneratedImage;
import dev.lmm.ImageException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.function.Function;

/** Pictures from one world to the other. */
final class Pictures {
  private static final String DATA = "data";
  private static final String BASE64 = ";base64,";

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
    String scheme = address.getScheme();
    if ("file".equals(scheme)) {
      return dev.lmm.Image.read(Path.of(address));
    }
    if (DATA.equals(scheme)) {
      String rest = address.getSchemeSpecificPart();
      int at = rest.indexOf(BASE64);
      if (at >= 0) {
        byte[] encoded = rest.substring(at + BASE64.length()).getBytes(StandardCharsets.US_ASCII);
        return dev.lmm.Image.read(Base64.getMimeDecoder().decode(encoded));
      }
    }
    throw new UnsupportedFeatureException(
        "A picture at "
            + address
            + " is not fetched: give its bytes (base64), a file: or data: address, or an imageLoader"
            + " that may fetch it");
  }

  /** A picture as LangChain4j knows it: a PNG in base64, with how it was made inside. */
  static Image to(GeneratedImage made) {
    try {
      Path file = Files.createTempFile("lmm", ".png");
      try {
        made.save(file);
        return Image.builder()
            .base64Data(Base64.getEncoder().encodeToString(Files.readAllBytes(file)))
            .mimeType("image/png")
            .build();
      } finally {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
