package com.example;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lmm.Image;
import dev.lmm.tiny.TinyPictures;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.springframework.ai.content.Media;
import org.springframework.ai.document.Document;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.util.MimeTypeUtils;

@SpringBootTest(
    properties = {
      "lmm.encoder.model=tiny-siglip2",
      "lmm.chat.model=tiny-qwen2.5-vl",
      "lmm.generator.model=tiny-sd"
    })
class GuideApplicationTest {
  @Autowired private GuideApplication guide;

  private static Media media(TinyPictures.Captioned picture) {
    return Media.builder()
        .mimeType(MimeTypeUtils.IMAGE_PNG)
        .data(TinyPictures.bytes(picture.file()))
        .build();
  }

  @Test
  void findsPicturesByWords() {
    List<Document> pictures =
        TinyPictures.all().stream().map(p -> new Document(media(p), Map.of())).toList();
    assertEquals(1, guide.find("파란 배경에 하얀 별 세 개", pictures));
  }

  @Test
  void talksAboutPictures() {
    Media picture = media(TinyPictures.all().get(1));
    String answer = guide.describe(picture);
    assertFalse(answer.isBlank());
    List<String> pieces = guide.describeInPieces(picture).collectList().block();
    assertNotNull(pieces);
    assertTrue(pieces.size() > 1, pieces.toString());
    assertEquals(answer, String.join("", pieces));
    assertNotNull(guide.look(picture));
  }

  @Test
  void draws() {
    Image drawn = Image.read(guide.draw("a red circle on a blue background"));
    assertTrue(drawn.width() > 0);
  }
}
