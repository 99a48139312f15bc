package dev.lmm.core.decode;

import dev.lmm.Check;
import dev.lmm.ClosedException;
import dev.lmm.InvalidRequestException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * One conversation: keeps what the model has read, so that a prompt that begins like the last one
 * and its answer is read from where it differs. Several sessions share one model. One answer at a
 * time; a second while the first is open is refused. A run that fails or is stopped leaves the
 * session usable.
 */
public final class Session implements AutoCloseable {
  /** Caches grow by this many entries, so that a few more turns fit. */
  private static final int GROWTH = 256;

  private final Decoder decoder;
  private final AtomicBoolean busy = new AtomicBoolean();
  private final List<Entry> read = new ArrayList<>();
  private @Nullable KvCache cache;
  private volatile boolean closed;

  Session(Decoder decoder) {
    this.decoder = decoder;
  }

  /**
   * Answers a prompt.
   *
   * @param prompt all of the conversation so far
   * @param options how
   * @return the answer
   * @throws InvalidRequestException if the context has no room, or an answer is being written
   * @throws dev.lmm.CancelledException if it was stopped
   */
  public Generation generate(Prompt prompt, GenerationOptions options) {
    try (TextRun run = stream(prompt, options)) {
      return run.result();
    }
  }

  /**
   * Answers a prompt token by token. The session is taken until the run is closed.
   *
   * @param prompt all of the conversation so far
   * @param options how
   * @return the answer to come; nothing has been computed yet
   * @throws InvalidRequestException if the context has no room, or an answer is being written
   */
  public TextRun stream(Prompt prompt, GenerationOptions options) {
    Check.that(
        options.beams() == 1,
        "beams: is " + options.beams() + "; a beam search cannot stream, use Decoder.search");
    int limit = decoder.limit(prompt, options);
    Answer answer = decoder.answer(prompt, options, limit, options.seed());
    if (!busy.compareAndSet(false, true)) {
      throw new InvalidRequestException(
          "session: is writing another answer; close that one first, or open a second session");
    }
    try {
      requireOpen();
      int cached = common(prompt);
      room(prompt.length() + limit);
      return new TextRun(this, prompt, options, answer, cached);
    } catch (RuntimeException | Error e) {
      release();
      throw e;
    }
  }

  /**
   * How many entries it keeps.
   *
   * @return entries read, answers included
   */
  public int kept() {
    return read.size();
  }

  private int common(Prompt prompt) {
    int most = Math.min(read.size(), prompt.length());
    int same = 0;
    while (same < most && prompt.entry(same).equals(read.get(same))) {
      same++;
    }
    // The last entry is read in any case: its logits are wanted.
    return Math.min(same, prompt.length() - 1);
  }

  private void room(int entries) {
    KvCache old = cache;
    if (old != null && old.capacity() >= entries) {
      return;
    }
    int capacity = (int) Math.min(decoder.model().contextLength(), (long) entries + GROWTH);
    KvCache grown = decoder.model().newCache(1, capacity);
    if (old != null) {
      try {
        int kept = Math.min(read.size(), capacity);
        grown.copyRows(old, new int[] {0}, new int[] {0}, 0, kept);
      } catch (RuntimeException | Error e) {
        grown.close();
        throw e;
      }
      old.close();
    }
    cache = grown;
  }

  /** Reads what of a prompt it has not read yet. */
  float[] read(Prompt prompt, GenerationOptions options) {
    int same = common(prompt);
    forgetFrom(same);
    return Steps.prefill(
        decoder.model(),
        open(),
        prompt,
        same,
        options,
        to -> {
          for (int i = read.size(); i < to; i++) {
            read.add(prompt.entry(i));
          }
        });
  }

  /** Reads one token of the answer. */
  float[] step(int id, int position, int axes, GenerationOptions options) {
    int[] places = new int[axes];
    Arrays.fill(places, position);
    float[] logits =
        Steps.row(
            decoder.model(),
            Steps.next(
                decoder.model(),
                open(),
                new int[] {read.size()},
                new int[] {id},
                new int[] {position},
                axes,
                options.cancellation()),
            1,
            0);
    read.add(new Entry(id, null, 0, places));
    return logits;
  }

  private void forgetFrom(int size) {
    read.subList(size, read.size()).clear();
  }

  private KvCache open() {
    requireOpen();
    return Check.notNull(cache, "cache");
  }

  private void requireOpen() {
    if (closed) {
      throw new ClosedException("The session was closed");
    }
  }

  void release() {
    busy.set(false);
    if (closed) {
      free();
    }
  }

  private synchronized void free() {
    if (cache != null) {
      cache.close();
      cache = null;
    }
    read.clear();
  }

  /** Frees the cache, at the latest when the open answer is closed. Harmless twice. */
  @Override
  public void close() {
    closed = true;
    if (!busy.get()) {
      free();
    }
  }
}
