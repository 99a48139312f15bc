package dev.lmm.search;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.KnnFloatVectorField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.apache.lucene.store.Directory;
import org.junit.jupiter.api.Test;

class SketchedPartsTest {
  @Test
  void aPartIsSketchedOnceAndForgottenWithIt() throws IOException {
    SketchedParts parts = new SketchedParts();
    try (Directory directory = new ByteBuffersDirectory();
        IndexWriter writer = new IndexWriter(directory, new IndexWriterConfig())) {
      write(writer);
      try (DirectoryReader first = DirectoryReader.open(writer)) {
        LeafReaderContext leaf = first.leaves().get(0);
        Sketches made = parts.of(leaf.reader());
        assertThat(parts.of(leaf.reader())).isSameAs(made);
        write(writer);
        try (DirectoryReader second = DirectoryReader.openIfChanged(first)) {
          assertThat(second.leaves()).hasSize(2);
          assertThat(parts.of(second.leaves().get(0).reader())).isSameAs(made);
          assertThat(parts.of(second.leaves().get(1).reader())).isNotSameAs(made);
          assertThat(parts.size()).isEqualTo(2);
        }
        writer.forceMerge(1);
      }
      assertThat(parts.size()).isZero();
    }
  }

  private static void write(IndexWriter writer) throws IOException {
    Document document = new Document();
    document.add(new KnnFloatVectorField(Documents.VECTOR, new float[] {1, 0}));
    writer.addDocument(document);
    writer.commit();
  }
}
