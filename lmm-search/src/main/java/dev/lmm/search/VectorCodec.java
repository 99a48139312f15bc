package dev.lmm.search;

import java.io.IOException;
import org.apache.lucene.codecs.KnnVectorsFormat;
import org.apache.lucene.codecs.KnnVectorsReader;
import org.apache.lucene.codecs.KnnVectorsWriter;
import org.apache.lucene.codecs.lucene912.Lucene912Codec;
import org.apache.lucene.codecs.lucene99.Lucene99HnswVectorsFormat;
import org.apache.lucene.index.SegmentReadState;
import org.apache.lucene.index.SegmentWriteState;

/**
 * Lucene's own files, written for longer vectors: Lucene takes 1,024 numbers unless told otherwise,
 * and the larger SigLIP models give 1,152 and 1,536. Any Lucene 9.12 reads what this writes.
 */
final class VectorCodec extends Lucene912Codec {
  /** Neighbours of a picture in the graph, and candidates when they are chosen: docs/search.md. */
  static final int NEIGHBOURS = 16;

  static final int CANDIDATES = 100;
  static final int LONGEST = 8192;

  private final KnnVectorsFormat format = new Longer();

  @Override
  public KnnVectorsFormat getKnnVectorsFormatForField(String field) {
    return format;
  }

  /** Has the name of what it writes, by which a reader finds Lucene's class. */
  private static final class Longer extends KnnVectorsFormat {
    private final KnnVectorsFormat lucene = new Lucene99HnswVectorsFormat(NEIGHBOURS, CANDIDATES);

    Longer() {
      super("Lucene99HnswVectorsFormat");
    }

    @Override
    public KnnVectorsWriter fieldsWriter(SegmentWriteState state) throws IOException {
      return lucene.fieldsWriter(state);
    }

    @Override
    public KnnVectorsReader fieldsReader(SegmentReadState state) throws IOException {
      return lucene.fieldsReader(state);
    }

    @Override
    public int getMaxDimensions(String field) {
      return LONGEST;
    }
  }
}
