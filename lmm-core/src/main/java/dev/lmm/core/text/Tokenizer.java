package dev.lmm.core.text;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import dev.lmm.Check;
import dev.lmm.CheckpointException;
import dev.lmm.ClosedException;
import dev.lmm.EngineException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * Text to token ids and back, by Hugging Face's own library. Thread-safe. Close is harmless twice;
 * using it afterwards throws {@link ClosedException}.
 */
public final class Tokenizer implements AutoCloseable {
  static {
    // Read by DJL when its classes load: no usage report, no download of another native flavour.
    System.setProperty("OPT_OUT_TRACKING", "true");
    System.setProperty("ai.djl.offline", "true");
    if (System.getProperty("RUST_FLAVOR") == null) {
      System.setProperty("RUST_FLAVOR", "cpu");
    }
  }

  private final HuggingFaceTokenizer tokenizer;
  // Native memory must not go while a call is in it.
  private final ReadWriteLock lock = new ReentrantReadWriteLock();
  private boolean closed;

  /**
   * Ids and pieces of a text.
   *
   * @param ids the ids
   * @param tokens the pieces in the vocabulary's own spelling
   */
  @SuppressWarnings("ArrayRecordComponent") // handed over, never compared
  public record Encoded(int[] ids, String[] tokens) {}

  private Tokenizer(HuggingFaceTokenizer tokenizer) {
    this.tokenizer = tokenizer;
  }

  /**
   * Makes a tokenizer of the content of a tokenizer.json.
   *
   * @param json the content
   * @param source what to call it in messages
   * @return the tokenizer, to be closed
   * @throws CheckpointException if the library refuses it
   * @throws EngineException if the native library is not there for this platform
   */
  static Tokenizer of(byte[] json, String source) {
    try {
      return new Tokenizer(
          HuggingFaceTokenizer.newInstance(
              new ByteArrayInputStream(json), Map.of("truncation", "false", "padding", "false")));
    } catch (IOException e) {
      throw new CheckpointException(source + ": cannot be read: " + e.getMessage(), e);
    } catch (UnsatisfiedLinkError | ExceptionInInitializerError | NoClassDefFoundError e) {
      throw new EngineException(
          "The native tokenizers library does not load on "
              + System.getProperty("os.name")
              + " "
              + System.getProperty("os.arch")
              + "; there are builds for Linux (glibc) x64 and arm64, Windows x64 and macOS arm64",
          e);
    } catch (RuntimeException e) {
      throw new CheckpointException(source + ": is no usable tokenizer: " + e.getMessage(), e);
    }
  }

  /**
   * Encodes a text, neither padded nor cut.
   *
   * @param text any text
   * @param specialTokens whether the tokenizer adds its own begin and end tokens
   * @return ids and pieces
   */
  public Encoded encode(String text, boolean specialTokens) {
    String valid = wellFormed(Check.notNull(text, "text"));
    lock.readLock().lock();
    try {
      open();
      Encoding encoding = tokenizer.encode(valid, specialTokens, false);
      long[] wide = encoding.getIds();
      int[] ids = new int[wide.length];
      for (int i = 0; i < ids.length; i++) {
        ids[i] = (int) wide[i];
      }
      return new Encoded(ids, encoding.getTokens());
    } finally {
      lock.readLock().unlock();
    }
  }

  /**
   * Turns ids back into text.
   *
   * @param ids the ids
   * @param skipSpecialTokens whether special tokens leave no trace
   * @return the text
   */
  public String decode(int[] ids, boolean skipSpecialTokens) {
    long[] wide = new long[Check.notNull(ids, "ids").length];
    for (int i = 0; i < wide.length; i++) {
      wide[i] = ids[i];
    }
    lock.readLock().lock();
    try {
      open();
      return tokenizer.decode(wide, skipSpecialTokens);
    } finally {
      lock.readLock().unlock();
    }
  }

  private void open() {
    if (closed) {
      throw new ClosedException("The tokenizer was closed");
    }
  }

  /** Half a surrogate pair is no text; the native library takes UTF-8 only. */
  private static String wellFormed(String text) {
    for (int i = 0; i < text.length(); i++) {
      if (Character.isSurrogate(text.charAt(i))) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        return new String(utf8, StandardCharsets.UTF_8);
      }
    }
    return text;
  }

  @Override
  public void close() {
    lock.writeLock().lock();
    try {
      if (!closed) {
        closed = true;
        tokenizer.close();
      }
    } finally {
      lock.writeLock().unlock();
    }
  }
}
