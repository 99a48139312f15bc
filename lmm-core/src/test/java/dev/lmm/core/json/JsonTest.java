package dev.lmm.core.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.lmm.CheckpointException;
import dev.lmm.InvalidRequestException;
import dev.lmm.LmmException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class JsonTest {
  private static final String CONFIG =
      """
      {"model_type": "clip", "vision_config": {"hidden_size": "abc", "layers": [1, 2.0, 3.5],
       "eps": 1e-5, "dropout": null, "big": 9223372036854775808, "wide": 4294967296,
       "fused": true, "name": "Ünï 한 😀 \\u0041"}, "inf": [NaN, Infinity, -Infinity]}""";

  private static Json parse(String text) {
    return Json.parse(text.getBytes(StandardCharsets.UTF_8), "config.json");
  }

  @Test
  void valuesComeBackByKind() {
    Json config = parse(CONFIG);
    Json vision = config.at("vision_config");
    assertThat(config.keys()).containsExactly("model_type", "vision_config", "inf");
    assertThat(config.stringAt("model_type")).isEqualTo("clip");
    assertThat(vision.at("layers").elements().get(1).asInt()).isEqualTo(2);
    assertThat(vision.at("layers").doubles()).containsExactly(1, 2, 3.5);
    assertThat(vision.doubleAt("eps")).isEqualTo(1e-5, within(0.0));
    assertThat(vision.longAt("wide")).isEqualTo(1L << 32);
    assertThat(vision.at("big").raw()).isEqualTo(new BigInteger("9223372036854775808"));
    assertThat(vision.boolAt("fused")).isTrue();
    assertThat(vision.stringAt("name")).isEqualTo("Ünï 한 😀 A");
    assertThat(config.at("inf").doubles())
        .containsExactly(Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY);
    assertThat(vision.place()).isEqualTo("vision_config");
    assertThat(vision.source()).isEqualTo("config.json");
  }

  /** Forty megabytes of text that would become far more of objects. */
  @Test
  void tooManyValuesAreRefused() {
    byte[] text = new byte[40_000_001];
    Arrays.fill(text, (byte) ',');
    for (int i = 1; i < text.length; i += 2) {
      text[i] = '0';
    }
    text[0] = '[';
    assertThatThrownBy(() -> Json.parse(text, "config.json"))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("config.json: is no valid JSON")
        .hasMessageContaining("20000000");
  }

  @Test
  void missingAndNullTakeTheDefault() {
    Json vision = parse(CONFIG).at("vision_config");
    assertThat(vision.has("dropout")).isTrue();
    assertThat(vision.hasValue("dropout")).isFalse();
    assertThat(vision.doubleAt("dropout", 0.25)).isEqualTo(0.25);
    assertThat(vision.intAt("absent", 7)).isEqualTo(7);
    assertThat(vision.stringAt("absent", "x")).isEqualTo("x");
    assertThat(vision.boolAt("absent", true)).isTrue();
    assertThat(vision.objectOrEmpty("absent").keys()).isEmpty();
    assertThat(vision.at("dropout").isNull()).isTrue();
  }

  @Test
  void errorsNameFilePlaceFoundAndExpected() {
    Json config = parse(CONFIG);
    Json vision = config.at("vision_config");
    assertError(
        () -> vision.intAt("hidden_size"),
        "config.json: vision_config.hidden_size is \"abc\"; expected an integer");
    assertError(
        () -> vision.at("layers").ints(),
        "config.json: vision_config.layers[2] is 3.5; expected an integer");
    assertError(
        () -> vision.intAt("wide"),
        "config.json: vision_config.wide is 4294967296; expected an integer within 32 bits");
    assertError(
        () -> vision.longAt("big"),
        "config.json: vision_config.big is 9223372036854775808; expected an integer");
    assertError(
        () -> config.at("text_config"), "config.json: text_config is missing; expected a value");
    assertError(
        () -> vision.boolAt("eps"),
        "config.json: vision_config.eps is 1.0E-5; expected true or" + " false");
    assertError(
        () -> config.stringAt("vision_config"),
        "config.json: vision_config is an object; expected a string");
    assertError(
        () -> vision.at("layers").keys(),
        "config.json: vision_config.layers is an array of 3; expected an object");
    assertError(
        () -> parse("[1]").at("x"), "config.json: the value is an array of 1; expected an object");
  }

  private static void assertError(ThrowingCallable call, String message) {
    assertThatThrownBy(call).isInstanceOf(CheckpointException.class).hasMessage(message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '~',
      ignoreLeadingAndTrailingWhitespace = false,
      value = {
        "~~;is empty",
        "~ ~;is empty",
        "{\"a\":1,\"a\":2};uplicate",
        "{\"a\":1} x;config.json",
        "{\"a\":1}{};goes on after its value",
        "{\"a\":;config.json: is no valid JSON",
        "{\"a\" 1};config.json: is no valid JSON",
        "{'a':1};config.json: is no valid JSON",
        "[1,];config.json: is no valid JSON",
        "[01];config.json: is no valid JSON",
        "// x;config.json: is no valid JSON",
        "nul;config.json: is no valid JSON",
        "\"abc;config.json: is no valid JSON",
        "\"\\q\";config.json: is no valid JSON",
      })
  void whatIsNoJsonIsRefused(String text, String message) {
    assertThatThrownBy(() -> parse(text))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("config.json")
        .hasMessageContaining(message);
  }

  @ParameterizedTest
  @ValueSource(ints = {201, 100_000, 5_000_000})
  void nestingIsBounded(int depth) {
    assertThatThrownBy(() -> parse("[".repeat(depth)))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("depth");
  }

  @Test
  void numbersAreBounded() {
    assertThatThrownBy(() -> parse("[" + "9".repeat(100_000) + "]"))
        .isInstanceOf(CheckpointException.class);
    assertThatThrownBy(() -> parse("1e400").asInt()).isInstanceOf(CheckpointException.class);
  }

  @Test
  void brokenUtf8IsRefused() {
    byte[][] broken = {
      {'"', 'a', (byte) 0xff, '"'},
      {'"', (byte) 0xc3, '"'},
      {'"', (byte) 0xed, (byte) 0xa0, (byte) 0x80, '"'},
      {'"', (byte) 0xc0, (byte) 0x80, '"'},
      {'{', '"', (byte) 0x80, '"', ':', '1', '}'}
    };
    for (byte[] bytes : broken) {
      assertError(
          () -> Json.parse(bytes, "config.json"),
          "config.json: is no valid UTF-8; expected JSON in UTF-8");
    }
  }

  @Test
  void aByteOrderMarkIsSkipped() {
    assertThat(parse("\ufeff{\"a\": 1}").intAt("a")).isEqualTo(1);
  }

  @Test
  void treesCannotBeChanged() {
    Json config = parse(CONFIG);
    assertThatThrownBy(() -> ((Map<?, ?>) config.raw()).clear())
        .isInstanceOf(UnsupportedOperationException.class);
    assertThatThrownBy(() -> ((List<?>) config.at("inf").raw()).clear())
        .isInstanceOf(UnsupportedOperationException.class);
  }

  @Test
  void aMissingFileIsNamed(@TempDir Path folder) {
    Path file = folder.resolve("config.json");
    assertError(() -> Json.parse(file), file + ": no such file");
  }

  @Test
  void anyDamageIsAnExceptionOfTheLibrary() {
    byte[] good = CONFIG.getBytes(StandardCharsets.UTF_8);
    Random random = new Random(3);
    for (int round = 0; round < 20_000; round++) {
      byte[] bad = good.clone();
      for (int i = 0; i <= random.nextInt(4); i++) {
        bad[random.nextInt(bad.length)] = (byte) random.nextInt(256);
      }
      if (random.nextInt(4) == 0) {
        bad = Arrays.copyOf(bad, random.nextInt(bad.length));
      }
      try {
        Json json = Json.parse(bad, "config.json");
        json.at("vision_config").intAt("hidden_size");
      } catch (LmmException e) {
        assertThat(e).isInstanceOf(CheckpointException.class).hasMessageContaining("config.json");
      }
    }
  }

  @Test
  void writtenIsReadBackTheSame() {
    Random random = new Random(5);
    for (int round = 0; round < 2_000; round++) {
      Object tree = tree(random, 0);
      String text = JsonText.of(tree);
      assertThat(parse(text).raw()).isEqualTo(tree);
    }
  }

  private static Object tree(Random random, int depth) {
    return switch (random.nextInt(depth > 4 ? 4 : 6)) {
      case 0 -> random.nextLong();
      case 1 -> Double.longBitsToDouble(random.nextLong() & ~(1L << 62));
      case 2 -> random.nextBoolean();
      case 3 -> {
        StringBuilder text = new StringBuilder();
        for (int i = random.nextInt(12); i > 0; i--) {
          int[] kinds = {random.nextInt(0x80), 0x80 + random.nextInt(0x700), 0xac00, 0x1f600};
          text.appendCodePoint(kinds[random.nextInt(4)]);
        }
        yield text.toString();
      }
      case 4 -> {
        List<Object> list = new ArrayList<>();
        for (int i = random.nextInt(5); i > 0; i--) {
          list.add(tree(random, depth + 1));
        }
        yield list;
      }
      default -> {
        Map<String, Object> map = new LinkedHashMap<>();
        for (int i = random.nextInt(5); i > 0; i--) {
          map.put("k\"\\\n" + random.nextInt(100), tree(random, depth + 1));
        }
        yield map;
      }
    };
  }

  @Test
  void numbersAreWrittenWithoutRounding() {
    assertThat(JsonText.of(new float[] {0.1f, 1f, -0f, Float.MAX_VALUE}))
        .isEqualTo("[0.1,1.0,-0.0,3.4028235E38]");
    assertThat(JsonText.of(List.of(0.1, 1e300, 5))).isEqualTo("[0.1,1.0E300,5]");
    for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
      assertThatThrownBy(() -> JsonText.of(List.of(bad)))
          .isInstanceOf(InvalidRequestException.class);
      assertThatThrownBy(() -> JsonText.of(new float[] {bad}))
          .isInstanceOf(InvalidRequestException.class);
    }
    assertThatThrownBy(() -> JsonText.of(new Object())).isInstanceOf(InvalidRequestException.class);
  }
}
