package dev.lmm.core.text;

import ai.djl.huggingface.tokenizers.Encoding;
import dev.lmm.Check;
import dev.lmm.CheckpointException;
import dev.lmm.ClosedException;
import dev.lmm.InvalidRequestException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.jspecify.annotations.Nullable;

/**
 * Text to token ids and back, by Hugging Face's own library. Thread-safe. Close is harmless twice;
 * using it afterwards throws {@link ClosedException}. Tokenizers of the same content share one
 * native instance, which goes with the last of them.
 */
public final class Tokenizer implements AutoCloseable {
  /**
   * The longest text that is taken, in UTF-16 units: 1,048,576. Beyond it, the native pattern
   * engine may give up in a way that ends the process.
   */
  public static final int LONGEST_TEXT = 1 << 20;

  private final NativeTokenizers.Shared tokenizer;
  private final NativeTokenizers.@Nullable Shared plain;
  private final Vocabulary vocabulary;
  private final String source;
  private final @Nullable SiglipText siglip;
  private final String endOfWord;
  private final boolean cleanUp;
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

  /**
   * Takes over native tokenizers, which are released when this is closed.
   *
   * @param tokenizer the whole tokenizer
   * @param plain the same without control tokens, or null
   * @param vocabulary the ids of pieces
   * @param source what to call it in messages
   * @param siglip prepares text as the first SigLIP does, or null
   * @param endOfWord what pieces carry where a word ends, to be a blank in decoded text; empty for
   *     nothing
   * @param cleanUp whether decoded text loses blanks before punctuation
   */
  Tokenizer(
      NativeTokenizers.Shared tokenizer,
      NativeTokenizers.@Nullable Shared plain,
      Vocabulary vocabulary,
      String source,
      @Nullable SiglipText siglip,
      String endOfWord,
      boolean cleanUp) {
    this.tokenizer = tokenizer;
    this.plain = plain;
    this.vocabulary = vocabulary;
    this.source = source;
    this.siglip = siglip;
    this.endOfWord = endOfWord;
    this.cleanUp = cleanUp;
  }

  /**
   * Encodes a text, neither padded nor cut.
   *
   * @param text any text
   * @param specialTokens whether the tokenizer adds its own begin and end tokens
   * @return ids and pieces
   * @throws InvalidRequestException if the text is longer than {@link #LONGEST_TEXT}
   * @throws CheckpointException if the text holds something for which the tokenizer has no piece,
   *     and it has no unknown piece either
   */
  public Encoded encode(String text, boolean specialTokens) {
    String valid = wellFormed(text);
    lock.readLock().lock();
    try {
      open();
      return siglip == null
          ? encodeNative(tokenizer, valid, specialTokens)
          : encodeSiglip(siglip, valid, specialTokens);
    } finally {
      lock.readLock().unlock();
    }
  }

  /**
   * Encodes what a user typed to a model that chats: the name of a control token in it is plain
   * text. No tokens are added.
   *
   * @param text any text
   * @return ids and pieces, none of them a control token
   * @throws InvalidRequestException if the text is longer than {@link #LONGEST_TEXT} or this was
   *     not loaded by {@link Tokenizers#loadForChat}
   */
  public Encoded encodePlain(String text) {
    String valid = wellFormed(text);
    lock.readLock().lock();
    try {
      open();
      if (plain == null) {
        throw new InvalidRequestException(
            source + ": was loaded for captions; plain text needs a tokenizer loaded for chat");
      }
      return encodeNative(plain, valid, false);
    } finally {
      lock.readLock().unlock();
    }
  }

  private Encoded encodeNative(
      NativeTokenizers.Shared tokenizer, String text, boolean specialTokens) {
    Encoding encoding;
    try {
      encoding = tokenizer.library().encode(text, specialTokens, false);
    } catch (RuntimeException e) {
      throw new CheckpointException(source + ": cannot encode a text: " + e.getMessage(), e);
    }
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
    int before =
        encodeNative(tokenizer, prepare.normalized(SiglipText.UNKNOWN), false).ids().length;
    for (SiglipText.Stretch stretch : SiglipText.stretches(text)) {
      if (stretch.special()) {
        ids.add(prepare.id(stretch.text()));
        tokens.add(stretch.text());
      } else {
        Encoded encoded =
            encodeNative(tokenizer, prepare.normalized(SiglipText.UNKNOWN + stretch.text()), false);
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
   * @return the text; ids that are none leave no trace; bytes that are no character become U+FFFD
   */
  public String decode(int[] ids, boolean skipSpecialTokens) {
    String text = decodeUntrimmed(Check.notNull(ids, "ids"), skipSpecialTokens);
    String trimmed = endOfWord.isEmpty() ? text : text.strip();
    return cleanUp ? CleanUp.of(trimmed) : trimmed;
  }

  /** Decodes, and leaves blanks where the reference would strip or clean them away. */
  String decodeUntrimmed(int[] ids, boolean skipSpecialTokens) {
    long[] wide = new long[ids.length];
    for (int i = 0; i < wide.length; i++) {
      wide[i] = ids[i];
    }
    lock.readLock().lock();
    try {
      open();
      String text = tokenizer.library().decode(wide, skipSpecialTokens);
      return endOfWord.isEmpty() ? text : text.replace(endOfWord, " ");
    } catch (IllegalStateException | IllegalArgumentException e) {
      throw new CheckpointException(source + ": cannot decode ids: " + e.getMessage(), e);
    } finally {
      lock.readLock().unlock();
    }
  }

  /**
   * Turns ids into text as they come, never half a character.
   *
   * @param skipSpecialTokens whether special tokens leave no trace
   * @return a stream for one answer and one thread
   */
  public TextStream stream(boolean skipSpecialTokens) {
    return new TextStream(this, skipSpecialTokens, cleanUp ? new CleanUp() : null);
  }

  /**
   * The id of a piece in the vocabulary's own spelling, or of an added token.
   *
   * @param piece for instance {@code <|endoftext|>}
   * @return its id, or empty if there is none
   */
  public OptionalInt id(String piece) {
    return siglip == null || !SiglipText.isSpecial(Check.notNull(piece, "piece"))
        ? vocabulary.id(Check.notNull(piece, "piece"))
        : OptionalInt.of(siglip.id(piece));
  }

  /**
   * How many ids there are, added tokens included.
   *
   * @return one more than the largest id
   */
  public int vocabularySize() {
    return vocabulary.size();
  }

  /**
   * The bytes of text that a token writes. A token's bytes need not be whole characters; those of
   * several, joined, are the text before any clean-up of blanks.
   *
   * @param id the token
   * @return its bytes in UTF-8, or null for control tokens, added tokens and ids that are none
   */
  public byte @Nullable [] bytes(int id) {
    return vocabulary.bytes(id);
  }

  /**
   * The added tokens, control tokens among them, as they are spelt in a text.
   *
   * @return their ids by spelling
   */
  public Map<String, Integer> addedTokens() {
    return vocabulary.addedTokens();
  }

  /** Whether an id stands for one byte of a character that the vocabulary lacks. */
  boolean isByte(int id) {
    return vocabulary.isByte(id);
  }

  private void open() {
    if (closed) {
      throw new ClosedException("The tokenizer was closed");
    }
  }

  /** Half a surrogate pair is no text; the native library takes UTF-8 only. */
  private static String wellFormed(String text) {
    if (Check.notNull(text, "text").length() > LONGEST_TEXT) {
      throw new InvalidRequestException(
          "text: has " + text.length() + " characters; at most " + LONGEST_TEXT + " are taken");
    }
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
        tokenizer.release();
        if (plain != null) {
          plain.release();
        }
      }
    } finally {
      lock.writeLock().unlock();
    }
  }
}
