package dev.lmm.core.text;

import dev.lmm.ClosedException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Turns ids into text as they come. What the calls return, joined, is what {@link Tokenizer#decode}
 * gives for all ids at once. A character whose bytes lie in several tokens is held back until it is
 * whole. For one thread.
 */
public final class TextStream {
  private static final char REPLACEMENT = '\ufffd';

  private final Tokenizer tokenizer;
  private final boolean skipSpecialTokens;
  private final @Nullable CleanUp cleanUp;

  /** Ids whose text may still change, after those that gave the last text and set its spacing. */
  private int[] ids = new int[16];

  private int count;

  /** Where the ids begin that came after the last time the text was whole. */
  private int fresh;

  /** How many characters of the text of {@link #ids} were handed out. */
  private int given;

  private boolean finished;

  /**
   * Starts a stream.
   *
   * @param tokenizer decodes
   * @param skipSpecialTokens whether special tokens leave no trace
   * @param cleanUp takes blanks away, or null
   */
  TextStream(Tokenizer tokenizer, boolean skipSpecialTokens, @Nullable CleanUp cleanUp) {
    this.tokenizer = tokenizer;
    this.skipSpecialTokens = skipSpecialTokens;
    this.cleanUp = cleanUp;
  }

  /**
   * Takes the next id.
   *
   * @param id the id
   * @return the text that is certain now and was not before; may be empty
   * @throws ClosedException if the stream was finished or the tokenizer closed
   */
  public String accept(int id) {
    check();
    String news = decoded(id);
    return cleanUp == null || news.isEmpty() ? news : cleanUp.accept(news);
  }

  private String decoded(int id) {
    if (count == ids.length) {
      ids = Arrays.copyOf(ids, 2 * count);
    }
    ids[count++] = id;
    if (tokenizer.isByte(id)) {
      // A run of bytes is one text or none; the next byte may make all of it invalid.
      return "";
    }
    String text = text();
    // Only a replacement at the very end may yet become a character.
    boolean whole = text.isEmpty() || text.charAt(text.length() - 1) != REPLACEMENT;
    int certain = whole ? text.length() : text.length() - 1;
    if (certain <= given) {
      return "";
    }
    String news = text.substring(given, certain);
    given = certain;
    if (whole) {
      // The ids of this stretch stay, as what comes next may depend on something before it.
      ids = Arrays.copyOfRange(ids, fresh, Math.max(fresh + 16, count));
      count -= fresh;
      fresh = count;
      given = text().length();
    }
    return news;
  }

  /**
   * Ends the stream.
   *
   * @return what was held back; bytes that are no character become U+FFFD
   * @throws ClosedException if the stream was finished before or the tokenizer closed
   */
  public String finish() {
    check();
    finished = true;
    String text = text();
    String rest = text.length() <= given ? "" : text.substring(given);
    return cleanUp == null ? rest : cleanUp.accept(rest) + cleanUp.finish();
  }

  private void check() {
    if (finished) {
      throw new ClosedException("The text stream was finished");
    }
  }

  private String text() {
    return tokenizer.decodeUntrimmed(Arrays.copyOf(ids, count), skipSpecialTokens);
  }
}
