package dev.lmm.search;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
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
import org.jspecify.annotations.Nullable;

/** Finds the vectors nearest to one. Similarities are exact in either way of finding them. */
final class Searching {
  /**
   * How many are gathered for the ten best, and for more in proportion: docs/search.md says what
   * this gives.
   */
  static final int GATHERED = 400;

  private record Hit(int picture, double similarity) {}

  private Searching() {}

  static List<Found> search(
      IndexSearcher searcher, float[] query, SearchRequest request, Path folder)
      throws IOException {
    PhotoFilter filter = request.filter();
    Query chosen = filter == null ? null : filter.query();
    List<Hit> hits =
        request.isExact()
            ? exact(searcher, query, chosen, request.top())
            : approximate(searcher, query, chosen, request.top());
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

  private static List<Hit> approximate(
      IndexSearcher searcher, float[] query, @Nullable Query filter, int top) throws IOException {
    int gathered = Math.max(GATHERED, 2 * top);
    ScoreDoc[] near =
        searcher.search(
                new KnnFloatVectorQuery(Documents.VECTOR, query, gathered, filter), gathered)
            .scoreDocs;
    List<LeafReaderContext> leaves = searcher.getIndexReader().leaves();
    Best best = new Best(top);
    Arrays.sort(near, Comparator.comparingInt(hit -> hit.doc));
    FloatVectorValues vectors = null;
    int part = -1;
    for (ScoreDoc hit : near) {
      int in = ReaderUtil.subIndex(hit.doc, leaves);
      LeafReaderContext leaf = leaves.get(in);
      if (in != part) {
        vectors = leaf.reader().getFloatVectorValues(Documents.VECTOR);
        part = in;
      }
      if (vectors == null || vectors.advance(hit.doc - leaf.docBase) != hit.doc - leaf.docBase) {
        throw new IllegalStateException("a picture without a vector");
      }
      best.offer(hit.doc, dot(query, vectors.vectorValue()));
    }
    return best.hits();
  }

  private static List<Hit> exact(
      IndexSearcher searcher, float[] query, @Nullable Query filter, int top) throws IOException {
    Weight weight =
        searcher.createWeight(
            searcher.rewrite(filter == null ? new MatchAllDocsQuery() : filter),
            ScoreMode.COMPLETE_NO_SCORES,
            1);
    Best best = new Best(top);
    for (LeafReaderContext leaf : searcher.getIndexReader().leaves()) {
      Scorer scorer = weight.scorer(leaf);
      FloatVectorValues vectors = leaf.reader().getFloatVectorValues(Documents.VECTOR);
      if (scorer == null || vectors == null) {
        continue;
      }
      Bits live = leaf.reader().getLiveDocs();
      DocIdSetIterator chosen = scorer.iterator();
      for (int doc = chosen.nextDoc();
          doc != DocIdSetIterator.NO_MORE_DOCS;
          doc = chosen.nextDoc()) {
        if ((live == null || live.get(doc)) && vectors.advance(doc) == doc) {
          best.offer(leaf.docBase + doc, dot(query, vectors.vectorValue()));
        }
      }
    }
    return best.hits();
  }

  private static double dot(float[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (double) a[i] * b[i];
    }
    return sum;
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
  }
}
