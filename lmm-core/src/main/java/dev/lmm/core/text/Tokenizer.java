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
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.jspecify.annotations.Nullable;

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
  private final @Nullable SiglipText siglip;
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

  private Tokenizer(HuggingFaceTokenizer tokenizer, @Nullable SiglipText siglip) {
    this.tokenizer = tokenizer;
    this.siglip = siglip;
  }

  /**
   * Makes a tokenizer of the content of a tokenizer.json.
   *
   * @param json the content
   * @param source what to call it in messages
   * @param siglip prepares text as the first SigLIP does, or null
   * @return the tokenizer, to be closed
   * @throws CheckpointException if the library refuses it
   * @throws EngineException if the native library is not there for this platform
   */
  static Tokenizer of(byte[] json, String source, @Nullable SiglipText siglip) {
    try {
      return new Tokenizer(
          HuggingFaceTokenizer.newInstance(
              new ByteArrayInputStream(json), Map.of("truncation", "false", "padding", "false")),
          siglip);
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
      return siglip == null
          ? encodeNative(valid, specialTokens)
          : encodeSiglip(siglip, valid, specialTokens);
    } finally {
      lock.readLock().unlock();
    }
  }

  private Encoded encodeNative(String text, boolean specialTokens) {
    Encoding encoding = tokenizer.encode(text, specialTokens, false);
    long[] wide = encoding.getIds();
    int[] ids = new int[wide.length];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = (int) wide[i];
    }
    return new Encoded(ids, encoding.getTokens());
  }

  private Encoded encodeSiglip(SiglipText prepare, String text, boolean specialTokens) {
    List<Integer> ids = new ArrayList<>();
    List<String> tokens = new ArrayList<>();
    // The reference puts the unknown token's text before each stretch, which keeps blanks at its
    // start, and takes its pieces away again; unknown characters after it melt into it.
    int before = encodeNative(prepare.normalized(SiglipText.UNKNOWN), false).ids().length;
    for (SiglipText.Stretch stretch : SiglipText.stretches(text)) {
      if (stretch.special()) {
        ids.add(prepare.id(stretch.text()));
        tokens.add(stretch.text());
      } else {
        Encoded encoded =
            encodeNative(prepare.normalized(SiglipText.UNKNOWN + stretch.text()), false);
        int first = encoded.ids().length >= before ? before : 0;
        for (int i = first; i < encoded.ids().length; i++) {
          ids.add(encoded.ids()[i]);
          tokens.add(encoded.tokens()[i]);
        }
      }
    }
    if (specialTokens && (ids.isEmpty() || ids.get(ids.size() - 1) != prepare.eosId())) {
      ids.add(prepare.eosId());
      tokens.add(SiglipText.EOS);
    }
    return new Encoded(
        ids.stream().mapToInt(Integer::intValue).toArray(), tokens.toArray(new String[0]));
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
