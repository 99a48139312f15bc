package dev.lmm.search;

import dev.lmm.search.FolderWalk.Taker;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.lucene.document.Document;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.PostingsEnum;
import org.apache.lucene.index.ReaderUtil;
import org.apache.lucene.index.StoredFields;
import org.apache.lucene.index.Terms;
import org.apache.lucene.index.TermsEnum;
import org.apache.lucene.search.DocIdSetIterator;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.util.Bits;
import org.apache.lucene.util.BytesRef;
import org.apache.lucene.util.FixedBitSet;

/**
 * The pictures an index held before an update, and which of them were met again: a bit a picture,
 * however many there are. For one thread.
 */
final class Known {
  private static final Set<String> PATH_ONLY = Set.of(Documents.PATH);

  private final List<LeafReaderContext> leaves;
  private final StoredFields fields;
  private final FixedBitSet seen;
  private final Map<String, TermsEnum> terms = new HashMap<>();

  Known(IndexSearcher searcher) throws IOException {
    leaves = searcher.getIndexReader().leaves();
    seen = new FixedBitSet(Math.max(1, searcher.getIndexReader().maxDoc()));
    fields = searcher.storedFields();
  }

  /** The number of the picture with a term, or -1. */
  int find(String field, String value) throws IOException {
    BytesRef term = new BytesRef(value);
    for (LeafReaderContext leaf : leaves) {
      TermsEnum terms = terms(leaf, field);
      if (terms.seekExact(term)) {
        Bits live = leaf.reader().getLiveDocs();
        PostingsEnum found = terms.postings(null, PostingsEnum.NONE);
        for (int doc = found.nextDoc();
            doc != DocIdSetIterator.NO_MORE_DOCS;
            doc = found.nextDoc()) {
          if (live == null || live.get(doc)) {
            return leaf.docBase + doc;
          }
        }
      }
    }
    return -1;
  }

  private TermsEnum terms(LeafReaderContext leaf, String field) throws IOException {
    String key = field + leaf.ord;
    TermsEnum kept = terms.get(key);
    if (kept == null) {
      Terms all = leaf.reader().terms(field);
      kept = all == null ? TermsEnum.EMPTY : all.iterator();
      terms.put(key, kept);
    }
    return kept;
  }

  void seen(int picture) {
    seen.set(picture);
  }

  /** Names the pictures that were not met. */
  void unseen(Taker<String> taker) throws IOException {
    for (LeafReaderContext leaf : leaves) {
      Bits live = leaf.reader().getLiveDocs();
      for (int doc = 0; doc < leaf.reader().maxDoc(); doc++) {
        if ((live == null || live.get(doc)) && !seen.get(leaf.docBase + doc)) {
          String path = fields.document(leaf.docBase + doc, PATH_ONLY).get(Documents.PATH);
          if (path == null) {
            throw new IllegalStateException("a picture without a path");
          }
          taker.accept(path);
        }
      }
    }
  }

  Document stored(int picture) throws IOException {
    return fields.document(picture);
  }

  float[] vector(int picture) throws IOException {
    LeafReaderContext leaf = leaves.get(ReaderUtil.subIndex(picture, leaves));
    return Sketches.vector(Sketches.vectors(leaf.reader()), picture - leaf.docBase).clone();
  }
}
