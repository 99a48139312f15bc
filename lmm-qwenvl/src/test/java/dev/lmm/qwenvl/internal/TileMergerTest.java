package dev.lmm.qwenvl.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lmm.Box;
import dev.lmm.Region;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Two parts of a picture of 1,000 x 500: 0 to 556 and 444 to 1,000. */
class TileMergerTest {
  private final TileMerger merger = new TileMerger(1000, 500);

  private static Region box(String label, double left, double right, double confidence) {
    return new Region(label, new Box(left, 100, right, 160), null, confidence);
  }

  private static Region point(String label, double x) {
    return new Region(label, null, new Region.Point(x, 130), 0.5);
  }

  private List<Region> merged(List<Region> left, List<Region> right) {
    merger.add(left, 0, 0, 556, 500);
    merger.add(right, 444, 0, 556, 500);
    return merger.regions();
  }

  @Test
  void whatIsFoundWholeTwiceIsOneAndTheSurerStays() {
    Region first = box("car", 460, 540, 0.6);
    Region second = box("car", 462, 542, 0.9);
    assertThat(merged(List.of(first), List.of(second))).containsExactly(second);
  }

  @Test
  void aPieceCutOffAtAnEdgeBelongsToTheWhole() {
    Region piece = box("car", 480, 556, 0.95); // ends where the left part ends
    Region whole = box("car", 482, 700, 0.7);
    assertThat(piece.box().iou(whole.box())).isLessThan(0.5);
    assertThat(merged(List.of(piece), List.of(whole))).containsExactly(whole);
  }

  @Test
  void smallThingsWithinLargeOnesStay() {
    // Not at an edge: a child before a bus is no piece of it.
    Region small = box("thing", 490, 520, 0.8);
    Region large = box("thing", 460, 700, 0.8);
    assertThat(merged(List.of(small), List.of(large))).containsExactly(small, large);
  }

  @Test
  void labelsAndNeighboursAreKeptApart() {
    Region car = box("car", 460, 540, 0.6);
    Region dog = box("dog", 460, 540, 0.9);
    Region next = box("dog", 600, 680, 0.9);
    assertThat(merged(List.of(car), List.of(dog, next))).containsExactly(car, dog, next);
  }

  @Test
  void twoOfOnePartAreTwo() {
    Region one = box("leaf", 100, 180, 0.6);
    Region two = box("leaf", 102, 182, 0.9);
    assertThat(merged(List.of(one, two), List.of())).containsExactly(one, two);
  }

  @Test
  void pointsCloseByAreOne() {
    Region one = point("eye", 500);
    Region same = point("eye", 505);
    Region other = point("eye", 540);
    assertThat(merged(List.of(one), List.of(same, other))).containsExactly(one, other);
  }
}
