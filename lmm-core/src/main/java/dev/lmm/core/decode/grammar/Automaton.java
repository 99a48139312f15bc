package dev.lmm.core.decode.grammar;

import dev.lmm.InvalidRequestException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The deterministic automaton of a grammar over a vocabulary. States are made when first reached,
 * and so are their token masks, so that nothing grows that is not walked through; what grows is
 * bounded and thrown away when full. From every state that can be reached the text can be finished
 * with tokens of one byte. Thread-safe.
 */
final class Automaton {
  /** More states than this, and all are forgotten and made again when needed. */
  private static final int MOST_STATES = 20_000;

  /** Masks take vocabulary / 8 bytes each. */
  private static final int MOST_MASKS = 1_000;

  /** Elementary steps that one mask may cost: some seconds. */
  private static final long MOST_WORK = 2_000_000_000L;

  /** A state: the states of the nondeterministic automaton it stands for. */
  static final class State {
    private final int[] members;
    private final State[] next;
    private final boolean accepting;
    private final int distance;
    private @Nullable Mask mask;

    State(int[] members, int classes, boolean accepting, int distance) {
      this.members = members;
      this.next = new State[classes];
      this.accepting = accepting;
      this.distance = distance;
    }

    /** Whether the text may end here. */
    boolean accepting() {
      return accepting;
    }

    /** Bytes that suffice to finish. */
    int distance() {
      return distance;
    }

    /** Whether nothing may follow. */
    boolean last() {
      return accepting && members.length == 1 && members[0] == 0;
    }
  }

  /**
   * Tokens that may come.
   *
   * @param allowed one bit for each id
   * @param farthest the largest distance that any of them leads to
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Mask(long[] allowed, int farthest) {
    boolean allows(int id) {
      return (allowed[id >> 6] >>> id & 1) != 0;
    }
  }

  private final Nfa nfa;
  private final TokenBytes tokens;
  private final int[] distances;
  private final int[] classOf;
  private final int[] example;
  private final State dead;
  private final State start;
  private final Map<Key, State> states = new HashMap<>();
  private final int[] mark;
  private int round;
  private int masks;
  private long work;

  @SuppressWarnings("ArrayRecordComponent") // compared by content below
  private record Key(int[] members) {
    @Override
    public boolean equals(@Nullable Object other) {
      return other instanceof Key key && Arrays.equals(members, key.members);
    }

    @Override
    public int hashCode() {
      return Arrays.hashCode(members);
    }
  }

  Automaton(Nfa nfa, TokenBytes tokens, String description) {
    this.nfa = nfa;
    this.tokens = tokens;
    this.distances = nfa.distances(tokens.single());
    this.classOf = nfa.byteClasses();
    this.example = new int[classOf[255] + 1];
    for (int b = 255; b >= 0; b--) {
      example[classOf[b]] = b;
    }
    this.mark = new int[nfa.size()];
    this.dead = new State(new int[0], 0, false, Integer.MAX_VALUE);
    IntList members = new IntList();
    round++;
    close(nfa.start(), members);
    this.start = intern(members);
    if (start == dead) {
      throw new InvalidRequestException(
          description + ": nothing that the vocabulary can write satisfies it");
    }
  }

  private static final class IntList {
    int[] items = new int[16];
    int size;

    void add(int item) {
      if (size == items.length) {
        items = Arrays.copyOf(items, 2 * size);
      }
      items[size++] = item;
    }
  }

  State start() {
    return start;
  }

  /** All reading states reachable without reading, from which the text can be finished. */
  private void close(int from, IntList members) {
    IntList open = new IntList();
    open.add(from);
    while (open.size > 0) {
      int state = open.items[--open.size];
      work++;
      if (state < 0 || mark[state] == round || distances[state] == Integer.MAX_VALUE) {
        continue;
      }
      mark[state] = round;
      if (nfa.splits(state) && !nfa.accepts(state)) {
        open.add(nfa.second(state));
        open.add(nfa.first(state));
      } else {
        members.add(state);
      }
    }
  }

  private State intern(IntList list) {
    if (list.size == 0) {
      return dead;
    }
    int[] members = Arrays.copyOf(list.items, list.size);
    Arrays.sort(members);
    Key key = new Key(members);
    State known = states.get(key);
    if (known == null) {
      if (states.size() >= MOST_STATES) {
        states.clear();
      }
      int distance = Integer.MAX_VALUE;
      for (int member : members) {
        distance = Math.min(distance, distances[member]);
      }
      known = new State(members, example.length, members[0] == 0, distance);
      states.put(key, known);
    }
    return known;
  }

  private State next(State state, int value) {
    if (state == dead) {
      return dead;
    }
    int group = classOf[value];
    State next = state.next[group];
    if (next == null) {
      IntList members = new IntList();
      round++;
      int b = example[group];
      for (int member : state.members) {
        work++;
        if (!nfa.accepts(member) && nfa.low(member) <= b && b <= nfa.high(member)) {
          close(nfa.first(member), members);
        }
      }
      next = intern(members);
      state.next[group] = next;
    }
    return next;
  }

  /**
   * Where some bytes lead.
   *
   * @return the state, or null if they may not come
   */
  synchronized @Nullable State after(State state, byte[] bytes) {
    State at = state;
    for (byte b : bytes) {
      at = next(at, b & 255);
    }
    return at == dead ? null : at;
  }

  /** The tokens that may come at a state; computed once. */
  synchronized Mask mask(State state) {
    Mask mask = state.mask;
    if (mask == null) {
      if (++masks > MOST_MASKS) {
        masks = 0;
        states.values().forEach(each -> each.mask = null);
      }
      mask = walk(state, Integer.MAX_VALUE);
      state.mask = mask;
    }
    return mask;
  }

  /** The tokens that may come and from which so many bytes suffice to finish. */
  synchronized Mask maskWithin(State state, int distance) {
    return walk(state, distance);
  }

  private Mask walk(State state, int limit) {
    long[] allowed = new long[(tokens.size() + 63) / 64];
    int farthest = 0;
    work = 0;
    State[] path = new State[16];
    path[0] = state;
    // path[0..valid] are the states along the token before; beyond lies none.
    int valid = 0;
    boolean blocked = false;
    for (int i = 0; i < tokens.count(); i++) {
      int common = tokens.shared(i);
      if (blocked && common > valid) {
        continue;
      }
      byte[] bytes = tokens.bytes(i);
      if (bytes.length >= path.length) {
        path = Arrays.copyOf(path, 2 * bytes.length);
      }
      int at = Math.min(common, valid);
      blocked = false;
      while (at < bytes.length) {
        State to = next(path[at], bytes[at] & 255);
        if (to == dead) {
          blocked = true;
          break;
        }
        path[++at] = to;
      }
      valid = at;
      if (!blocked && path[at].distance <= limit) {
        int id = tokens.id(i);
        allowed[id >> 6] |= 1L << id;
        farthest = Math.max(farthest, path[at].distance);
      }
      if (work > MOST_WORK) {
        throw new InvalidRequestException(
            "grammar: is too ambiguous: the tokens of one step took more than "
                + MOST_WORK
                + " operations; avoid repetitions that overlap, or make their counts smaller");
      }
    }
    return new Mask(allowed, farthest);
  }

  /** What one token does, for tests and for taking a choice. */
  @Nullable State take(State state, int id) {
    int i = tokens.index(id);
    return i < 0 ? null : after(state, tokens.bytes(i));
  }
}
