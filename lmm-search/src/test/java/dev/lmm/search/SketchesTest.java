package dev.lmm.search;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.lmm.Precision;
import java.io.IOException;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Random;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.apache.lucene.index.FloatVectorValues;
import org.apache.lucene.search.VectorScorer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SketchesTest {
  private static final int TOP = 10;

  private static Sketches sketches(float[][] vectors) throws IOException {
    return Sketches.of(
        () -> new InMemory(vectors), vectors.length, new Rotation(vectors[0].length));
  }

  private static float[] estimates(float[][] vectors, float[] query) throws IOException {
    float[] estimates = new float[vectors.length + 3];
    sketches(vectors).estimate(query, estimates, 3);
    return Arrays.copyOfRange(estimates, 3, estimates.length);
  }

  private static float[][] vectors(int count, IntFunction<float[]> vector) {
    return IntStream.range(0, count).mapToObj(vector).toArray(float[][]::new);
  }

  private static float[] noise(long seed, int dimension) {
    Random random = new Random(seed);
    float[] vector = new float[dimension];
    for (int i = 0; i < dimension; i++) {
      vector[i] = (float) random.nextGaussian();
    }
    double length = Math.sqrt(Vectors.dot(vector, vector));
    for (int i = 0; i < dimension; i++) {
      vector[i] /= (float) length;
    }
    return vector;
  }

  /** Of 20,000 embeddings as of CLIP's B/32: the true ten are among the 600 best by sketches. */
  @Test
  void theNearestAreAmongThemThatAreComparedExactly() throws IOException {
    SimulatedEncoder encoder = new SimulatedEncoder("simulated", 512, Precision.FP32);
    float[][] photos = vectors(20_000, encoder::picture);
    assertThat(recall(photos, q -> encoder.embed("text " + q))).isGreaterThanOrEqualTo(0.97);
    assertThat(recall(photos, q -> encoder.picture(20_000 + 37L * q))).isGreaterThanOrEqualTo(0.99);
  }

  /** Directions all alike, in which nothing is much nearer than anything else: the worst case. */
  @Test
  void theNearestAreAmongThemInNoiseToo() throws IOException {
    float[][] noise = vectors(10_000, i -> noise(i, 512));
    assertThat(recall(noise, q -> noise(-1L - q, 512))).isGreaterThanOrEqualTo(0.85);
  }

  private static double recall(float[][] vectors, IntFunction<float[]> query) throws IOException {
    int queries = 20;
    Sketches sketches = sketches(vectors);
    int found = 0;
    for (int q = 0; q < queries; q++) {
      float[] wanted = query.apply(q);
      float[] estimates = new float[vectors.length];
      sketches.estimate(wanted, estimates, 0);
      float least = new Highest(estimates).least(vectors.length / Searching.SHARE_COMPARED);
      double[] products = Arrays.stream(vectors).mapToDouble(v -> Vectors.dot(wanted, v)).toArray();
      found +=
          (int)
              IntStream.range(0, vectors.length)
                  .boxed()
                  .sorted(Comparator.comparingDouble(i -> -products[i]))
                  .limit(TOP)
                  .filter(i -> estimates[i] >= least)
                  .count();
    }
    return found / (double) (TOP * queries);
  }

  /**
   * In shorter and longer vectors than have a power of two; the bounds are of 256 signs or more.
   */
  @ParameterizedTest
  @ValueSource(ints = {1, 16, 100, 512, 768, 1152})
  void estimatesAreUnbiasedAndNear(int dimension) throws IOException {
    float[] mean = noise(4711, dimension);
    float[][] vectors =
        vectors(
            600,
            i -> {
              float[] vector = noise(i, dimension);
              for (int k = 0; k < dimension; k++) {
                vector[k] = 0.6F * vector[k] + 0.8F * mean[k];
              }
              return vector;
            });
    double bias = 0;
    double squares = 0;
    double toldSquares = 0;
    Sketches sketches = sketches(vectors);
    for (int q = 0; q < 20; q++) {
      float[] query = noise(-1L - q, dimension);
      float[] estimates = new float[vectors.length];
      double told = sketches.estimate(query, estimates, 0);
      toldSquares += told * told * vectors.length;
      for (int i = 0; i < vectors.length; i++) {
        double off = estimates[i] - Vectors.dot(query, vectors[i]);
        bias += off;
        squares += off * off;
      }
    }
    int compared = 20 * vectors.length;
    assertThat(bias / compared).isCloseTo(0, within(0.003));
    if (dimension == 1) {
      assertThat(squares).isCloseTo(0, within(1e-8)); // nothing is left beside the direction
    } else {
      assertThat(squares / toldSquares).isBetween(0.75, 1.25);
    }
    // 0.6 is a vector's length without the common direction, 0.77 what signs leave open.
    assertThat(Math.sqrt(toldSquares / compared))
        .isLessThan(1.2 * 0.6 * 0.77 / Math.sqrt(Math.max(256, dimension)));
  }

  @ParameterizedTest
  @ValueSource(ints = {16, 512, 768, 1152})
  void lengthsAndAnglesStay(int dimension) {
    Rotation rotation = new Rotation(dimension);
    float[] a = noise(1, dimension);
    float[] b = noise(2, dimension);
    float[] turnedA = new float[rotation.length()];
    float[] turnedB = new float[rotation.length()];
    rotation.turn(a, turnedA);
    rotation.turn(b, turnedB);
    assertThat(Vectors.dot(turnedA, turnedA)).isCloseTo(1, within(1e-5));
    assertThat(Vectors.dot(turnedA, turnedB)).isCloseTo(Vectors.dot(a, b), within(1e-5));
  }

  @Test
  void vectorsAllAlikeAreEstimatedExactly() throws IOException {
    float[] one = noise(1, 64);
    float[] query = noise(2, 64);
    for (float estimate : estimates(vectors(300, i -> one), query)) {
      assertThat(estimate).isCloseTo((float) Vectors.dot(one, query), within(1e-4F));
    }
    for (float estimate : estimates(vectors(2, i -> new float[64]), query)) {
      assertThat(estimate).isZero();
    }
  }

  @Test
  void theHighestAreCountedAsSorted() {
    Random random = new Random(5);
    float[] numbers = new float[50_000];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = i % 5 == 0 ? Float.NEGATIVE_INFINITY : (float) random.nextGaussian();
    }
    for (int wanted : new int[] {1, 10, 512, 20_000, 40_000, 50_000}) {
      float least = new Highest(numbers).least(wanted);
      int reached = 0;
      for (float number : numbers) {
        reached += number >= least ? 1 : 0;
      }
      assertThat(reached).isBetween(Math.min(wanted, 40_000), wanted + 100);
    }
    assertThat(new Highest(new float[] {2, 2, 2}).least(1)).isEqualTo(2);
    assertThat(new Highest(new float[] {Float.NEGATIVE_INFINITY}).least(1)).isPositive();
  }

  /** Vectors as Lucene gives them. */
  private static final class InMemory extends FloatVectorValues {
    private final float[][] vectors;
    private int at = -1;

    InMemory(float[][] vectors) {
      this.vectors = vectors;
    }

    @Override
    public int dimension() {
      return vectors[0].length;
    }

    @Override
    public int size() {
      return vectors.length;
    }

    @Override
    public float[] vectorValue() {
      return vectors[at];
    }

    @Override
    public VectorScorer scorer(float[] query) {
      throw new UnsupportedOperationException();
    }

    @Override
    public int docID() {
      return at;
    }

    @Override
    public int nextDoc() {
      return advance(at + 1);
    }

    @Override
    public int advance(int target) {
      at = target < vectors.length ? target : NO_MORE_DOCS;
      return at;
    }
  }
}
