package dev.lmm.search;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.stream.IntStream;
import org.apache.lucene.index.FloatVectorValues;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.ReaderUtil;
import org.apache.lucene.index.StoredFields;
import org.apache.lucene.search.DocIdSetIterator;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.KnnFloatVectorQuery;
import org.apache.lucene.search.MatchAllDocsQuery;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.ScoreMode;
import org.apache.lucene.search.Scorer;
import org.apache.lucene.search.Weight;
import org.apache.lucene.util.Bits;
import org.apache.lucene.util.FixedBitSet;
import org.apache.lucene.util.VectorUtil;
import org.jspecify.annotations.Nullable;

/** Finds the vectors nearest to one. Similarities are exact in either way of finding them. */
final class Searching {
  /** Sketches take 72 bytes of memory and 10 ns a picture; the graph takes neither. */
  static final int MOST_SKETCHED = 500_000;

  /**
   * How many are compared exactly for the ten best, at first and, at most, in all: docs/search.md
   * says what this gives.
   */
  static final int FIRST_COMPARED = 256;

  static final int MOST_COMPARED = 512;

  /** At most, where this is more: one in so many. */
  static final int SHARE_COMPARED = 33;

  /** A picture whose estimate falls short by so many times the expected error is left out. */
  private static final float CAUTION = 2;

  /** So many more than are asked for are measured in double precision, which decides. */
  private static final int MARGIN = 16;

  /** How many the graph gathers for the ten best. */
  static final int GATHERED = 400;

  /** A picture by its number in the index. */
  record Hit(int picture, double similarity) {}

  private Searching() {}

  static List<Found> search(
      IndexSearcher searcher,
      float[] query,
      SearchRequest request,
      Path folder,
      SketchedParts sketches)
      throws IOException {
    PhotoFilter filter = request.filter();
    Query chosen = filter == null ? null : filter.query();
    List<Hit> hits =
        request.isExact()
            ? exact(searcher, query, chosen, request.top())
            : approximate(searcher, query, chosen, request.top(), sketches);
    StoredFields fields = searcher.storedFields();
    List<Found> found = new ArrayList<>(hits.size());
    for (Hit hit : hits) {
      found.add(
          new Found(Documents.photo(fields.document(hit.picture()), folder), hit.similarity()));
    }
    // Equal pictures, of which a folder may have several, in one order whatever the index's is.
    found.sort(
        Comparator.comparingDouble(Found::similarity)
            .reversed()
            .thenComparing(f -> f.photo().path()));
    return List.copyOf(found.subList(0, Math.min(request.top(), found.size())));
  }

  /**
   * Looks through the sketches of all pictures and compares the most promising exactly. An index of
   * more pictures than {@link #MOST_SKETCHED} asks Lucene's graph, whose time grows less.
   */
  private static List<Hit> approximate(
      IndexSearcher searcher,
      float[] query,
      @Nullable Query filter,
      int top,
      SketchedParts sketches)
      throws IOException {
    int all = searcher.getIndexReader().maxDoc();
    return all > MOST_SKETCHED
        ? byGraph(searcher, query, filter, top)
        : bySketch(searcher, query, filter, top, sketches);
  }

  static List<Hit> bySketch(
      IndexSearcher searcher,
      float[] query,
      @Nullable Query filter,
      int top,
      SketchedParts sketches)
      throws IOException {
    List<LeafReaderContext> leaves = searcher.getIndexReader().leaves();
    int all = searcher.getIndexReader().maxDoc();
    int compared = Math.max(MOST_COMPARED, Math.max(2 * top, all / SHARE_COMPARED));
    if (all <= compared) {
      return exact(searcher, query, filter, top);
    }
    float[] estimates = new float[all];
    float error = 0;
    for (LeafReaderContext leaf : leaves) {
      Sketches part = sketches.of(leaf.reader());
      error = Math.max(error, part.estimate(query, estimates, leaf.docBase));
    }
    forgetOthers(searcher, filter, estimates);
    // The most promising tell how good one has to be: others are compared if they may well be.
    Highest highest = new Highest(estimates);
    Best near = new Best(top + MARGIN);
    float first = highest.least(Math.max(FIRST_COMPARED, 2 * top));
    compare(leaves, query, estimates, first, Float.POSITIVE_INFINITY, near);
    float least = Math.max(highest.least(compared), (float) near.worstOf(top) - CAUTION * error);
    compare(leaves, query, estimates, least, first, near);
    return measured(leaves, near.hits().stream().mapToInt(Hit::picture), query, top);
  }

  /** Compares the pictures whose estimates lie between. */
  private static void compare(
      List<LeafReaderContext> leaves,
      float[] query,
      float[] estimates,
      float least,
      float below,
      Best near)
      throws IOException {
    for (LeafReaderContext leaf : leaves) {
      FloatVectorValues vectors = Sketches.vectors(leaf.reader());
      int end = leaf.docBase + leaf.reader().maxDoc();
      for (int picture = leaf.docBase; picture < end; picture++) {
        if (estimates[picture] >= least && estimates[picture] < below) {
          float[] vector = Sketches.vector(vectors, picture - leaf.docBase);
          near.offer(picture, VectorUtil.dotProduct(query, vector));
        }
      }
    }
  }

  /** The best of some pictures, measured in double precision. */
  private static List<Hit> measured(
      List<LeafReaderContext> leaves, IntStream pictures, float[] query, int top)
      throws IOException {
    Best best = new Best(top);
    FloatVectorValues vectors = null;
    int part = -1;
    for (int picture : pictures.sorted().toArray()) {
      int in = ReaderUtil.subIndex(picture, leaves);
      LeafReaderContext leaf = leaves.get(in);
      if (in != part || vectors == null) {
        vectors = Sketches.vectors(leaf.reader());
        part = in;
      }
      float[] vector = Sketches.vector(vectors, picture - leaf.docBase);
      best.offer(picture, Vectors.dot(query, vector));
    }
    return best.hits();
  }

  /** Makes those of which nothing is wanted the last: removed, or not let through by a filter. */
  private static void forgetOthers(
      IndexSearcher searcher, @Nullable Query filter, float[] estimates) throws IOException {
    if (filter == null && !searcher.getIndexReader().hasDeletions()) {
      return;
    }
    FixedBitSet wanted = new FixedBitSet(estimates.length);
    eachChosen(searcher, filter, (leaf, picture) -> wanted.set(leaf.docBase + picture));
    for (int i = 0; i < estimates.length; i++) {
      if (!wanted.get(i)) {
        estimates[i] = Float.NEGATIVE_INFINITY;
      }
    }
  }

  static List<Hit> byGraph(IndexSearcher searcher, float[] query, @Nullable Query filter, int top)
      throws IOException {
    int gathered = Math.max(GATHERED, 2 * top);
    ScoreDoc[] near =
        searcher.search(
                new KnnFloatVectorQuery(Documents.VECTOR, query, gathered, filter), gathered)
            .scoreDocs;
    return measured(
        searcher.getIndexReader().leaves(),
        Arrays.stream(near).mapToInt(hit -> hit.doc),
        query,
        top);
  }

  private static List<Hit> exact(
      IndexSearcher searcher, float[] query, @Nullable Query filter, int top) throws IOException {
    Best best = new Best(top);
    FloatVectorValues[] vectors = new FloatVectorValues[searcher.getIndexReader().leaves().size()];
    eachChosen(
        searcher,
        filter,
        (leaf, picture) -> {
          if (vectors[leaf.ord] == null) {
            vectors[leaf.ord] = Sketches.vectors(leaf.reader());
          }
          float[] vector = Sketches.vector(vectors[leaf.ord], picture);
          best.offer(leaf.docBase + picture, Vectors.dot(query, vector));
        });
    return best.hits();
  }

  /** Takes a picture of a part of the index. */
  @FunctionalInterface
  private interface Taker {
    void take(LeafReaderContext leaf, int picture) throws IOException;
  }

  /** Names the pictures that a filter lets through, in order. */
  private static void eachChosen(IndexSearcher searcher, @Nullable Query filter, Taker taker)
      throws IOException {
    Weight weight =
        searcher.createWeight(
            searcher.rewrite(filter == null ? new MatchAllDocsQuery() : filter),
            ScoreMode.COMPLETE_NO_SCORES,
            1);
    for (LeafReaderContext leaf : searcher.getIndexReader().leaves()) {
      Scorer scorer = weight.scorer(leaf);
      if (scorer == null) {
        continue;
      }
      Bits live = leaf.reader().getLiveDocs();
      DocIdSetIterator chosen = scorer.iterator();
      for (int doc = chosen.nextDoc();
          doc != DocIdSetIterator.NO_MORE_DOCS;
          doc = chosen.nextDoc()) {
        if (live == null || live.get(doc)) {
          taker.take(leaf, doc);
        }
      }
    }
  }

  /** Keeps the best of many. */
  private static final class Best {
    private final int count;
    private final PriorityQueue<Hit> worstFirst =
        new PriorityQueue<>(Comparator.comparingDouble(Hit::similarity));

    Best(int count) {
      this.count = count;
    }

    void offer(int picture, double similarity) {
      if (worstFirst.size() < count) {
        worstFirst.add(new Hit(picture, similarity));
      } else if (similarity > worstFirst.element().similarity()) {
        worstFirst.remove();
        worstFirst.add(new Hit(picture, similarity));
      }
    }

    List<Hit> hits() {
      return List.copyOf(worstFirst);
    }

    /** The least similarity among the best so many; negative infinity if there are fewer. */
    double worstOf(int best) {
      return worstFirst.stream()
          .map(Hit::similarity)
          .sorted(Comparator.reverseOrder())
          .skip(best - 1L)
          .findFirst()
          .orElse(Double.NEGATIVE_INFINITY);
    }
  }
}
