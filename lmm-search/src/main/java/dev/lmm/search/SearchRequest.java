package dev.lmm.search;

import dev.lmm.Check;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A request for the pictures nearest to a text or a picture. Immutable: every option gives a new
 * request.
 *
 * <p>Defaults: the 10 best of all pictures, those compared that the index's sketches promise. The
 * first search of what an update wrote makes these sketches, some 5 microseconds a picture.
 */
public final class SearchRequest {
  /** How many are found if nothing else is said. */
  public static final int DEFAULT_TOP = 10;

  private final Function<SearchRequest, List<Found>> runner;
  private final int top;
  private final @Nullable PhotoFilter filter;
  private final boolean exact;

  SearchRequest(Function<SearchRequest, List<Found>> runner) {
    this(runner, DEFAULT_TOP, null, false);
  }

  private SearchRequest(
      Function<SearchRequest, List<Found>> runner,
      int top,
      @Nullable PhotoFilter filter,
      boolean exact) {
    this.runner = runner;
    this.top = top;
    this.filter = filter;
    this.exact = exact;
  }

  /**
   * Sets how many are found at most.
   *
   * @param count 1 to 10,000
   * @return a new request
   */
  public SearchRequest top(int count) {
    Check.that(count >= 1 && count <= 10_000, "top: is " + count + "; expected 1 to 10000");
    return new SearchRequest(runner, count, filter, exact);
  }

  /**
   * Looks among some pictures only. Twice means both.
   *
   * @param filter which
   * @return a new request
   */
  public SearchRequest only(PhotoFilter filter) {
    Check.notNull(filter, "filter");
    PhotoFilter both = this.filter == null ? filter : this.filter.and(filter);
    return new SearchRequest(runner, top, both, exact);
  }

  /**
   * Compares with every picture instead of those that seem near, which now and then misses one:
   * certain, slower for many questions, and faster for a single one.
   *
   * @return a new request
   */
  public SearchRequest exact() {
    return new SearchRequest(runner, top, filter, true);
  }

  /**
   * Runs.
   *
   * @return the nearest pictures, best first; fewer than asked for if there are no more
   * @throws IndexException if the index holds no pictures, is broken or of another model
   * @throws dev.lmm.ClosedException if the index was closed
   */
  public List<Found> run() {
    return runner.apply(this);
  }

  int top() {
    return top;
  }

  @Nullable PhotoFilter filter() {
    return filter;
  }

  boolean isExact() {
    return exact;
  }
}
