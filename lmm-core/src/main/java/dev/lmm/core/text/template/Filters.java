package dev.lmm.core.text.template;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** {@code value | name(args)} and {@code value is name(args)}. */
final class Filters {
  private Filters() {}

  static Object arg(List<Object> args, int index, String of) {
    if (index >= args.size()) {
      throw new TemplateFailure(of + ": lacks an argument");
    }
    return args.get(index);
  }

  /** What a loop goes over. */
  static List<Object> list(Object value) {
    if (value instanceof List<?> list) {
      return new ArrayList<>(list);
    }
    if (value instanceof Map<?, ?> map) {
      return new ArrayList<>(map.keySet());
    }
    if (value instanceof Text text) {
      List<Object> characters = new ArrayList<>();
      for (int i = 0; i < text.length(); ) {
        int end = i + Character.charCount(text.value().codePointAt(i));
        characters.add(text.sub(i, end));
        i = end;
      }
      return characters;
    }
    if (value instanceof Values.Undefined) {
      return new ArrayList<>();
    }
    throw new TemplateFailure("cannot go over " + Values.kind(value));
  }

  /** What a filter of items goes over: nothing at all is no items. */
  private static List<Object> some(Object value) {
    return Values.truth(value) ? list(value) : List.of();
  }

  static long length(Object value) {
    if (value instanceof Text text) {
      return text.value().codePointCount(0, text.length());
    }
    if (value instanceof Number || value instanceof Boolean || value == Values.NONE) {
      throw new TemplateFailure("length: " + Values.kind(value) + " has none");
    }
    return list(value).size();
  }

  static Object apply(
      String name,
      Object value,
      List<Object> args,
      Map<String, Object> named,
      Interpreter interpreter) {
    return switch (name) {
      case "trim" -> Values.text(value).strip(null, true, true);
      case "length", "count" -> length(value);
      case "upper" -> like(value, Values.text(value).value().toUpperCase(Locale.ROOT));
      case "lower" -> like(value, Values.text(value).value().toLowerCase(Locale.ROOT));
      case "capitalize" -> like(value, Methods.capitalized(Values.text(value).value()));
      case "title" -> like(value, Methods.title(Values.text(value).value()));
      case "string" -> Values.text(value);
      case "int" -> integer(value);
      case "abs" ->
          value instanceof Long n
              ? Math.abs(n)
              : (Object) Math.abs(Values.numeric(value, "take abs of"));
      case "list" -> list(value);
      case "first" -> end(list(value), 0);
      case "last" -> end(list(value), -1);
      case "items", "dictsort" -> items(name, value);
      case "join" ->
          Methods.joined(list(value), args.isEmpty() ? Text.EMPTY : Values.text(args.get(0)));
      case "replace" -> Methods.of(Values.text(value), "replace").call(args, named);
      case "reverse" -> reversed(value);
      case "unique" -> new ArrayList<Object>(new LinkedHashSet<>(list(value)));
      case "default", "d" -> {
        boolean falsy = args.size() > 1 && Values.truth(args.get(1));
        falsy |= named.containsKey("boolean") && Values.truth(named.get("boolean"));
        boolean absent = value instanceof Values.Undefined || (falsy && !Values.truth(value));
        yield absent ? (args.isEmpty() ? Text.EMPTY : args.get(0)) : value;
      }
      case "tojson" -> json(value, args, named);
      case "indent" -> indent(Values.text(value), args, named);
      case "map" -> map(value, args, named, interpreter);
      case "select", "reject" -> {
        List<Object> kept = new ArrayList<>();
        for (Object each : some(value)) {
          if (holds(each, args, 0, interpreter) == name.equals("select")) {
            kept.add(each);
          }
        }
        yield kept;
      }
      case "selectattr", "rejectattr" -> {
        List<Object> kept = new ArrayList<>();
        String attribute = Values.text(arg(args, 0, name)).value();
        for (Object each : some(value)) {
          Object found = interpreter.attribute(each, attribute);
          if (holds(found, args, 1, interpreter) == name.equals("selectattr")) {
            kept.add(each);
          }
        }
        yield kept;
      }
      default -> throw new TemplateFailure("filter '" + name + "' is not supported", true);
    };
  }

  private static Text like(Object value, String changed) {
    return Values.text(value).like(changed);
  }

  private static Object end(List<Object> list, int index) {
    return list.isEmpty()
        ? new Values.Undefined("the end of an empty list")
        : list.get(index < 0 ? list.size() - 1 : 0);
  }

  private static Object integer(Object value) {
    if (value instanceof Text text) {
      try {
        return Long.parseLong(text.value().strip());
      } catch (NumberFormatException e) {
        return 0L; // as Jinja has it
      }
    }
    return (long) Values.numeric(value, "make an integer of");
  }

  private static Object items(String name, Object value) {
    if (value instanceof Values.Undefined) {
      return new ArrayList<>();
    }
    if (!(value instanceof Map<?, ?> map)) {
      throw new TemplateFailure(name + ": found " + Values.kind(value) + "; expected a mapping");
    }
    List<Object> items = Methods.items(map);
    if (name.equals("dictsort")) {
      items.sort(
          (a, b) ->
              String.CASE_INSENSITIVE_ORDER.compare(
                  String.valueOf(((List<?>) a).get(0)), String.valueOf(((List<?>) b).get(0))));
    }
    return items;
  }

  private static Object reversed(Object value) {
    List<Object> items = list(value);
    Collections.reverse(items);
    return value instanceof Text ? Methods.joined(items, Text.EMPTY) : items;
  }

  private static Object json(Object value, List<Object> args, Map<String, Object> named) {
    if (!args.isEmpty() && args.get(0) instanceof Boolean) {
      throw new TemplateFailure("tojson(ensure_ascii) is not supported", true);
    }
    for (String key : named.keySet()) {
      if (!List.of("indent", "ensure_ascii", "separators", "sort_keys").contains(key)) {
        throw new TemplateFailure("tojson(" + key + ") is not supported", true);
      }
    }
    if (named.containsKey("ensure_ascii") && Values.truth(named.get("ensure_ascii"))) {
      throw new TemplateFailure("tojson(ensure_ascii=true) is not supported", true);
    }
    Object indent = named.getOrDefault("indent", Values.NONE);
    int blanks = indent == Values.NONE ? -1 : (int) Values.integer(indent, "tojson(indent)");
    if (blanks > 16) {
      throw new TemplateFailure("tojson(indent): is " + blanks + "; expected at most 16");
    }
    String comma = blanks < 0 ? ", " : ",";
    String colon = ": ";
    if (named.get("separators") instanceof List<?> both && both.size() == 2) {
      comma = Values.text(both.get(0)).value();
      colon = Values.text(both.get(1)).value();
    }
    boolean sorted = named.containsKey("sort_keys") && Values.truth(named.get("sort_keys"));
    return Text.data(PythonJson.write(value, blanks, comma, colon, sorted));
  }

  private static Object indent(Text text, List<Object> args, Map<String, Object> named) {
    Object width = args.isEmpty() ? named.getOrDefault("width", 4L) : args.get(0);
    boolean first =
        args.size() > 1
            ? Values.truth(args.get(1))
            : named.containsKey("first") && Values.truth(named.get("first"));
    long blanks = Values.integer(width, "indent");
    if (blanks < 0 || blanks > 100) {
      throw new TemplateFailure("indent: is " + blanks + "; expected 0 to 100");
    }
    Text gap = Text.template(" ".repeat((int) blanks));
    TextBuilder all = new TextBuilder();
    boolean start = true;
    for (Object each :
        (List<?>) Methods.of(text, "split").call(List.of(Text.template("\n")), Map.of())) {
      Text line = (Text) each;
      if (!start) {
        all.add(Text.template("\n"));
      }
      if (start ? first : !line.isEmpty()) {
        all.add(gap);
      }
      all.add(line);
      start = false;
    }
    return all.text();
  }

  private static Object map(
      Object value, List<Object> args, Map<String, Object> named, Interpreter interpreter) {
    List<Object> results = new ArrayList<>();
    for (Object each : some(value)) {
      if (named.containsKey("attribute")) {
        String attribute = Values.text(named.get("attribute")).value();
        Object found = interpreter.attribute(each, attribute);
        boolean absent = found instanceof Values.Undefined && named.containsKey("default");
        results.add(absent ? named.get("default") : found);
      } else {
        String filter = Values.text(arg(args, 0, "map")).value();
        results.add(apply(filter, each, args.subList(1, args.size()), Map.of(), interpreter));
      }
    }
    return results;
  }

  private static boolean holds(Object value, List<Object> args, int from, Interpreter interpreter) {
    return args.size() <= from
        ? Values.truth(value)
        : test(
            Values.text(args.get(from)).value(),
            value,
            args.subList(from + 1, args.size()),
            interpreter);
  }

  static boolean test(String name, Object value, List<Object> args, Interpreter interpreter) {
    return switch (name) {
      case "defined" -> !(value instanceof Values.Undefined);
      case "undefined" -> value instanceof Values.Undefined;
      case "none" -> value == Values.NONE;
      case "string" -> value instanceof Text;
      case "mapping" -> value instanceof Map<?, ?>;
      case "sequence", "iterable" ->
          value instanceof List<?> || value instanceof Map<?, ?> || value instanceof Text;
      case "number" -> value instanceof Number || value instanceof Boolean;
      case "integer" -> value instanceof Long;
      case "float" -> value instanceof Double;
      case "boolean" -> value instanceof Boolean;
      case "true" -> Boolean.TRUE.equals(value);
      case "false" -> Boolean.FALSE.equals(value);
      case "callable" -> value instanceof Values.Function;
      case "even" -> Values.integer(value, "even") % 2 == 0;
      case "odd" -> Values.integer(value, "odd") % 2 != 0;
      case "divisibleby" ->
          Values.integer(value, name) % Values.integer(arg(args, 0, name), name) == 0;
      case "equalto", "eq", "sameas" -> Values.equal(value, arg(args, 0, name));
      case "ne" -> !Values.equal(value, arg(args, 0, name));
      case "in" -> interpreter.contains(arg(args, 0, name), value);
      default -> throw new TemplateFailure("test '" + name + "' is not supported", true);
    };
  }
}
