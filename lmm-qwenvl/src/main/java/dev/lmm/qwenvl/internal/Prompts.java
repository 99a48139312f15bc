package dev.lmm.qwenvl.internal;

import dev.lmm.UnsupportedModelException;
import dev.lmm.core.decode.Prompt;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.text.Tokenizer;
import dev.lmm.core.text.template.ChatTemplate;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Turns a conversation into what the language model reads. Thread-safe. */
final class Prompts {
  private final QwenConfig config;
  private final Tokenizer tokenizer;
  private final ChatTemplate template;

  Prompts(QwenConfig config, Tokenizer tokenizer, ChatTemplate template) {
    this.config = config;
    this.tokenizer = tokenizer;
    this.template = template;
  }

  /** A placeholder that becomes many entries. */
  private record Place(int start, Seen seen) {}

  /**
   * The prompt of a conversation, ending where the answer begins.
   *
   * @param messages all that was said
   * @param features gives the entries of a picture or video when they must be read
   */
  Prompt of(List<Message> messages, Function<Seen, Supplier<Tensor>> features) {
    int[] rendered = template.render(variables(messages)).encode(tokenizer);
    Deque<Seen> pictures = new ArrayDeque<>();
    Deque<Seen> videos = new ArrayDeque<>();
    for (Message message : messages) {
      for (Seen seen : message.seen()) {
        (seen.video() ? videos : pictures).add(seen);
      }
    }
    List<Integer> ids = new ArrayList<>();
    List<Place> places = new ArrayList<>();
    for (int id : rendered) {
      Deque<Seen> next =
          id == config.imageToken() ? pictures : id == config.videoToken() ? videos : null;
      if (next == null) {
        ids.add(id);
        continue;
      }
      Seen seen = next.poll();
      if (seen == null) {
        throw placeholders();
      }
      places.add(new Place(ids.size(), seen));
      int entries = entries(seen);
      for (int i = 0; i < entries; i++) {
        ids.add(id);
      }
    }
    if (!pictures.isEmpty() || !videos.isEmpty()) {
      throw placeholders();
    }
    int[] all = ids.stream().mapToInt(Integer::intValue).toArray();
    Prompt prompt = Prompt.of(all).positions(positions(all.length, places));
    for (Place place : places) {
      Seen seen = place.seen();
      prompt = prompt.embedded(place.start(), entries(seen), seen.key(), features.apply(seen));
    }
    return prompt;
  }

  private UnsupportedModelException placeholders() {
    return new UnsupportedModelException(
        "The checkpoint's chat template writes another number of places for pictures and videos"
            + " than there are; expected one for each");
  }

  int entries(Seen seen) {
    return seen.grid().cells(config.vision().cell());
  }

  private static Map<String, Object> variables(List<Message> messages) {
    List<Object> list = new ArrayList<>();
    for (Message message : messages) {
      Map<String, Object> map = new LinkedHashMap<>();
      map.put("role", message.role());
      map.put("content", content(message));
      list.add(map);
    }
    return Map.of("messages", list, "add_generation_prompt", true);
  }

  private static Object content(Message message) {
    if (message.seen().isEmpty()) {
      return message.text();
    }
    List<Object> parts = new ArrayList<>();
    for (Seen seen : message.seen()) {
      parts.add(Map.of("type", seen.video() ? "video" : "image"));
    }
    Map<String, @Nullable Object> text = new LinkedHashMap<>();
    text.put("type", "text");
    text.put("text", message.text());
    parts.add(text);
    return parts;
  }

  /**
   * Positions on the axes of time, height and width. Text moves on all three at once; a picture
   * spreads over height and width, a video over time too, in true seconds; what follows goes on at
   * the largest of the three plus one.
   */
  private int[][] positions(int length, List<Place> places) {
    int[][] axes = new int[3][length];
    int merge = config.vision().mergeSize();
    int position = 0;
    int at = 0;
    for (Place place : places) {
      for (; at < place.start(); at++, position++) {
        axes[0][at] = position;
        axes[1][at] = position;
        axes[2][at] = position;
      }
      Grid grid = place.seen().grid();
      int rows = grid.rows() / merge;
      int columns = grid.columns() / merge;
      int largest = position;
      for (int step = 0; step < grid.times(); step++) {
        int time = position + time(place.seen(), step);
        for (int row = 0; row < rows; row++) {
          for (int column = 0; column < columns; column++, at++) {
            axes[0][at] = time;
            axes[1][at] = position + row;
            axes[2][at] = position + column;
          }
        }
        largest = Math.max(largest, Math.max(time, position + Math.max(rows, columns) - 1));
      }
      position = largest + 1;
    }
    for (; at < length; at++, position++) {
      axes[0][at] = position;
      axes[1][at] = position;
      axes[2][at] = position;
    }
    return axes;
  }

  /** In single precision and cut, as the reference has it. */
  private int time(Seen seen, int step) {
    int perSecond = config.vision().tokensPerSecond();
    float interval = perSecond == 0 ? 1 : (float) (perSecond * seen.secondsPerStep());
    return seen.video() ? (int) (step * interval) : 0;
  }
}
