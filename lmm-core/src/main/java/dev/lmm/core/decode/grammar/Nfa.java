package dev.lmm.core.decode.grammar;

import dev.lmm.InvalidRequestException;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A nondeterministic automaton over bytes. State 0 accepts; every other reads one range of bytes or
 * splits without reading. Immutable once built.
 */
final class Nfa {
  /** More would take too much memory and time; a count in a pattern multiplies. */
  static final int MOST_STATES = 1_000_000;

  private static final int ACCEPT = 0;
  private static final int SPLIT = -1;

  private int size = 1;
  // low[s] = SPLIT: goes to first[s] and second[s] (or -1). Otherwise reads low..high, to first[s].
  private int[] low = new int[64];
  private int[] high = new int[64];
  private int[] first = new int[64];
  private int[] second = new int[64];
  private final int start;
  // States that read alike and go on alike are one: the tails of UTF-8 sequences mostly are.
  private final Map<Reading, Integer> known = new HashMap<>();

  private record Reading(int low, int high, int to) {}

  Nfa(Expr expr) {
    low[ACCEPT] = SPLIT;
    first[ACCEPT] = -1;
    second[ACCEPT] = -1;
    this.start = compile(expr, ACCEPT);
    known.clear();
  }

  int size() {
    return size;
  }

  int start() {
    return start;
  }

  boolean accepts(int state) {
    return state == ACCEPT;
  }

  boolean splits(int state) {
    return low[state] == SPLIT;
  }

  int low(int state) {
    return low[state];
  }

  int high(int state) {
    return high[state];
  }

  int first(int state) {
    return first[state];
  }

  int second(int state) {
    return second[state];
  }

  private int add(int lowByte, int highByte, int to, int also) {
    if (size == MOST_STATES) {
      throw new InvalidRequestException(
          "grammar: needs more than "
              + MOST_STATES
              + " states; make its counts smaller (maxLength, maxItems, {n,m})");
    }
    if (size == low.length) {
      low = Arrays.copyOf(low, 2 * size);
      high = Arrays.copyOf(high, 2 * size);
      first = Arrays.copyOf(first, 2 * size);
      second = Arrays.copyOf(second, 2 * size);
    }
    low[size] = lowByte;
    high[size] = highByte;
    first[size] = to;
    second[size] = also;
    return size++;
  }

  private int split(int a, int b) {
    return add(SPLIT, SPLIT, a, b);
  }

  /** States that read the language and go on at another state; gives the first of them. */
  private int compile(Expr expr, int next) {
    if (expr instanceof Expr.Range range) {
      return known.computeIfAbsent(
          new Reading(range.low(), range.high(), next), r -> add(r.low(), r.high(), r.to(), -1));
    }
    if (expr instanceof Expr.Seq seq) {
      int at = next;
      for (int i = seq.parts().size() - 1; i >= 0; i--) {
        at = compile(seq.parts().get(i), at);
      }
      return at;
    }
    if (expr instanceof Expr.Alt alt) {
      int at = -1;
      for (int i = alt.choices().size() - 1; i >= 0; i--) {
        int choice = compile(alt.choices().get(i), next);
        at = at < 0 ? choice : split(choice, at);
      }
      return at < 0 ? split(-1, -1) : at;
    }
    if (expr instanceof Expr.Repeat repeat) {
      return repeat(repeat, next);
    }
    if (expr instanceof Expr.Listed listed) {
      int more = split(-1, next);
      int item = compile(listed.item(), more);
      int again = compile(listed.separator(), item);
      first[more] = again;
      return item;
    }
    return members((Expr.Members) expr, next);
  }

  private int repeat(Expr.Repeat repeat, int next) {
    int at = next;
    if (repeat.max() < 0) {
      int loop = split(-1, next);
      // Compiling may move the arrays: not on the left of the same assignment.
      int body = compile(repeat.part(), loop);
      first[loop] = body;
      at = loop;
    } else {
      for (int i = repeat.min(); i < repeat.max(); i++) {
        at = split(compile(repeat.part(), at), next);
      }
    }
    for (int i = 0; i < repeat.min(); i++) {
      at = compile(repeat.part(), at);
    }
    return at;
  }

  private int members(Expr.Members members, int next) {
    int none = next;
    int some = next;
    for (int i = members.items().size() - 1; i >= 0; i--) {
      int item = compile(members.items().get(i), some);
      int separated = compile(members.separator(), item);
      boolean required = members.required().get(i);
      none = required ? item : split(item, none);
      some = required ? separated : split(separated, some);
    }
    return none;
  }

  /**
   * How many bytes suffice to accept from each state, if only some bytes may be read.
   *
   * @param usable which bytes
   * @return the least number, or {@link Integer#MAX_VALUE} where there is no way
   */
  int[] distances(boolean[] usable) {
    // Who leads to each state: a counting sort of all edges by their end.
    int[] begin = new int[size + 1];
    for (int s = 1; s < size; s++) {
      if (first[s] >= 0) {
        begin[first[s] + 1]++;
      }
      if (second[s] >= 0) {
        begin[second[s] + 1]++;
      }
    }
    for (int s = 0; s < size; s++) {
      begin[s + 1] += begin[s];
    }
    int[] before = new int[begin[size]];
    int[] filled = begin.clone();
    for (int s = 1; s < size; s++) {
      if (first[s] >= 0) {
        before[filled[first[s]]++] = s;
      }
      if (second[s] >= 0) {
        before[filled[second[s]]++] = s;
      }
    }
    int[] distance = new int[size];
    Arrays.fill(distance, Integer.MAX_VALUE);
    distance[ACCEPT] = 0;
    Deque<Integer> open = new ArrayDeque<>(List.of(ACCEPT));
    while (!open.isEmpty()) {
      int state = open.removeFirst();
      for (int i = begin[state]; i < begin[state + 1]; i++) {
        int each = before[i];
        int cost = splits(each) ? 0 : 1;
        if (cost == 1 && !readable(each, usable)) {
          continue;
        }
        if (distance[state] + cost < distance[each]) {
          distance[each] = distance[state] + cost;
          if (cost == 0) {
            open.addFirst(each);
          } else {
            open.addLast(each);
          }
        }
      }
    }
    return distance;
  }

  private boolean readable(int state, boolean[] usable) {
    for (int b = low[state]; b <= high[state]; b++) {
      if (usable[b]) {
        return true;
      }
    }
    return false;
  }

  /**
   * Bytes that no state tells apart share a class.
   *
   * @return the class of each byte, numbered from 0
   */
  int[] byteClasses() {
    boolean[] cut = new boolean[257];
    for (int s = 0; s < size; s++) {
      if (!splits(s)) {
        cut[low[s]] = true;
        cut[high[s] + 1] = true;
      }
    }
    int[] classes = new int[256];
    int current = 0;
    for (int b = 1; b < 256; b++) {
      current += cut[b] ? 1 : 0;
      classes[b] = current;
    }
    return classes;
  }
}
