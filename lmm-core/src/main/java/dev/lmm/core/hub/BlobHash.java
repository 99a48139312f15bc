package dev.lmm.core.hub;

import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/** The hash that names a blob: SHA-256 of large files, the SHA-1 that git gives others. */
final class BlobHash {
  private final MessageDigest digest;

  private BlobHash(MessageDigest digest) {
    this.digest = digest;
  }

  /**
   * The hash of the kind that a name is.
   *
   * @param etag a blob's name
   * @param size of the blob in bytes, which git's hash begins with
   * @return null if the name is no hash
   */
  static @Nullable BlobHash of(String etag, long size) {
    if (etag.matches("[0-9a-f]{64}")) {
      return new BlobHash(digest("SHA-256"));
    }
    if (etag.matches("[0-9a-f]{40}") && size >= 0) {
      MessageDigest digest = digest("SHA-1");
      digest.update(("blob " + size + "\0").getBytes(StandardCharsets.US_ASCII));
      return new BlobHash(digest);
    }
    return null;
  }

  private static MessageDigest digest(String algorithm) {
    try {
      return MessageDigest.getInstance(algorithm);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every Java platform has " + algorithm, e);
    }
  }

  void update(ByteBuffer bytes) {
    digest.update(bytes);
  }

  OutputStream sink(OutputStream behind) {
    return new DigestOutputStream(behind, digest);
  }

  String finish() {
    return HexFormat.of().formatHex(digest.digest());
  }
}
