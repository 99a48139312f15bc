package dev.lmm.diffusion.internal;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A piece of a prompt with its weight, as the web user interfaces of the field write them: {@code
 * (a)} counts 1.1 times, {@code ((a))} 1.21 times, {@code [a]} 1/1.1 times, {@code (a:1.3)} 1.3
 * times, a backslash takes a bracket its meaning, brackets left open reach to the end, and the word
 * {@code BREAK} begins the next 75 tokens.
 *
 * @param text may be empty; what stands between brackets
 * @param weight the product of all brackets around it
 * @param isBreak whether it is the word BREAK, and no text
 */
record WeightedText(String text, double weight, boolean isBreak) {
  private static final double ROUND = 1.1;
  private static final double SQUARE = 1 / 1.1;

  private static final Pattern BREAK = Pattern.compile("\\s*\\bBREAK\\b\\s*");

  /** A weight that closes a bracket, as it stands after a colon. */
  private static final Pattern CLOSING = Pattern.compile(":\\s*([+-]?[.\\d]+)\\s*\\)");

  /** A prompt without weights. */
  static List<WeightedText> plain(String prompt) {
    return List.of(new WeightedText(prompt, 1, false));
  }

  /** Reads the weights of a prompt; at least one piece, neighbours differ in weight. */
  static List<WeightedText> parse(String prompt) {
    List<WeightedText> pieces = new ArrayList<>();
    Deque<Integer> round = new ArrayDeque<>();
    Deque<Integer> square = new ArrayDeque<>();
    Matcher closing = CLOSING.matcher(prompt);
    StringBuilder text = new StringBuilder();
    int at = 0;
    while (at < prompt.length()) {
      char c = prompt.charAt(at);
      int taken = 1;
      if (c == '\\' && at + 1 < prompt.length() && "()[]\\".indexOf(prompt.charAt(at + 1)) >= 0) {
        text.append(prompt.charAt(at + 1));
        taken = 2;
      } else if (c == '\\') {
        // A backslash before anything else is dropped.
        taken = 1;
      } else if (c == '(' || c == '[') {
        flush(text, pieces);
        (c == '(' ? round : square).push(pieces.size());
      } else if (c == ':' && !round.isEmpty() && closing.region(at, prompt.length()).lookingAt()) {
        flush(text, pieces);
        scale(pieces, round.pop(), number(closing.group(1)));
        taken = closing.end() - at;
      } else if (c == ')' && !round.isEmpty()) {
        flush(text, pieces);
        scale(pieces, round.pop(), ROUND);
      } else if (c == ']' && !square.isEmpty()) {
        flush(text, pieces);
        scale(pieces, square.pop(), SQUARE);
      } else {
        text.append(c);
      }
      at += taken;
    }
    flush(text, pieces);
    round.forEach(from -> scale(pieces, from, ROUND));
    square.forEach(from -> scale(pieces, from, SQUARE));
    return merged(pieces);
  }

  private static double number(String text) {
    try {
      return Double.parseDouble(text);
    } catch (NumberFormatException e) {
      throw new dev.lmm.InvalidRequestException(
          "prompt: the weight \"" + text + "\" is no number; expected for instance 1.3");
    }
  }

  private static void flush(StringBuilder text, List<WeightedText> pieces) {
    if (text.length() == 0) {
      return;
    }
    Matcher breaks = BREAK.matcher(text);
    int from = 0;
    while (breaks.find()) {
      add(text.substring(from, breaks.start()), pieces);
      pieces.add(new WeightedText("", 1, true));
      from = breaks.end();
    }
    add(text.substring(from), pieces);
    text.setLength(0);
  }

  private static void add(String text, List<WeightedText> pieces) {
    if (!text.isEmpty()) {
      pieces.add(new WeightedText(text, 1, false));
    }
  }

  private static void scale(List<WeightedText> pieces, int from, double factor) {
    for (int i = from; i < pieces.size(); i++) {
      WeightedText each = pieces.get(i);
      pieces.set(i, new WeightedText(each.text, each.weight * factor, each.isBreak));
    }
  }

  private static List<WeightedText> merged(List<WeightedText> pieces) {
    List<WeightedText> merged = new ArrayList<>();
    for (WeightedText each : pieces) {
      WeightedText last = merged.isEmpty() ? null : merged.get(merged.size() - 1);
      if (last != null && !last.isBreak && !each.isBreak && last.weight == each.weight) {
        merged.set(merged.size() - 1, new WeightedText(last.text + each.text, each.weight, false));
      } else {
        merged.add(each);
      }
    }
    return merged.isEmpty() ? plain("") : List.copyOf(merged);
  }
}
