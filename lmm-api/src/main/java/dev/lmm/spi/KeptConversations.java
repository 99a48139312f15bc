package dev.lmm.spi;

import dev.lmm.Check;
import dev.lmm.Conversation;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Conversations that wait for their next question, found again by what was said in them: for
 * adapters to interfaces that hand over the whole conversation with each question, so that one that
 * goes on reads only what is new. Thread-safe.
 *
 * @param <M> what is said, equal if text and pictures are
 */
public final class KeptConversations<M> implements AutoCloseable {
  private final int most;
  private final Map<List<M>, Conversation> idle = new LinkedHashMap<>();
  private boolean closed;

  /**
   * Keeps nothing yet.
   *
   * @param most how many are kept; at least 0
   */
  public KeptConversations(int most) {
    Check.that(most >= 0, "keptConversations: is " + most + "; expected at least 0");
    this.most = most;
  }

  /**
   * Hands out the conversation in which all this was said, and nothing else.
   *
   * @param said from its beginning
   * @return the conversation, now the caller's alone; null if there is none
   */
  public @Nullable Conversation take(List<M> said) {
    synchronized (idle) {
      return idle.remove(said);
    }
  }

  /**
   * Keeps a conversation for its next question, and closes the eldest if there are too many.
   *
   * @param said from its beginning, the last answer included
   * @param conversation no longer the caller's
   */
  public void keep(List<M> said, Conversation conversation) {
    List<Conversation> old = new ArrayList<>();
    synchronized (idle) {
      Conversation before = idle.put(List.copyOf(said), conversation);
      if (before != null) {
        old.add(before);
      }
      Iterator<Conversation> eldest = idle.values().iterator();
      while (closed ? eldest.hasNext() : idle.size() > most) {
        old.add(eldest.next());
        eldest.remove();
      }
    }
    old.forEach(Conversation::close);
  }

  /** Closes all that wait, and each that comes later. */
  @Override
  public void close() {
    List<Conversation> all;
    synchronized (idle) {
      closed = true;
      all = List.copyOf(idle.values());
      idle.clear();
    }
    all.forEach(Conversation::close);
  }
}
