package dev.lmm.qwenvl.internal;

import dev.lmm.CheckpointException;
import dev.lmm.core.json.Json;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads boxes and points out of whatever a model wrote: JSON whole or cut off, fenced or in prose,
 * lists in lists, tags, pairs of corners, bare lists. What is not complete is left out; prose
 * without numbers has none.
 */
final class RegionParser {
  // Bounded blanks, so that no text makes a search long; a form allows up to 16 of them.
  private static final String NUMBER = "\"?(-?\\d{1,9}(?:\\.\\d{1,9})?)\"?";
  private static final String COMMA = "\\s{0,20},\\s{0,20}";
  private static final Pattern GEOMETRY =
      Pattern.compile(
          "[\"'“]?(bbox_2d|bbox|box_2d|box|bounding_box|point_2d|point|coordinates|좌표|위치)[\"'”]?"
              + "\\s{0,20}[:=]\\s{0,20}(?=[\\[(])");
  private static final Pattern LABEL =
      Pattern.compile(
          "[\"'“]?(?:label|name|text_content|class|category|object|라벨|레이블|이름)[\"'”]?\\s{0,20}[:=]"
              + "\\s{0,20}(?:\"((?:[^\"\\\\]|\\\\.)*+)\"|'([^']*+)')");
  private static final Pattern FOUR =
      Pattern.compile(
          "[\\[(]\\s{0,20}"
              + String.join(COMMA, NUMBER, NUMBER, NUMBER, NUMBER)
              + "\\s{0,20}[\\])]");
  private static final Pattern TWO =
      Pattern.compile("[\\[(]\\s{0,20}" + NUMBER + COMMA + NUMBER + "\\s{0,20}[\\])]");
  private static final Pattern CORNERS =
      Pattern.compile(TWO.pattern() + "\\s{0,20},?\\s{0,20}" + TWO.pattern());
  private static final Pattern BOX_TAG =
      Pattern.compile(
          "<\\|?box(?:_start)?\\|?>\\s{0,20}"
              + String.join("[,\\s]{1,20}", NUMBER, NUMBER, NUMBER, NUMBER));
  private static final Pattern POINT_TAG =
      Pattern.compile(
          "<points?\\s[^>]{0,200}?x1?="
              + NUMBER
              + "\\s{1,20}y1?="
              + NUMBER
              + "[^>]{0,200}>([^<]{0,200})");
  private static final Pattern TAG = Pattern.compile("<[^<>]{0,100}>");

  /** A stretch of the text. */
  record Span(int from, int to) {}

  /**
   * A region in the model's own pixels.
   *
   * @param label as it stands, empty for none
   * @param numbers two of a point, or four of a box in any order of corners
   * @param spans what wrote them: numbers, and the label if there is one
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Found(String label, double[] numbers, List<Span> spans) {}

  private final String text;
  private final List<Found> found = new ArrayList<>();

  private RegionParser(String text) {
    this.text = text;
  }

  static List<Found> parse(String text) {
    RegionParser parser = new RegionParser(text);
    parser.objects();
    if (parser.found.isEmpty() && !(text.contains("{") && GEOMETRY.matcher(text).find())) {
      parser.tags();
    }
    return parser.found;
  }

  /** An object while its end is looked for. */
  private static final class Open {
    final int start;
    boolean holdsRegions;

    Open(int start) {
      this.start = start;
    }
  }

  /** The complete objects, the inner before the outer. */
  private void objects() {
    Deque<Open> open = new ArrayDeque<>();
    boolean quoted = false;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (quoted) {
        if (c == '\\') {
          i++;
        } else if (c == '"') {
          quoted = false;
        }
      } else if (c == '"' && !open.isEmpty()) {
        quoted = true;
      } else if (c == '{') {
        open.push(new Open(i));
      } else if (c == '}' && !open.isEmpty()) {
        Open done = open.pop();
        boolean holds = done.holdsRegions || object(done.start, i + 1);
        if (holds && !open.isEmpty()) {
          open.peek().holdsRegions = true;
        }
      }
    }
  }

  private boolean object(int from, int to) {
    Matcher key = GEOMETRY.matcher(text).region(from, to);
    if (!key.find()) {
      return false;
    }
    int end = closing(key.end(), to);
    if (end < 0) {
      return false;
    }
    String label = "";
    List<Span> labelSpan = List.of();
    Matcher name = LABEL.matcher(text).region(from, to);
    if (name.find()) {
      int group = name.group(1) == null ? 2 : 1;
      label = unescaped(name.group(group));
      labelSpan = List.of(new Span(name.start(group), name.end(group)));
    }
    int before = found.size();
    boolean point = key.group(1).startsWith("point");
    if (!point && lists(FOUR, key.end(), end, label, labelSpan) == 0) {
      point = lists(CORNERS, key.end(), end, label, labelSpan) == 0;
    }
    if (point) {
      lists(TWO, key.end(), end, label, labelSpan);
    }
    return found.size() > before;
  }

  /** Where the list that begins here ends. */
  private int closing(int from, int to) {
    int depth = 0;
    for (int i = from; i < to; i++) {
      char c = text.charAt(i);
      if (c == '[' || c == '(') {
        depth++;
      } else if ((c == ']' || c == ')') && --depth == 0) {
        return i + 1;
      }
    }
    return -1;
  }

  private int lists(Pattern pattern, int from, int to, String label, List<Span> labelSpan) {
    Matcher list = pattern.matcher(text).region(from, to);
    int count = 0;
    while (list.find()) {
      add(list, 1, pattern == TWO ? 2 : 4, label, labelSpan);
      count++;
    }
    return count;
  }

  private void add(Matcher match, int first, int count, String label, List<Span> labelSpan) {
    double[] numbers = new double[count];
    for (int i = 0; i < count; i++) {
      numbers[i] = Double.parseDouble(match.group(first + i));
    }
    List<Span> spans = new ArrayList<>(labelSpan);
    spans.add(new Span(match.start(first), match.end(first + count - 1)));
    found.add(new Found(label, numbers, List.copyOf(spans)));
  }

  private static String unescaped(String quoted) {
    if (quoted.indexOf('\\') < 0) {
      return quoted;
    }
    try {
      return Json.parse(("[\"" + quoted + "\"]").getBytes(StandardCharsets.UTF_8), "label")
          .elements()
          .get(0)
          .string();
    } catch (CheckpointException e) {
      return quoted;
    }
  }

  /** Forms without objects: tags, pairs of corners, bare lists, points. The first that is there. */
  private void tags() {
    if (tagged(BOX_TAG, 4) || tagged(CORNERS, 4) || tagged(FOUR, 4)) {
      return;
    }
    Matcher points = POINT_TAG.matcher(text);
    while (points.find()) {
      String label = points.group(3).strip();
      List<Span> span =
          label.isEmpty() ? List.of() : List.of(new Span(points.start(3), points.end(3)));
      add(points, 1, 2, label, span);
    }
    if (found.isEmpty()) {
      tagged(TWO, 2);
    }
  }

  private boolean tagged(Pattern pattern, int count) {
    Matcher match = pattern.matcher(text);
    int before = 0;
    while (match.find()) {
      String lead = text.substring(before, match.start());
      int line = lead.lastIndexOf('\n') + 1;
      String label =
          TAG.matcher(lead.substring(line))
              .replaceAll("")
              .replaceAll("^[\\s,;.:\\-*\\[(]+|[\\s,;:=\\-*\\[(]+$", "");
      int at = label.isEmpty() ? -1 : text.indexOf(label, before + line);
      add(match, 1, count, label, at < 0 ? List.of() : List.of(new Span(at, at + label.length())));
      before = match.end();
    }
    return before > 0;
  }
}
