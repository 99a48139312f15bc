package dev.lmm.core.decode.grammar;

import dev.lmm.core.json.Json;
import dev.lmm.core.json.JsonText;
import java.math.BigDecimal;
import java.util.List;
import java.util.regex.Pattern;

/** Checks a value against a schema the plain way; written apart from the grammar it checks. */
final class SchemaChecker {
  private final Json root;

  SchemaChecker(Json root) {
    this.root = root;
  }

  boolean valid(Json value) {
    return valid(root, value);
  }

  private boolean valid(Json schema, Json value) {
    if (schema.isBool()) {
      return schema.bool();
    }
    for (String key : schema.keys()) {
      if (!holds(schema, key, schema.at(key), value)) {
        return false;
      }
    }
    return true;
  }

  private static String text(Json value) {
    return JsonText.of(value.raw());
  }

  private static BigDecimal number(Json value) {
    return new BigDecimal(String.valueOf(value.raw()));
  }

  private static boolean isType(Json value, String type) {
    return switch (type) {
      case "object" -> value.isObject();
      case "array" -> value.isArray();
      case "string" -> value.isString();
      case "integer" -> value.isNumber() && number(value).remainder(BigDecimal.ONE).signum() == 0;
      case "number" -> value.isNumber();
      case "boolean" -> value.isBool();
      case "null" -> value.isNull();
      default -> throw new AssertionError(type);
    };
  }

  private boolean holds(Json schema, String key, Json rule, Json value) {
    switch (key) {
      case "type" -> {
        List<Json> types = rule.isArray() ? rule.elements() : List.of(rule);
        return types.stream().anyMatch(type -> isType(value, type.string()));
      }
      case "const" -> {
        return text(rule).equals(text(value));
      }
      case "enum" -> {
        return rule.elements().stream().anyMatch(each -> text(each).equals(text(value)));
      }
      case "anyOf" -> {
        return rule.elements().stream().anyMatch(each -> valid(each, value));
      }
      case "oneOf" -> {
        return rule.elements().stream().filter(each -> valid(each, value)).count() == 1;
      }
      case "allOf" -> {
        return rule.elements().stream().allMatch(each -> valid(each, value));
      }
      case "$ref" -> {
        Json at = root;
        for (String part : rule.string().substring(1).split("/", -1)) {
          at = part.isEmpty() ? at : at.at(part);
        }
        return valid(at, value);
      }
      case "minimum" -> {
        return !value.isNumber() || number(value).compareTo(number(rule)) >= 0;
      }
      case "maximum" -> {
        return !value.isNumber() || number(value).compareTo(number(rule)) <= 0;
      }
      case "exclusiveMinimum" -> {
        return !value.isNumber() || number(value).compareTo(number(rule)) > 0;
      }
      case "exclusiveMaximum" -> {
        return !value.isNumber() || number(value).compareTo(number(rule)) < 0;
      }
      case "minLength" -> {
        return !value.isString() || length(value) >= rule.asInt();
      }
      case "maxLength" -> {
        return !value.isString() || length(value) <= rule.asInt();
      }
      case "pattern" -> {
        return !value.isString() || Pattern.compile(rule.string()).matcher(value.string()).find();
      }
      case "minItems" -> {
        return !value.isArray() || value.elements().size() >= rule.asInt();
      }
      case "maxItems" -> {
        return !value.isArray() || value.elements().size() <= rule.asInt();
      }
      case "items" -> {
        return !value.isArray()
            || schema.has("prefixItems")
            || value.elements().stream().allMatch(each -> valid(rule, each));
      }
      case "prefixItems" -> {
        boolean all = true;
        for (int i = 0; value.isArray() && i < rule.elements().size(); i++) {
          all &=
              i >= value.elements().size()
                  || valid(rule.elements().get(i), value.elements().get(i));
        }
        return all;
      }
      case "properties" -> {
        return !value.isObject()
            || rule.keys().stream()
                .allMatch(name -> !value.has(name) || valid(rule.at(name), value.at(name)));
      }
      case "required" -> {
        return !value.isObject()
            || rule.elements().stream().allMatch(name -> value.has(name.string()));
      }
      case "additionalProperties" -> {
        Json known = schema.objectOrEmpty("properties");
        return !value.isObject()
            || value.keys().stream()
                .allMatch(name -> known.has(name) || valid(rule, value.at(name)));
      }
      case "minProperties" -> {
        return !value.isObject() || value.keys().size() >= rule.asInt();
      }
      case "maxProperties" -> {
        return !value.isObject() || value.keys().size() <= rule.asInt();
      }
      case "format", "title", "description", "$defs", "default" -> {
        return true;
      }
      default -> throw new AssertionError("the checker does not know " + key);
    }
  }

  private static int length(Json value) {
    return value.string().codePointCount(0, value.string().length());
  }
}
