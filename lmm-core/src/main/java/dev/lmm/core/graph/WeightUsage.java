package dev.lmm.core.graph;

import dev.lmm.CheckpointException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * Resolves weights by name and remembers which ranges were read, over all graphs of a model, so
 * that a tensor that is missing, misshapen or left unread fails the load. Not thread-safe.
 */
public final class WeightUsage {
  private record Range(long from, long to) {}

  private final WeightSource source;
  private final String expectedBy;
  private final Map<String, Integer> ranks;
  private final Map<String, List<Range>> read = new TreeMap<>();

  /**
   * Begins with nothing read.
   *
   * @param source the checkpoint's tensors
   * @param expectedBy what implies the shapes, for messages; for instance {@code config.json}
   */
  public WeightUsage(WeightSource source, String expectedBy) {
    this(source, expectedBy, Map.of());
  }

  /**
   * Begins with nothing read, for graphs with low-rank adapters (LoRA): {@link
   * GraphBuilder#linear(Value, Value, Value)} and {@link GraphBuilder#conv(Value, Value, Value,
   * Attributes.Conv)} add the branch {@code up(down(x))} to what the named weights make of x. Each
   * branch is two more inputs of the graph, {@link #downInput} and {@link #upInput}, so that
   * adapters and their scales change without a new graph.
   *
   * @param source the checkpoint's tensors
   * @param expectedBy what implies the shapes, for messages; for instance {@code config.json}
   * @param ranks by name of the weight, the rank of its branch, at least 1
   */
  public WeightUsage(WeightSource source, String expectedBy, Map<String, Integer> ranks) {
    this.source = source;
    this.expectedBy = expectedBy;
    this.ranks = Map.copyOf(ranks);
  }

  /**
   * The graph input with the first factor of a weight's branch.
   *
   * @param weight name of the weight
   * @return of shape [rank, in] beside a linear layer, [rank, in, kernel...] beside a convolution
   */
  public static String downInput(String weight) {
    return weight + ".lora_A";
  }

  /**
   * The graph input with the second factor of a weight's branch.
   *
   * @param weight name of the weight
   * @return of shape [out, rank]
   */
  public static String upInput(String weight) {
    return weight + ".lora_B";
  }

  /** The rank of the branch beside a weight; 0 for none. */
  int rank(String weight) {
    return ranks.getOrDefault(weight, 0);
  }

  /**
   * The checkpoint's tensors.
   *
   * @return the source
   */
  public WeightSource source() {
    return source;
  }

  /**
   * Whether the checkpoint has a tensor; for layouts with optional ones.
   *
   * @param name its name
   * @return true if it is there (always, without a checkpoint)
   */
  public boolean has(String name) {
    return source.isOpenEnded() || source.shape(name) != null;
  }

  /**
   * Checks a reference and marks its range as read.
   *
   * @param ref the reference
   * @throws CheckpointException if the tensor is missing or has another shape
   */
  public void use(WeightRef ref) {
    source.expect(ref.name(), ref.stored());
    long[] found = source.shape(ref.name());
    if (found == null) {
      throw new CheckpointException(
          source.description()
              + ": "
              + ref.name()
              + " is missing; "
              + expectedBy
              + " implies a tensor of shape "
              + Arrays.toString(ref.stored())
              + nearest(ref.name()));
    }
    if (!Arrays.equals(found, ref.stored())) {
      throw new CheckpointException(
          source.description()
              + ": "
              + ref.name()
              + " is "
              + Arrays.toString(found)
              + ", "
              + expectedBy
              + " implies "
              + Arrays.toString(ref.stored())
              + "; do weights and config belong to the same model?");
    }
    read.computeIfAbsent(ref.name(), name -> new ArrayList<>())
        .add(new Range(ref.rowStart(), ref.rowStart() + ref.rows()));
  }

  /**
   * All tensors that were read, wholly or in part.
   *
   * @return their names, sorted
   */
  public List<String> read() {
    return List.copyOf(read.keySet());
  }

  /**
   * Fails if the checkpoint holds a tensor, or rows of one, that no graph read.
   *
   * @param mayStayUnread which tensors may be left
   * @throws CheckpointException naming what was left
   */
  public void requireAllRead(Predicate<String> mayStayUnread) {
    List<String> unread = new ArrayList<>();
    for (String name : source.names()) {
      if (mayStayUnread.test(name)) {
        continue;
      }
      long[] shape = source.shape(name);
      List<Range> ranges = read.get(name);
      if (ranges == null) {
        unread.add(name + Arrays.toString(shape));
      } else if (shape != null && shape.length > 0) {
        long covered = covered(ranges);
        if (covered < shape[0]) {
          unread.add(
              name + Arrays.toString(shape) + " (" + (shape[0] - covered) + " rows left unread)");
        }
      }
    }
    if (!unread.isEmpty()) {
      int shown = Math.min(5, unread.size());
      throw new CheckpointException(
          source.description()
              + ": "
              + unread.size()
              + " tensors are not used by the model that "
              + expectedBy
              + " describes: "
              + String.join(", ", unread.subList(0, shown))
              + (unread.size() > shown ? ", ..." : "")
              + "; do weights and config belong to the same model?");
    }
  }

  private static long covered(List<Range> ranges) {
    List<Range> sorted = new ArrayList<>(ranges);
    sorted.sort((a, b) -> Long.compare(a.from(), b.from()));
    long covered = 0;
    long end = 0;
    for (Range range : sorted) {
      long from = Math.max(range.from(), end);
      if (range.to() > from) {
        covered += range.to() - from;
        end = range.to();
      }
    }
    return covered;
  }

  /** A tensor of the same last name, as a hint at a wrong prefix. */
  private String nearest(String name) {
    String tail = name.substring(name.lastIndexOf('.', Math.max(0, name.lastIndexOf('.') - 1)) + 1);
    for (String candidate : source.names()) {
      if (candidate.toLowerCase(Locale.ROOT).endsWith(tail.toLowerCase(Locale.ROOT))) {
        return "; the nearest name there is " + candidate;
      }
    }
    return "";
  }
}
