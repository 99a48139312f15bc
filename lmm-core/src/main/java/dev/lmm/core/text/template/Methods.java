package dev.lmm.core.text.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** What can be called on texts and mappings. */
final class Methods {
  private Methods() {}

  /** A method of a value, or null if there is none of that name. */
  static Values.Function of(Object value, String name) {
    if (value instanceof Text text) {
      return (args, named) -> text(text, name, args, named);
    }
    if (value instanceof Map<?, ?> map) {
      return (args, named) -> mapping(map, name, args);
    }
    throw new TemplateFailure(Values.kind(value) + " has no method " + name);
  }

  /** Whether a value has methods at all. */
  static boolean mayHave(Object value) {
    return value instanceof Text || value instanceof Map<?, ?>;
  }

  static boolean known(Object value, String name) {
    return value instanceof Text
        ? List.of(
                "strip",
                "lstrip",
                "rstrip",
                "split",
                "startswith",
                "endswith",
                "upper",
                "lower",
                "title",
                "capitalize",
                "replace",
                "find",
                "count",
                "join",
                "removeprefix",
                "removesuffix",
                "splitlines",
                "isdigit",
                "isalpha",
                "isspace",
                "rsplit")
            .contains(name)
        : value instanceof Map<?, ?> && List.of("items", "keys", "values", "get").contains(name);
  }

  private static Object mapping(Map<?, ?> map, String name, List<Object> args) {
    return switch (name) {
      case "items" -> items(map);
      case "keys" -> new ArrayList<Object>(map.keySet());
      case "values" -> new ArrayList<Object>(map.values());
      default -> {
        Object found = map.get(Filters.arg(args, 0, "get"));
        yield found != null ? found : args.size() > 1 ? args.get(1) : Values.NONE;
      }
    };
  }

  /** Pairs of keys and values. */
  static List<Object> items(Map<?, ?> map) {
    List<Object> items = new ArrayList<>();
    map.forEach((key, each) -> items.add(List.of(key, each)));
    return items;
  }

  private static Object text(Text text, String name, List<Object> args, Map<String, Object> named) {
    String value = text.value();
    return switch (name) {
      case "strip" -> text.strip(set(args), true, true);
      case "lstrip" -> text.strip(set(args), true, false);
      case "rstrip" -> text.strip(set(args), false, true);
      case "upper" -> text.like(value.toUpperCase(Locale.ROOT));
      case "lower" -> text.like(value.toLowerCase(Locale.ROOT));
      case "title" -> text.like(title(value));
      case "capitalize" -> text.like(capitalized(value));
      case "startswith" -> affix(args, value::startsWith);
      case "endswith" -> affix(args, value::endsWith);
      case "removeprefix" -> {
        String affix = string(args, 0, name);
        yield value.startsWith(affix) ? text.sub(affix.length(), value.length()) : text;
      }
      case "removesuffix" -> {
        String affix = string(args, 0, name);
        yield value.endsWith(affix) ? text.sub(0, value.length() - affix.length()) : text;
      }
      case "find" -> (long) value.indexOf(string(args, 0, name));
      case "count" -> (long) pieces(text, string(args, 0, name), -1).size() - 1;
      case "replace" -> {
        Text to = Values.text(Filters.arg(args, 1, name));
        long most = args.size() > 2 ? Values.integer(args.get(2), name) : -1;
        yield joined(pieces(text, string(args, 0, name), most), to);
      }
      case "join" -> joined(Filters.list(Filters.arg(args, 0, name)), text);
      case "split" -> split(text, args, named, false);
      case "rsplit" -> split(text, args, named, true);
      case "splitlines" -> {
        List<Object> lines = pieces(text, "\n", -1);
        if (!lines.isEmpty() && ((Text) lines.get(lines.size() - 1)).isEmpty()) {
          lines.remove(lines.size() - 1);
        }
        yield lines;
      }
      case "isdigit" -> !value.isEmpty() && value.chars().allMatch(Character::isDigit);
      case "isalpha" -> !value.isEmpty() && value.chars().allMatch(Character::isLetter);
      default -> !value.isEmpty() && value.isBlank();
    };
  }

  private static boolean affix(List<Object> args, Predicate<String> holds) {
    Object affix = Filters.arg(args, 0, "startswith or endswith");
    for (Object each : affix instanceof List<?> list ? list : List.of(affix)) {
      if (!(each instanceof Text text)) {
        throw new TemplateFailure("startswith or endswith: found " + Values.kind(each));
      }
      if (holds.test(text.value())) {
        return true;
      }
    }
    return false;
  }

  private static @Nullable String set(List<Object> args) {
    return args.isEmpty() || args.get(0) == Values.NONE ? null : string(args, 0, "strip");
  }

  private static String string(List<Object> args, int index, String name) {
    if (Filters.arg(args, index, name) instanceof Text text) {
      return text.value();
    }
    throw new TemplateFailure(
        name + ": found " + Values.kind(args.get(index)) + "; expected a text");
  }

  private static Object split(
      Text text, List<Object> args, Map<String, Object> named, boolean fromRight) {
    Object most = named.getOrDefault("maxsplit", args.size() > 1 ? args.get(1) : -1L);
    long limit = Values.integer(most, "split");
    if (args.isEmpty() || args.get(0) == Values.NONE) {
      if (limit >= 0) {
        throw new TemplateFailure("split at white space with a limit is not supported", true);
      }
      List<Object> words = new ArrayList<>();
      int from = -1;
      for (int i = 0; i <= text.length(); i++) {
        boolean space = i == text.length() || Character.isWhitespace(text.value().charAt(i));
        if (!space && from < 0) {
          from = i;
        } else if (space && from >= 0) {
          words.add(text.sub(from, i));
          from = -1;
        }
      }
      return words;
    }
    String at = string(args, 0, "split");
    List<Object> pieces = pieces(text, at, fromRight ? -1 : limit);
    while (fromRight && limit >= 0 && pieces.size() > limit + 1) {
      Text first = (Text) pieces.remove(0);
      pieces.set(0, first.plus((Text) args.get(0)).plus((Text) pieces.get(0)));
    }
    return pieces;
  }

  private static List<Object> pieces(Text text, String at, long most) {
    if (at.isEmpty()) {
      throw new TemplateFailure("split, count or replace: the text to look for is empty");
    }
    List<Object> pieces = new ArrayList<>();
    int from = 0;
    int found = text.value().indexOf(at);
    while (found >= 0 && (most < 0 || pieces.size() < most)) {
      pieces.add(text.sub(from, found));
      from = found + at.length();
      found = text.value().indexOf(at, from);
    }
    pieces.add(text.sub(from, text.length()));
    return pieces;
  }

  static Text joined(List<?> pieces, Text between) {
    TextBuilder all = new TextBuilder();
    for (int i = 0; i < pieces.size(); i++) {
      if (i > 0) {
        all.add(between);
      }
      all.add(Values.text(pieces.get(i)));
    }
    return all.text();
  }

  static String capitalized(String value) {
    return value.isEmpty()
        ? value
        : value.substring(0, 1).toUpperCase(Locale.ROOT)
            + value.substring(1).toLowerCase(Locale.ROOT);
  }

  static String title(String value) {
    StringBuilder all = new StringBuilder();
    boolean inside = false;
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      all.append(inside ? Character.toLowerCase(c) : Character.toUpperCase(c));
      inside = Character.isLetter(c);
    }
    return all.toString();
  }
}
