package dev.lmm.core.decode.grammar;

import dev.lmm.InvalidRequestException;
import dev.lmm.core.decode.grammar.Grammar.Spacing;
import dev.lmm.core.decode.grammar.Numbers.Bound;
import dev.lmm.core.json.Json;
import dev.lmm.core.json.JsonText;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Turns a JSON schema into the language of the JSON texts that satisfy it. */
final class JsonSchema {
  /** How deep values nest that the schema says nothing about, or that hold themselves. */
  private static final int DEEPEST = 5;

  private static final BigInteger LARGEST = BigInteger.TEN.pow(15).subtract(BigInteger.ONE);
  private static final BigDecimal LARGEST_DECIMAL = new BigDecimal(LARGEST);
  private static final Bound LEAST = new Bound(LARGEST_DECIMAL.negate(), true);
  private static final Bound MOST = new Bound(LARGEST_DECIMAL, true);
  private static final Expr ANY_NUMBER = Regex.whole("-?(0|[1-9]\\d{0,14})(\\.\\d{1,6})?");
  private static final List<String> TYPES =
      List.of("object", "array", "string", "integer", "number", "boolean", "null");
  private static final Set<String> ANNOTATIONS =
      Set.of(
          "title",
          "description",
          "default",
          "examples",
          "$schema",
          "$id",
          "$comment",
          "$defs",
          "definitions",
          "deprecated",
          "readOnly",
          "writeOnly",
          "additionalItems");
  private static final Map<String, Set<String>> KEYWORDS =
      Map.of(
          "object",
          Set.of(
              "properties", "required", "additionalProperties", "minProperties", "maxProperties"),
          "array",
          Set.of("items", "prefixItems", "minItems", "maxItems", "uniqueItems"),
          "string",
          Set.of("minLength", "maxLength", "pattern", "format"),
          "integer",
          Set.of("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
          "number",
          Set.of("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
          "boolean",
          Set.of(),
          "null",
          Set.of());
  private static final Map<String, String> FORMATS =
      Map.of(
          "date",
          "\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|1\\d|2[0-8])",
          "time",
          "([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(Z|[+-]([01]\\d|2[0-3]):[0-5]\\d)",
          "date-time",
          "\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|1\\d|2[0-8])T([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(\\.\\d{1,6})?"
              + "(Z|[+-]([01]\\d|2[0-3]):[0-5]\\d)",
          "uuid",
          "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}");

  /** References multiply; what they lead to is counted. */
  private static final int MOST_VISITS = 20_000;

  private int visited;
  private final Json root;
  private final Expr free;
  private final Expr comma;
  private final Expr colon;

  JsonSchema(Json root, Spacing spacing) {
    this.root = root;
    Expr blank =
        switch (spacing) {
          case NONE -> Expr.EMPTY;
          case SINGLE -> Expr.text(" ");
          case FREE -> new Expr.Repeat(CharSet.of('\t', '\n', '\r', '\r', ' ', ' ').utf8(), 0, 16);
        };
    this.free = spacing == Spacing.FREE ? blank : Expr.EMPTY;
    this.comma = Expr.seq(free, Expr.text(","), blank);
    this.colon = Expr.seq(free, Expr.text(":"), blank);
  }

  Expr expr() {
    return value(root, 0);
  }

  private static InvalidRequestException refused(Json at, String message) {
    String place = at.place().isEmpty() ? "" : " at " + at.place();
    return new InvalidRequestException("schema" + place + ": " + message);
  }

  private Expr value(Json schema, int depth) {
    if (++visited > MOST_VISITS) {
      throw refused(
          schema, "takes more than " + MOST_VISITS + " parts once references are followed");
    }
    if (schema.isBool()) {
      return schema.bool() ? anything(schema, depth) : Expr.NOTHING;
    }
    if (!schema.isObject()) {
      throw refused(schema, "found " + schema + "; expected an object, true or false");
    }
    for (String keyword : List.of("$ref", "allOf", "anyOf", "oneOf")) {
      if (schema.has(keyword)) {
        only(schema, keyword);
        return combined(schema, keyword, depth);
      }
    }
    Set<String> types = types(schema);
    if (schema.has("const") || schema.has("enum")) {
      return literals(schema, types);
    }
    for (String key : schema.keys()) {
      if (!key.equals("type")
          && !ANNOTATIONS.contains(key)
          && types.stream().noneMatch(type -> KEYWORDS.get(type).contains(key))) {
        throw refused(
            schema,
            "keyword \""
                + key
                + "\" is not supported"
                + (isKnown(key) ? " for type " + String.join(", ", types) : ""));
      }
    }
    List<Expr> choices = new ArrayList<>();
    for (String type : TYPES) {
      // An integer is a number too.
      if (types.contains(type) && !(type.equals("integer") && types.contains("number"))) {
        choices.add(ofType(type, schema, depth));
      }
    }
    return new Expr.Alt(choices);
  }

  private static boolean isKnown(String key) {
    return KEYWORDS.values().stream().anyMatch(each -> each.contains(key));
  }

  private static void only(Json schema, String keyword) {
    for (String key : schema.keys()) {
      if (!key.equals(keyword) && !ANNOTATIONS.contains(key)) {
        throw refused(
            schema, "\"" + key + "\" beside \"" + keyword + "\" is not supported; put it inside");
      }
    }
  }

  private Expr combined(Json schema, String keyword, int depth) {
    Json inside = schema.at(keyword);
    if (keyword.equals("$ref")) {
      // Each reference counts as a level, so that a schema that holds itself ends.
      return depth > 2 * DEEPEST ? Expr.NOTHING : value(resolve(inside), depth + 1);
    }
    List<Json> choices = inside.elements();
    if (choices.isEmpty()) {
      throw refused(inside, "is empty; expected at least one schema");
    }
    if (keyword.equals("allOf") && choices.size() > 1) {
      throw refused(schema, "keyword \"allOf\" of several schemas is not supported; join them");
    }
    if (keyword.equals("oneOf")) {
      Set<String> seen = new HashSet<>();
      for (Json choice : choices) {
        for (String type : choice.isObject() ? typesOf(choice, 0) : Set.copyOf(TYPES)) {
          if (!seen.add(type.equals("integer") ? "number" : type)) {
            throw refused(
                schema,
                "keyword \"oneOf\" is supported for schemas of different types only; two allow "
                    + type
                    + ", use anyOf");
          }
        }
      }
    }
    List<Expr> all = new ArrayList<>();
    for (Json choice : choices) {
      all.add(value(choice, depth));
    }
    return new Expr.Alt(all);
  }

  private Set<String> typesOf(Json schema, int depth) {
    return schema.has("$ref") && depth < 20
        ? typesOf(resolve(schema.at("$ref")), depth + 1)
        : types(schema);
  }

  private Json resolve(Json reference) {
    String path = reference.string();
    if (!path.startsWith("#")) {
      throw refused(reference, "refers to " + path + "; only places in the same schema, #/...");
    }
    Json at = root;
    for (String part : path.substring(1).split("/", -1)) {
      if (part.isEmpty()) {
        continue;
      }
      String key = part.replace("~1", "/").replace("~0", "~");
      if (!at.isObject() || !at.has(key)) {
        throw refused(reference, "refers to " + path + ", which is not there");
      }
      at = at.at(key);
    }
    return at;
  }

  /** The types a schema allows, by its own word or by the keywords it holds. */
  private static Set<String> types(Json schema) {
    Set<String> types = new HashSet<>();
    if (schema.has("type")) {
      Json type = schema.at("type");
      for (Json each : type.isArray() ? type.elements() : List.of(type)) {
        if (!TYPES.contains(each.string())) {
          throw refused(type, "type is " + each.string() + "; expected one of " + TYPES);
        }
        types.add(each.string());
      }
      if (types.isEmpty()) {
        throw refused(type, "is empty; expected at least one type");
      }
      return types;
    }
    for (Map.Entry<String, Set<String>> each : KEYWORDS.entrySet()) {
      if (each.getValue().stream().anyMatch(schema::has)) {
        types.add(each.getKey());
      }
    }
    if (types.contains("number")) {
      types.remove("integer");
    }
    return types.isEmpty() ? new HashSet<>(TYPES) : types;
  }

  private Expr literals(Json schema, Set<String> types) {
    for (String key : schema.keys()) {
      if (!Set.of("type", "const", "enum").contains(key) && !ANNOTATIONS.contains(key)) {
        throw refused(schema, "\"" + key + "\" beside enum or const is not supported");
      }
    }
    List<Json> values =
        schema.has("const") ? List.of(schema.at("const")) : schema.at("enum").elements();
    List<Expr> choices = new ArrayList<>();
    for (Json value : values) {
      if (!schema.has("type") || types.stream().anyMatch(type -> isOf(value, type))) {
        choices.add(Expr.text(JsonText.of(value.raw())));
      }
    }
    if (choices.isEmpty()) {
      throw refused(schema, "no value of enum or const has the type asked for");
    }
    return new Expr.Alt(choices);
  }

  private static boolean isOf(Json value, String type) {
    return switch (type) {
      case "object" -> value.isObject();
      case "array" -> value.isArray();
      case "string" -> value.isString();
      case "integer" -> value.isNumber() && value.asDouble() == Math.rint(value.asDouble());
      case "number" -> value.isNumber();
      case "boolean" -> value.isBool();
      default -> value.isNull();
    };
  }

  private Expr anything(Json schema, int depth) {
    List<Expr> choices = new ArrayList<>();
    for (String type : TYPES) {
      if (!type.equals("integer")) {
        choices.add(ofType(type, Json.parse(new byte[] {'{', '}'}, schema.source()), depth));
      }
    }
    return new Expr.Alt(choices);
  }

  private Expr ofType(String type, Json schema, int depth) {
    return switch (type) {
      case "object" -> object(schema, depth);
      case "array" -> array(schema, depth);
      case "string" -> string(schema);
      case "integer" -> integer(schema);
      case "number" -> number(schema);
      case "boolean" -> Expr.alt(Expr.text("true"), Expr.text("false"));
      default -> Expr.text("null");
    };
  }

  private static int count(Json schema, String key, int absent) {
    if (!schema.has(key)) {
      return absent;
    }
    int count = schema.intAt(key);
    if (count < 0) {
      throw refused(schema, key + " is " + count + "; expected at least 0");
    }
    return count;
  }

  private Expr braced(String open, Expr inside, String close) {
    return Expr.seq(Expr.text(open), free, inside, free, Expr.text(close));
  }

  private Expr object(Json schema, int depth) {
    Json properties = schema.objectOrEmpty("properties");
    Set<String> required = new HashSet<>();
    if (schema.has("required")) {
      schema.at("required").elements().forEach(each -> required.add(each.string()));
    }
    int min = count(schema, "minProperties", 0);
    int max = count(schema, "maxProperties", -1);
    Json more = schema.has("additionalProperties") ? schema.at("additionalProperties") : null;
    boolean named = !properties.keys().isEmpty();
    for (String name : required) {
      if (!properties.has(name)) {
        throw refused(schema, "requires \"" + name + "\", which properties does not describe");
      }
    }
    if (named) {
      if (more != null && more.isObject()) {
        throw refused(schema, "additionalProperties beside properties may be true or false only");
      }
      if (schema.has("minProperties") || schema.has("maxProperties")) {
        throw refused(
            schema, "minProperties and maxProperties beside properties are not supported");
      }
      List<Expr> items = new ArrayList<>();
      List<Boolean> must = new ArrayList<>();
      for (String name : properties.keys()) {
        Expr value = value(properties.at(name), depth + 1);
        items.add(Expr.seq(Expr.text(JsonText.of(name)), colon, value));
        must.add(required.contains(name));
      }
      return braced("{", new Expr.Members(items, must, comma), "}");
    }
    if (depth >= DEEPEST || (more != null && more.isBool() && !more.bool())) {
      return min > 0 ? Expr.NOTHING : braced("{", Expr.EMPTY, "}");
    }
    Expr value =
        more != null && more.isObject() ? value(more, depth + 1) : anything(schema, depth + 1);
    Expr pair = Expr.seq(anyString(0, -1), colon, value);
    return braced("{", Expr.separated(pair, comma, min, max), "}");
  }

  private Expr array(Json schema, int depth) {
    if (schema.has("uniqueItems") && schema.boolAt("uniqueItems")) {
      throw refused(schema, "keyword \"uniqueItems\" is not supported");
    }
    int min = count(schema, "minItems", 0);
    int max = count(schema, "maxItems", -1);
    if (max >= 0 && max < min) {
      throw refused(schema, "minItems is " + min + ", maxItems " + max + ": nothing satisfies it");
    }
    Json items = schema.has("items") ? schema.at("items") : null;
    List<Json> first = new ArrayList<>();
    if (schema.has("prefixItems")) {
      first.addAll(schema.at("prefixItems").elements());
    } else if (items != null && items.isArray()) {
      first.addAll(items.elements());
      items = null;
    }
    if (first.isEmpty()) {
      if (max == 0 || (items == null && depth >= DEEPEST)) {
        return min > 0 ? Expr.NOTHING : braced("[", Expr.EMPTY, "]");
      }
      Expr item = items == null ? anything(schema, depth + 1) : value(items, depth + 1);
      return braced("[", Expr.separated(item, comma, min, max), "]");
    }
    // A tuple: as many as described, and no more, which every schema allows.
    int least = Math.max(min, schema.has("minItems") ? min : first.size());
    if (least > first.size() || (max >= 0 && max < least)) {
      throw refused(
          schema,
          first.size()
              + " items are described, "
              + least
              + " at least wanted, "
              + max
              + " allowed");
    }
    List<Expr> parts = new ArrayList<>();
    for (int i = 0; i < least; i++) {
      parts.add(i == 0 ? Expr.EMPTY : comma);
      parts.add(value(first.get(i), depth + 1));
    }
    return braced("[", new Expr.Seq(parts), "]");
  }

  // Strings.

  /** How one character of a set stands in a JSON string, with its short escapes. */
  private static Expr character(CharSet set) {
    List<Expr> choices = new ArrayList<>();
    CharSet plain = set.and(CharSet.of(0, 0x1F, '"', '"', '\\', '\\').negated());
    if (!plain.isEmpty()) {
      choices.add(plain.utf8());
    }
    String escaped = "\"\\\b\f\n\r\t";
    List<Expr> letters = new ArrayList<>();
    for (int i = 0; i < escaped.length(); i++) {
      if (set.has(escaped.charAt(i))) {
        letters.add(Expr.text(String.valueOf("\"\\bfnrt".charAt(i))));
      }
    }
    if (!letters.isEmpty()) {
      choices.add(Expr.seq(Expr.text("\\"), new Expr.Alt(letters)));
    }
    for (int c = 0; c < 0x20; c++) {
      if (set.has(c) && escaped.indexOf(c) < 0) {
        choices.add(Expr.text(String.format("\\u%04x", c)));
      }
    }
    return new Expr.Alt(choices);
  }

  private static Expr anyString(int min, int max) {
    Expr any = character(CharSet.of(0, 0x1F).negated().or(CharSet.of('\n', '\n', '\t', '\t')));
    return quoted(new Expr.Repeat(any, min, max));
  }

  private static Expr quoted(Expr inside) {
    return Expr.seq(Expr.text("\""), inside, Expr.text("\""));
  }

  private static Expr string(Json schema) {
    int min = count(schema, "minLength", 0);
    int max = count(schema, "maxLength", -1);
    if (max >= 0 && max < min) {
      throw refused(
          schema, "minLength is " + min + ", maxLength " + max + ": nothing satisfies it");
    }
    String pattern = null;
    if (schema.has("pattern")) {
      pattern = schema.stringAt("pattern");
    }
    if (schema.has("format")) {
      if (pattern != null) {
        throw refused(schema, "pattern and format together are not supported");
      }
      String format = FORMATS.get(schema.stringAt("format"));
      if (format == null) {
        throw refused(
            schema,
            "format \""
                + schema.stringAt("format")
                + "\" is not supported; expected one of "
                + FORMATS.keySet().stream().sorted().toList());
      }
      pattern = "^(" + format + ")$";
    }
    if (pattern == null) {
      return anyString(min, max);
    }
    if (schema.has("minLength") || schema.has("maxLength")) {
      throw refused(
          schema,
          "pattern or format with a length is not supported; count in the pattern: ^.{1,9}$");
    }
    return quoted(Regex.within(pattern, JsonSchema::character));
  }

  // Numbers.

  private static @Nullable Bound bound(Json schema, boolean lower) {
    Bound tightest = null;
    String[] keys =
        lower
            ? new String[] {"minimum", "exclusiveMinimum"}
            : new String[] {"maximum", "exclusiveMaximum"};
    for (String key : keys) {
      if (!schema.has(key)) {
        continue;
      }
      if (!schema.at(key).isNumber() || !Double.isFinite(schema.doubleAt(key))) {
        throw refused(schema, key + " is " + schema.at(key) + "; expected a number");
      }
      BigDecimal value = new BigDecimal(String.valueOf(schema.at(key).raw()));
      if (Math.abs((long) value.scale()) > 400 || value.precision() > 100) {
        throw refused(schema, key + " is " + value + "; it has too many digits");
      }
      Bound bound = new Bound(value, !key.startsWith("exclusive"));
      int order = tightest == null ? 1 : value.compareTo(tightest.value()) * (lower ? 1 : -1);
      if (order > 0 || (order == 0 && !bound.inclusive())) {
        tightest = bound;
      }
    }
    return tightest;
  }

  private static Expr integer(Json schema) {
    Bound low = bound(schema, true);
    Bound high = bound(schema, false);
    BigInteger from = LARGEST.negate();
    if (low != null) {
      from = low.value().setScale(0, RoundingMode.CEILING).toBigInteger();
      boolean itself = new BigDecimal(from).compareTo(low.value()) == 0;
      from = itself && !low.inclusive() ? from.add(BigInteger.ONE) : from;
    }
    BigInteger to = LARGEST;
    if (high != null) {
      to = high.value().setScale(0, RoundingMode.FLOOR).toBigInteger();
      boolean itself = new BigDecimal(to).compareTo(high.value()) == 0;
      to = itself && !high.inclusive() ? to.subtract(BigInteger.ONE) : to;
    }
    if (from.compareTo(to) > 0) {
      throw refused(schema, "no integer lies between its bounds");
    }
    return Numbers.integers(from, to);
  }

  private static Expr number(Json schema) {
    Bound low = bound(schema, true);
    Bound high = bound(schema, false);
    if (low == null && high == null) {
      return ANY_NUMBER;
    }
    if (low != null && high != null) {
      int order = low.value().compareTo(high.value());
      if (order > 0 || (order == 0 && !(low.inclusive() && high.inclusive()))) {
        throw refused(schema, "no number lies between its bounds");
      }
    }
    return Numbers.decimals(low == null ? LEAST : low, high == null ? MOST : high);
  }
}
