package dev.lmm.core.text;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import dev.lmm.CheckpointException;
import dev.lmm.EngineException;
import dev.lmm.core.engine.Platform;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashMap;
import java.util.Map;

/** The native tokenizers of this process: one for each content, counted. */
final class NativeTokenizers {
  static {
    // Read by DJL when its classes load: no usage report, no download of another native flavour.
    System.setProperty("OPT_OUT_TRACKING", "true");
    System.setProperty("ai.djl.offline", "true");
    if (System.getProperty("RUST_FLAVOR") == null) {
      System.setProperty("RUST_FLAVOR", "cpu");
    }
  }

  private static final Map<ByteBuffer, Shared> OPEN = new HashMap<>();
  private static boolean everOpened;

  private NativeTokenizers() {}

  /** A native tokenizer and how many hold it. */
  static final class Shared {
    private final ByteBuffer key;
    private final HuggingFaceTokenizer library;
    private int holders;

    private Shared(ByteBuffer key, HuggingFaceTokenizer library) {
      this.key = key;
      this.library = library;
    }

    /** The native tokenizer; may be called by many threads at once. */
    HuggingFaceTokenizer library() {
      return library;
    }

    /** Lets go; to be called once by each holder. */
    void release() {
      synchronized (OPEN) {
        if (--holders == 0) {
          OPEN.remove(key);
          library.close();
        }
      }
    }
  }

  /**
   * The native tokenizer of a content.
   *
   * @param json a tokenizer.json that keeps to {@link TokenizerRules}
   * @param source what to call it in messages
   * @return the tokenizer, to be released
   * @throws CheckpointException if the library refuses it
   * @throws EngineException if the native library is not there for this platform
   */
  static Shared open(byte[] json, String source) {
    ByteBuffer key = ByteBuffer.wrap(sha256(json));
    // The lock is held while the content is read, so that two loads at once read it once.
    synchronized (OPEN) {
      everOpened = true;
      Shared shared = OPEN.get(key);
      if (shared == null) {
        shared = new Shared(key, read(json, source));
        OPEN.put(key, shared);
      }
      shared.holders++;
      return shared;
    }
  }

  /** Whether the native library has been asked for in this process. */
  static boolean everOpened() {
    synchronized (OPEN) {
      return everOpened;
    }
  }

  /** How many are open. */
  static int open() {
    synchronized (OPEN) {
      return OPEN.size();
    }
  }

  private static HuggingFaceTokenizer read(byte[] json, String source) {
    try {
      return HuggingFaceTokenizer.newInstance(
          new ByteArrayInputStream(json), Map.of("truncation", "false", "padding", "false"));
    } catch (IOException e) {
      throw new CheckpointException(source + ": cannot be read: " + e.getMessage(), e);
    } catch (LinkageError e) {
      throw notLoaded(e);
    } catch (RuntimeException e) {
      // The binding's class for it lies in a jar that this module does not see.
      if (e.getClass().getName().equals("ai.djl.engine.EngineException")) {
        throw notLoaded(e);
      }
      throw new CheckpointException(source + ": is no usable tokenizer: " + e.getMessage(), e);
    }
  }

  private static EngineException notLoaded(Throwable failure) {
    Platform platform = Platform.current();
    Throwable cause = failure.getCause() == null ? failure : failure.getCause();
    return new EngineException(
        "The native tokenizers library does not load on "
            + platform.label()
            + ": "
            + (platform.supported() ? cause : platform.cure()),
        failure);
  }

  private static byte[] sha256(byte[] json) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(json);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every Java has SHA-256", e);
    }
  }
}
