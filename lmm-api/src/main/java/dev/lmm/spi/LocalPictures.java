package dev.lmm.spi;

import dev.lmm.Image;
import dev.lmm.ImageException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/** Pictures by addresses that ask nobody: {@code file:} and {@code data:}. For adapters. */
public final class LocalPictures {
  private static final String BASE64 = ";base64,";

  private LocalPictures() {}

  /**
   * Reads a picture.
   *
   * @param address its address
   * @return the picture; null if the address is neither {@code file:} nor {@code data:} in base64
   * @throws ImageException if it is no picture, or cannot be read
   * @throws IllegalArgumentException if the address is broken
   */
  public static @Nullable Image read(URI address) {
    if ("file".equals(address.getScheme())) {
      return Image.read(Path.of(address));
    }
    if ("data".equals(address.getScheme())) {
      String rest = address.getSchemeSpecificPart();
      int at = rest.indexOf(BASE64);
      if (at >= 0) {
        byte[] encoded = rest.substring(at + BASE64.length()).getBytes(StandardCharsets.US_ASCII);
        return Image.read(Base64.getMimeDecoder().decode(encoded));
      }
    }
    return null;
  }

  /**
   * What to say of an address that is not read.
   *
   * @param address where a picture lies
   * @return a sentence without a full stop
   */
  public static String refusal(URI address) {
    return "A picture at "
        + address
        + " is not fetched: give its bytes (base64), a file: or data: address, or an imageLoader"
        + " that may fetch it";
  }
}
