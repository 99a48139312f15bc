package dev.lmm.search;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.lmm.Precision;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.FSDirectory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How many of the true ten nearest the index finds, of 5,000 simulated pictures. */
class RecallTest {
  private static final int PICTURES = 5_000;
  private static final int QUERIES = 50;

  @TempDir Path folder;

  @Test
  void nearlyAllOfTheTenNearestAreFound() throws IOException {
    for (int i = 0; i < PICTURES; i++) {
      Files.writeString(folder.resolve(i + ".jpg"), Integer.toString(i));
    }
    SimulatedEncoder encoder = new SimulatedEncoder("simulated", 128, Precision.FP32);
    try (PhotoIndex photos = PhotoIndex.open(encoder, folder)) {
      assertThat(photos.update().run().added()).isEqualTo(PICTURES);
      float[][] vectors =
          IntStream.range(0, PICTURES).mapToObj(encoder::picture).toArray(float[][]::new);
      int ofTexts = 0;
      int ofPictures = 0;
      for (int q = 0; q < QUERIES; q++) {
        float[] text = encoder.embed("text " + q);
        ofTexts += common(nearest(vectors, text), photos.search("text " + q).run());
        float[] picture = encoder.picture(PICTURES + 37L * q);
        List<Found> found = photos.search(picture).run();
        ofPictures += common(nearest(vectors, picture), found);
        // Similarities are cosines, whichever way they were found, best first.
        for (Found hit : found) {
          assertThat(hit.similarity()).isCloseTo(dot(picture, vector(hit, vectors)), within(1e-6));
        }
        assertThat(found)
            .isSortedAccordingTo(Comparator.comparingDouble(Found::similarity).reversed());
        assertThat(names(photos.search(picture).exact().run()))
            .isEqualTo(names(nearest(vectors, picture)));
      }
      passesOverOthers(photos, encoder.picture(PICTURES));
      assertThat(ofTexts / (10.0 * QUERIES)).as("recall@10 of texts").isGreaterThanOrEqualTo(0.98);
      assertThat(ofPictures / (10.0 * QUERIES))
          .as("recall@10 of pictures")
          .isGreaterThanOrEqualTo(0.98);
    }
  }

  /** Filters, and pictures that are gone, of so many that not all are compared. */
  private void passesOverOthers(PhotoIndex photos, float[] query) throws IOException {
    SearchRequest some = photos.search(query).only(PhotoFilter.path("{1,23}*.jpg")).top(200);
    List<String> few = names(some.run());
    assertThat(few).hasSize(200).allMatch(name -> name.matches("(1|23).*"));
    assertThat(few.subList(0, 10)).isEqualTo(names(some.top(10).exact().run()));
    SearchRequest rare = photos.search(query).only(PhotoFilter.path("12*.jpg")).top(200);
    assertThat(names(rare.run())).hasSize(111).isEqualTo(names(rare.exact().run()));
    assertThat(photos.search(query).only(PhotoFilter.path("none")).run()).isEmpty();

    List<String> before = names(photos.search(query).top(20).run());
    for (String gone : before.subList(0, 10)) {
      Files.delete(folder.resolve(gone));
    }
    assertThat(photos.update().run().removed()).isEqualTo(10);
    assertThat(names(photos.search(query).run()))
        .hasSize(10)
        .doesNotContainAnyElementsOf(before.subList(0, 10))
        .isEqualTo(names(photos.search(query).exact().run()));
  }

  @Test
  void theGraphFindsThemToo() throws IOException {
    int pictures = 1_500;
    for (int i = 0; i < pictures; i++) {
      Files.writeString(folder.resolve(i + ".jpg"), Integer.toString(i));
    }
    SimulatedEncoder encoder = new SimulatedEncoder("simulated", 64, Precision.FP32);
    Path index = folder.resolve(".index");
    try (PhotoIndex photos = PhotoIndex.open(encoder, folder, index)) {
      photos.update().run();
      try (Directory directory = FSDirectory.open(index);
          DirectoryReader reader = DirectoryReader.open(directory)) {
        IndexSearcher searcher = new IndexSearcher(reader);
        int found = 0;
        for (int q = 0; q < QUERIES; q++) {
          float[] text = encoder.embed("text " + q);
          Set<String> nearest = new HashSet<>(names(photos.search(text).exact().run()));
          for (Searching.Hit hit : Searching.byGraph(searcher, text, null, 10)) {
            String path = reader.storedFields().document(hit.picture()).get(Documents.PATH);
            found += nearest.contains(path) ? 1 : 0;
          }
        }
        assertThat(found / (10.0 * QUERIES)).isGreaterThanOrEqualTo(0.98);
      }
    }
  }

  private static float[] vector(Found hit, float[][] vectors) {
    return vectors[Integer.parseInt(hit.photo().path().replace(".jpg", ""))];
  }

  /** The true ten, compared one by one. */
  private static int[] nearest(float[][] vectors, float[] query) {
    double[] cosines = Arrays.stream(vectors).mapToDouble(v -> dot(query, v)).toArray();
    return IntStream.range(0, vectors.length)
        .boxed()
        .sorted(Comparator.comparingDouble(i -> -cosines[i]))
        .limit(10)
        .mapToInt(i -> i)
        .toArray();
  }

  private static int common(int[] expected, List<Found> found) {
    Set<String> names = new HashSet<>(names(expected));
    names.retainAll(names(found));
    return names.size();
  }

  private static List<String> names(int[] pictures) {
    List<String> names = new ArrayList<>();
    for (int picture : pictures) {
      names.add(picture + ".jpg");
    }
    return names;
  }

  private static List<String> names(List<Found> found) {
    return found.stream().map(f -> f.photo().path()).toList();
  }

  private static double dot(float[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (double) a[i] * b[i];
    }
    return sum;
  }
}
