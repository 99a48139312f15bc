package dev.lmm.qwenvl.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Answers as models write them when nothing keeps them to a form. */
class RegionParserTest {
  private static List<String> read(String text) {
    return RegionParser.parse(text).stream()
        .map(found -> found.label() + Arrays.toString(found.numbers()))
        .toList();
  }

  @Test
  void jsonIsRead() {
    assertThat(
            read(
                """
                [{"bbox_2d": [1, 2, 30, 40], "label": "person"},
                 {"bbox_2d": [5, 6, 7, 8], "label": "dog"}]"""))
        .containsExactly("person[1.0, 2.0, 30.0, 40.0]", "dog[5.0, 6.0, 7.0, 8.0]");
  }

  @Test
  void fencesAndProseAroundItAreLeftOut() {
    assertThat(
            read(
                """
                Sure! Here are 2 people [in the picture]:
                ```json
                [
                  {"bbox_2d": [1, 2, 3, 4], "label": "a man, 30 years old"}
                ]
                ```
                Let me know (1, 2)."""))
        .containsExactly("a man, 30 years old[1.0, 2.0, 3.0, 4.0]");
  }

  @Test
  void ofATruncatedAnswerTheCompleteObjectsAreKept() {
    assertThat(
            read(
                "```json\n[{\"bbox_2d\": [1, 2, 3, 4], \"label\": \"a\"}, {\"bbox_2d\": [5, 6, 70"))
        .containsExactly("a[1.0, 2.0, 3.0, 4.0]");
    assertThat(read("[{\"bbox_2d\": [1, 2, 3, 4], \"label\": \"a")).isEmpty();
  }

  @Test
  void oneObjectOrListsInListsAreRead() {
    assertThat(read("{\"bbox_2d\": [1, 2, 3, 4], \"label\": \"a\"}"))
        .containsExactly("a[1.0, 2.0, 3.0, 4.0]");
    assertThat(read("[[{\"bbox_2d\": [1, 2, 3, 4], \"label\": \"a\"}]]"))
        .containsExactly("a[1.0, 2.0, 3.0, 4.0]");
    assertThat(read("{\"bbox_2d\": [[1, 2, 3, 4], [5, 6, 7, 8]], \"label\": \"a\"}"))
        .containsExactly("a[1.0, 2.0, 3.0, 4.0]", "a[5.0, 6.0, 7.0, 8.0]");
    assertThat(read("{\"objects\": [{\"box\": [1, 2, 3, 4], \"name\": \"a\"}], \"count\": 1}"))
        .containsExactly("a[1.0, 2.0, 3.0, 4.0]");
  }

  @Test
  void pointsFloatsSignsAndOtherOrdersOfCornersAreRead() {
    assertThat(read("[{\"point_2d\": [12.5, 7], \"label\": \"nose\"}]"))
        .containsExactly("nose[12.5, 7.0]");
    assertThat(read("[{\"label\": \"a\", \"bbox_2d\": [30.25, 40.5, -1, 2]}]"))
        .containsExactly("a[30.25, 40.5, -1.0, 2.0]");
    assertThat(read("[{\"bbox_2d\": [\"1\", \"2\", \"3\", \"4\"]}]"))
        .containsExactly("[1.0, 2.0, 3.0, 4.0]");
    assertThat(read("{\"bbox\": [[1, 2], [3, 4]], \"label\": \"a\"}"))
        .containsExactly("a[1.0, 2.0, 3.0, 4.0]");
  }

  @Test
  void koreanIsRead() {
    assertThat(read("사진에 두 명이 있습니다.\n[{\"bbox_2d\": [1, 2, 3, 4], \"label\": \"빨간 \\uC6d0\"}]"))
        .containsExactly("빨간 원[1.0, 2.0, 3.0, 4.0]");
    assertThat(read("{\"좌표\": [1, 2, 3, 4], \"이름\": \"사람\"}"))
        .containsExactly("사람[1.0, 2.0, 3.0, 4.0]");
    assertThat(read("사람: [1, 2, 3, 4]\n강아지: (5, 6, 7, 8)"))
        .containsExactly("사람[1.0, 2.0, 3.0, 4.0]", "강아지[5.0, 6.0, 7.0, 8.0]");
  }

  @Test
  void tagsAreRead() {
    assertThat(
            read(
                "<|object_ref_start|>the cat<|object_ref_end|><|box_start|>(1,2),(3,4)<|box_end|>"
                    + "<|object_ref_start|>a dog<|object_ref_end|><|box_start|>(5,6),(7,8)<|box_end|>"))
        .containsExactly("the cat[1.0, 2.0, 3.0, 4.0]", "a dog[5.0, 6.0, 7.0, 8.0]");
    assertThat(read("<box>1, 2, 3, 4</box>")).containsExactly("[1.0, 2.0, 3.0, 4.0]");
    assertThat(read("<point x=\"10\" y=\"20\" alt=\"x\">mug</point>"))
        .containsExactly("mug[10.0, 20.0]");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "[]",
        "There are none.",
        "There is no red circle in the picture.",
        "그런 물체는 없습니다.",
        "```json\n[]\n```",
        "{\"bbox_2d\": [], \"label\": \"a\"}",
        "{\"bbox_2d\": [1, 2, 3], \"label\": \"a\"}",
        "{\"bbox_2d\": \"none\", \"label\": \"a\"}",
        "[1, 2, 3]",
      })
  void whatHoldsNoPlaceHasNone(String text) {
    assertThat(read(text)).isEmpty();
  }

  @Test
  void spansSayWhatWroteThem() {
    String text = "[{\"bbox_2d\": [1, 2, 3, 4], \"label\": \"원\"}]";
    RegionParser.Found found = RegionParser.parse(text).get(0);
    assertThat(found.spans())
        .extracting(span -> text.substring(span.from(), span.to()))
        .containsExactlyInAnyOrder("1, 2, 3, 4", "원");
  }

  @Test
  void whatTheParserMeetsItNeitherFailsNorHangs() {
    String[] pieces = {
      "[",
      "]",
      "{",
      "}",
      "(",
      ")",
      "\"",
      "\\",
      ",",
      ":",
      " ",
      "\n",
      "12",
      "-3.5",
      "bbox_2d",
      "label",
      "\"bbox_2d\": [1, 2, 3, 4]",
      "\"label\": \"a\"",
      "<box>",
      "</box>",
      "<point x=1 y=2>",
      "원",
      "\u0000"
    };
    Random random = new Random(11);
    for (int round = 0; round < 3000; round++) {
      StringBuilder text = new StringBuilder();
      for (int i = random.nextInt(60); i > 0; i--) {
        text.append(pieces[random.nextInt(pieces.length)]);
      }
      for (RegionParser.Found found : RegionParser.parse(text.toString())) {
        assertThat(found.numbers()).hasSizeBetween(2, 4);
        assertThat(found.numbers().length).isNotEqualTo(3);
      }
    }
    // Long runs of one piece: the work must not grow with their square in a way that shows.
    List<String> long100k = new ArrayList<>();
    for (String piece : pieces) {
      long100k.add(piece.repeat(100_000 / piece.length()));
    }
    long100k.forEach(RegionParser::parse);
  }
}
