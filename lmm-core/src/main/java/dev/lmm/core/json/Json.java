package dev.lmm.core.json;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParseException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import dev.lmm.CheckpointException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.math.BigInteger;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A JSON value and the place it stands at, for messages. Immutable.
 *
 * <p>Parsing is strict: a duplicate key, anything after the value, nesting deeper than 200, a
 * string of more than 100 MB or more than 20 million values and keys are an error. {@code NaN} and
 * {@code Infinity} are accepted as numbers, for Python writes them.
 *
 * <p>Every accessor throws {@link CheckpointException} naming file, place, what was found and what
 * was expected.
 */
public final class Json {
  private static final JsonFactory FACTORY =
      JsonFactory.builder()
          .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
          // A tokenizer or an index has a hundred thousand names, none of which comes twice.
          .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
          .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNestingDepth(200)
                  .maxStringLength(100_000_000)
                  .maxNameLength(1_000_000)
                  .maxNumberLength(400)
                  // Values become objects of up to 36 times their text. The largest vocabularies
                  // that are published make 4 million.
                  .maxTokenCount(20_000_000)
                  .build())
          .build();

  private final String source;
  private final String place;
  // Map<String, Object>, List<Object>, String, Long, BigInteger, Double, Boolean or null.
  private final @Nullable Object value;

  private Json(String source, String place, @Nullable Object value) {
    this.source = source;
    this.place = place;
    this.value = value;
  }

  /**
   * Parses a file.
   *
   * @param file UTF-8 JSON
   * @return its value
   * @throws CheckpointException if it is missing or no valid JSON
   */
  public static Json parse(Path file) {
    return parse(SmallFile.bytes(file), file.toString());
  }

  /**
   * Parses bytes.
   *
   * @param bytes UTF-8 JSON
   * @param source what to call it in messages
   * @return its value
   * @throws CheckpointException if it is no valid JSON
   */
  public static Json parse(byte[] bytes, String source) {
    try (JsonParser parser = FACTORY.createParser(reader(bytes))) {
      if (parser.nextToken() == null) {
        throw new CheckpointException(source + ": is empty; expected JSON");
      }
      Object value = read(parser);
      if (parser.nextToken() != null) {
        throw new CheckpointException(
            source + ": goes on after its value, at " + at(parser) + "; expected one JSON value");
      }
      return new Json(source, "", value);
    } catch (JsonProcessingException e) {
      throw new CheckpointException(
          source
              + ": is no valid JSON: "
              + e.getOriginalMessage()
              + (e.getLocation() == null
                  ? ""
                  : " (line "
                      + e.getLocation().getLineNr()
                      + ", column "
                      + e.getLocation().getColumnNr()
                      + ")"),
          e);
    } catch (CharacterCodingException e) {
      throw new CheckpointException(source + ": is no valid UTF-8; expected JSON in UTF-8", e);
    } catch (IOException e) {
      throw new CheckpointException(source + ": cannot be read: " + e.getMessage(), e);
    } catch (OutOfMemoryError e) {
      throw new CheckpointException(
          source + ": not enough memory for the values of " + bytes.length + " bytes of JSON", e);
    }
  }

  /** Characters of UTF-8 bytes, without a byte order mark; the parser would mend broken ones. */
  private static Reader reader(byte[] bytes) {
    boolean mark =
        bytes.length >= 3
            && bytes[0] == (byte) 0xef
            && bytes[1] == (byte) 0xbb
            && bytes[2] == (byte) 0xbf;
    int from = mark ? 3 : 0;
    return new InputStreamReader(
        new ByteArrayInputStream(bytes, from, bytes.length - from),
        StandardCharsets.UTF_8.newDecoder());
  }

  private static String at(JsonParser parser) {
    return "line "
        + parser.currentTokenLocation().getLineNr()
        + ", column "
        + parser.currentTokenLocation().getColumnNr();
  }

  // Recursion is bounded by the parser's limit on nesting.
  private static @Nullable Object read(JsonParser parser) throws IOException {
    return switch (parser.currentToken()) {
      case START_OBJECT -> {
        Map<String, @Nullable Object> map = new LinkedHashMap<>();
        while (parser.nextToken() != JsonToken.END_OBJECT) {
          String name = parser.currentName();
          parser.nextToken();
          int size = map.size();
          map.put(name, read(parser));
          if (map.size() == size) {
            throw new JsonParseException(parser, "Duplicate key \"" + name + '"');
          }
        }
        yield Collections.unmodifiableMap(map);
      }
      case START_ARRAY -> {
        List<@Nullable Object> list = new ArrayList<>();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
          list.add(read(parser));
        }
        yield Collections.unmodifiableList(list);
      }
      case VALUE_STRING -> parser.getText();
      case VALUE_NUMBER_INT -> {
        BigInteger number = parser.getBigIntegerValue();
        yield number.bitLength() < 64 ? (Object) number.longValue() : number;
      }
      case VALUE_NUMBER_FLOAT -> parser.getDoubleValue();
      case VALUE_TRUE -> true;
      case VALUE_FALSE -> false;
      case VALUE_NULL -> null;
      default -> throw new IOException("unexpected " + parser.currentToken());
    };
  }

  // Navigation.

  /**
   * Whether this object has a key, be its value null.
   *
   * @param key the key
   * @return true if it is there
   */
  public boolean has(String key) {
    return map().containsKey(key);
  }

  /**
   * Whether this object has a key with a value other than null.
   *
   * @param key the key
   * @return true if there is a value
   */
  public boolean hasValue(String key) {
    return map().get(key) != null;
  }

  /**
   * The value of a key.
   *
   * @param key the key
   * @return the value
   */
  public Json at(String key) {
    if (!has(key)) {
      throw new CheckpointException(source + ": " + below(key) + " is missing; expected a value");
    }
    return new Json(source, below(key), map().get(key));
  }

  /**
   * The object of a key.
   *
   * @param key the key
   * @return the object; an empty one if the key is missing or null
   */
  public Json objectOrEmpty(String key) {
    Object child = map().get(key);
    Json json = new Json(source, below(key), child == null ? Map.of() : child);
    json.map();
    return json;
  }

  /**
   * The keys of this object.
   *
   * @return in the file's order
   */
  public Set<String> keys() {
    return map().keySet();
  }

  /**
   * The elements of this array.
   *
   * @return in order
   */
  public List<Json> elements() {
    List<?> list = cast(List.class, "an array");
    List<Json> elements = new ArrayList<>(list.size());
    for (int i = 0; i < list.size(); i++) {
      elements.add(new Json(source, place + "[" + i + "]", list.get(i)));
    }
    return elements;
  }

  // Kinds.

  /**
   * Whether this is null.
   *
   * @return true for null
   */
  public boolean isNull() {
    return value == null;
  }

  /**
   * Whether this is an object.
   *
   * @return true for an object
   */
  public boolean isObject() {
    return value instanceof Map;
  }

  /**
   * Whether this is an array.
   *
   * @return true for an array
   */
  public boolean isArray() {
    return value instanceof List;
  }

  /**
   * Whether this is a string.
   *
   * @return true for a string
   */
  public boolean isString() {
    return value instanceof String;
  }

  /**
   * Whether this is a number.
   *
   * @return true for a number
   */
  public boolean isNumber() {
    return value instanceof Number;
  }

  /**
   * Whether this is true or false.
   *
   * @return true for a truth value
   */
  public boolean isBool() {
    return value instanceof Boolean;
  }

  // Values.

  /**
   * This string.
   *
   * @return the text
   */
  public String string() {
    return cast(String.class, "a string");
  }

  /**
   * This truth value.
   *
   * @return the value
   */
  public boolean bool() {
    return cast(Boolean.class, "true or false");
  }

  /**
   * This integer; a number with an empty fraction counts.
   *
   * @return the number
   */
  public long asLong() {
    if (value instanceof Double d && d == Math.rint(d) && Math.abs(d) < 1L << 53) {
      return d.longValue();
    }
    return cast(Long.class, "an integer");
  }

  /**
   * This integer within 32 bits.
   *
   * @return the number
   */
  public int asInt() {
    long number = asLong();
    if (number != (int) number) {
      throw unexpected("an integer within 32 bits");
    }
    return (int) number;
  }

  /**
   * This number.
   *
   * @return the number
   */
  public double asDouble() {
    return cast(Number.class, "a number").doubleValue();
  }

  /**
   * This array of integers.
   *
   * @return in order
   */
  public int[] ints() {
    return elements().stream().mapToInt(Json::asInt).toArray();
  }

  /**
   * This array of numbers.
   *
   * @return in order
   */
  public double[] doubles() {
    return elements().stream().mapToDouble(Json::asDouble).toArray();
  }

  // Values of keys.

  /**
   * The string of a key.
   *
   * @param key the key
   * @return the text
   */
  public String stringAt(String key) {
    return at(key).string();
  }

  /**
   * The string of a key.
   *
   * @param key the key
   * @param absent if missing or null
   * @return the text
   */
  public String stringAt(String key, String absent) {
    return hasValue(key) ? at(key).string() : absent;
  }

  /**
   * The integer of a key.
   *
   * @param key the key
   * @return the number
   */
  public int intAt(String key) {
    return at(key).asInt();
  }

  /**
   * The integer of a key.
   *
   * @param key the key
   * @param absent if missing or null
   * @return the number
   */
  public int intAt(String key, int absent) {
    return hasValue(key) ? at(key).asInt() : absent;
  }

  /**
   * The integer of a key.
   *
   * @param key the key
   * @return the number
   */
  public long longAt(String key) {
    return at(key).asLong();
  }

  /**
   * The number of a key.
   *
   * @param key the key
   * @return the number
   */
  public double doubleAt(String key) {
    return at(key).asDouble();
  }

  /**
   * The number of a key.
   *
   * @param key the key
   * @param absent if missing or null
   * @return the number
   */
  public double doubleAt(String key, double absent) {
    return hasValue(key) ? at(key).asDouble() : absent;
  }

  /**
   * The truth value of a key.
   *
   * @param key the key
   * @return the value
   */
  public boolean boolAt(String key) {
    return at(key).bool();
  }

  /**
   * The truth value of a key.
   *
   * @param key the key
   * @param absent if missing or null
   * @return the value
   */
  public boolean boolAt(String key, boolean absent) {
    return hasValue(key) ? at(key).bool() : absent;
  }

  // Errors.

  /**
   * An exception that says where this value stands and what it is.
   *
   * @param expected what would have been right, and why
   * @return the exception, to be thrown
   */
  public CheckpointException unexpected(String expected) {
    return new CheckpointException(
        source
            + ": "
            + (place.isEmpty() ? "the value" : place)
            + " is "
            + shown()
            + "; expected "
            + expected);
  }

  /**
   * What this was parsed from.
   *
   * @return the name given to {@link #parse}
   */
  public String source() {
    return source;
  }

  /**
   * Where this stands.
   *
   * @return for instance {@code vision_config.hidden_size}; empty for the whole
   */
  public String place() {
    return place;
  }

  /**
   * The value as plain Java: {@code Map<String, Object>}, {@code List<Object>}, String, Long,
   * BigInteger, Double, Boolean or null; unmodifiable.
   *
   * @return the value
   */
  public @Nullable Object raw() {
    return value;
  }

  private String shown() {
    if (value instanceof Map) {
      return "an object";
    }
    if (value instanceof List<?> list) {
      return "an array of " + list.size();
    }
    if (value instanceof String text) {
      return '"' + (text.length() > 60 ? text.substring(0, 60) + "..." : text) + '"';
    }
    return String.valueOf(value);
  }

  private String below(String key) {
    return place.isEmpty() ? key : place + "." + key;
  }

  @SuppressWarnings("unchecked")
  private Map<String, @Nullable Object> map() {
    return cast(Map.class, "an object");
  }

  private <T> T cast(Class<T> type, String expected) {
    if (!type.isInstance(value)) {
      throw unexpected(expected);
    }
    return type.cast(value);
  }

  @Override
  public String toString() {
    return source + (place.isEmpty() ? "" : ": " + place) + " = " + shown();
  }
}
