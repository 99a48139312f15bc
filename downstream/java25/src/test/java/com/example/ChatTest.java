package com.example;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.lmm.Chat;
import dev.lmm.Models;
import dev.lmm.tiny.TinyPictures;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ChatTest {
  @Test
  void virtualThreadsShareAModel() throws Exception {
    var picture = TinyPictures.scenes().get(0).image();
    try (Chat chat = Models.chat("tiny-qwen2.5-vl").load();
        var executor = Executors.newVirtualThreadPerTaskExecutor()) {
      var answers =
          IntStream.range(0, 4)
              .mapToObj(
                  i ->
                      executor.submit(
                          () ->
                              chat.ask("What is in the picture?")
                                  .image(picture)
                                  .maxTokens(8)
                                  .run()
                                  .text()))
              .toList();
      var first = answers.get(0).get();
      assertFalse(first.isBlank());
      for (var answer : answers) {
        assertEquals(first, answer.get());
      }
    }
  }
}
