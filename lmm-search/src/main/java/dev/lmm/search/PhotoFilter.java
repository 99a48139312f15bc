package dev.lmm.search;

import dev.lmm.Check;
import java.time.LocalDate;
import org.apache.lucene.document.IntPoint;
import org.apache.lucene.document.LongPoint;
import org.apache.lucene.index.Term;
import org.apache.lucene.search.BooleanClause.Occur;
import org.apache.lucene.search.BooleanQuery;
import org.apache.lucene.search.MatchAllDocsQuery;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.TermQuery;

/**
 * Chooses pictures by what the index knows of them. Immutable and thread-safe.
 *
 * <pre>{@code
 * PhotoFilter summer = PhotoFilter.path("2024/**").and(PhotoFilter.orientation(PORTRAIT));
 * }</pre>
 */
public final class PhotoFilter {
  private final Query query;

  private PhotoFilter(Query query) {
    this.query = query;
  }

  /**
   * Pictures by their path below the folder, with slashes on every system.
   *
   * @param glob {@code *} stands for anything within a name, {@code **} for anything, {@code ?} for
   *     one character, {@code [a-z]} and {@code [!a-z]} for one of some, {@code {jpg,png}} for one
   *     of several; a backslash takes the meaning away. Case counts
   * @return the filter
   * @throws dev.lmm.InvalidRequestException if the pattern is none, or too intricate
   */
  public static PhotoFilter path(String glob) {
    return new PhotoFilter(Glob.query(Documents.MATCHED, Check.notNull(glob, "glob")));
  }

  /**
   * Pictures by when they were taken ({@link Photo#taken}).
   *
   * @param first the first day
   * @param last the last day, inclusive
   * @return the filter
   */
  public static PhotoFilter taken(LocalDate first, LocalDate last) {
    Check.notNull(first, "first");
    Check.notNull(last, "last");
    Check.that(
        !last.isBefore(first), "last: " + last + " is before " + first + "; expected it later");
    return new PhotoFilter(
        LongPoint.newRangeQuery(
            Documents.TAKEN,
            Documents.seconds(first.atStartOfDay()),
            Documents.seconds(last.plusDays(1).atStartOfDay()) - 1));
  }

  /**
   * Pictures by the size of their file.
   *
   * @param least bytes, at least 0
   * @param most bytes, inclusive
   * @return the filter
   */
  public static PhotoFilter bytes(long least, long most) {
    Check.that(
        least >= 0 && most >= least,
        "bytes: is " + least + " to " + most + "; expected a range from 0 upwards");
    return new PhotoFilter(LongPoint.newRangeQuery(Documents.BYTES, least, most));
  }

  /**
   * Pictures by their width.
   *
   * @param least pixels, upright, at least 1
   * @param most pixels, inclusive
   * @return the filter
   */
  public static PhotoFilter width(int least, int most) {
    return pixels(Documents.WIDTH, least, most);
  }

  /**
   * Pictures by their height.
   *
   * @param least pixels, upright, at least 1
   * @param most pixels, inclusive
   * @return the filter
   */
  public static PhotoFilter height(int least, int most) {
    return pixels(Documents.HEIGHT, least, most);
  }

  private static PhotoFilter pixels(String field, int least, int most) {
    Check.that(
        least >= 1 && most >= least,
        field + ": is " + least + " to " + most + "; expected a range from 1 upwards");
    return new PhotoFilter(IntPoint.newRangeQuery(field, least, most));
  }

  /**
   * Pictures by which way they lie.
   *
   * @param orientation which
   * @return the filter
   */
  public static PhotoFilter orientation(Orientation orientation) {
    return new PhotoFilter(
        new TermQuery(
            new Term(Documents.ORIENTATION, Check.notNull(orientation, "orientation").name())));
  }

  /**
   * Pictures by what the application noted about them.
   *
   * @param name of the tag
   * @param value of the tag, exactly
   * @return the filter
   */
  public static PhotoFilter tag(String name, String value) {
    Documents.checkTag(name, value);
    return new PhotoFilter(new TermQuery(new Term(Documents.TAG, Documents.tag(name, value))));
  }

  /**
   * What both choose.
   *
   * @param other the other
   * @return the filter
   */
  public PhotoFilter and(PhotoFilter other) {
    return joined(other, Occur.FILTER);
  }

  /**
   * What either chooses.
   *
   * @param other the other
   * @return the filter
   */
  public PhotoFilter or(PhotoFilter other) {
    return joined(other, Occur.SHOULD);
  }

  private PhotoFilter joined(PhotoFilter other, Occur how) {
    return new PhotoFilter(
        new BooleanQuery.Builder()
            .add(query, how)
            .add(Check.notNull(other, "other").query, how)
            .build());
  }

  /**
   * What this does not choose.
   *
   * @return the filter
   */
  public PhotoFilter not() {
    return new PhotoFilter(
        new BooleanQuery.Builder()
            .add(new MatchAllDocsQuery(), Occur.FILTER)
            .add(query, Occur.MUST_NOT)
            .build());
  }

  Query query() {
    return query;
  }
}
