package com.example;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.langchain4j.data.message.ImageContent;
import dev.lmm.Chat;
import dev.lmm.Encoder;
import dev.lmm.Models;
import dev.lmm.langchain4j.LmmChatModel;
import dev.lmm.langchain4j.LmmEmbeddingModel;
import dev.lmm.tiny.TinyPictures;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.Test;

class GuideTest {
  @Test
  void findsAndDescribes() {
    List<ImageContent> pictures =
        TinyPictures.all().stream()
            .map(p -> Base64.getEncoder().encodeToString(TinyPictures.bytes(p.file())))
            .map(bytes -> ImageContent.from(bytes, "image/png"))
            .toList();
    try (Encoder encoder = Models.encoder("tiny-siglip2").load();
        Chat chat = Models.chat("tiny-qwen2.5-vl").load();
        LmmChatModel model = LmmChatModel.of(chat)) {
      Guide guide = new Guide(LmmEmbeddingModel.of(encoder), model);
      assertEquals(1, guide.find("파란 배경에 하얀 별 세 개", pictures));
      assertFalse(guide.describe(pictures.get(1)).isBlank());
    }
  }
}
