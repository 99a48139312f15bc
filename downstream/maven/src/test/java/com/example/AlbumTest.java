package com.example;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lmm.Chat;
import dev.lmm.Encoder;
import dev.lmm.Generator;
import dev.lmm.Image;
import dev.lmm.ModelNotFoundException;
import dev.lmm.Models;
import dev.lmm.tiny.TinyPictures;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AlbumTest {
  private static final List<String> CAPTIONS =
      TinyPictures.all().stream().map(TinyPictures.Captioned::english).toList();

  @Test
  void namesPicturesInTwoLanguages() {
    List<String> korean = TinyPictures.all().stream().map(TinyPictures.Captioned::korean).toList();
    try (Encoder encoder = Models.encoder("tiny-siglip2").load()) {
      Album album = new Album(encoder);
      TinyPictures.Captioned star = TinyPictures.all().get(1);
      assertEquals(star.english(), album.caption(star.image(), CAPTIONS));
      assertEquals(star.korean(), album.caption(star.image(), korean));
    }
  }

  @Test
  void findsAPictureOfAFolder(@TempDir Path temporary) throws IOException {
    Path folder = Files.createDirectory(temporary.resolve("pictures"));
    for (TinyPictures.Captioned picture : TinyPictures.all()) {
      Files.write(folder.resolve(picture.file()), TinyPictures.bytes(picture.file()));
    }
    try (Encoder encoder = Models.encoder("tiny-clip").load()) {
      TinyPictures.Captioned star = TinyPictures.all().get(1);
      assertEquals(folder.resolve(star.file()), new Album(encoder).find(folder, star.korean()));
    }
  }

  @Test
  void whatIsDrawnIsWhatWasAskedFor() {
    String what = "a red circle on a blue background";
    try (Generator generator = Models.generator("tiny-sd").load();
        Encoder encoder = Models.encoder("tiny-clip").load()) {
      Image drawn = Album.draw(generator, what);
      List<String> captions =
          List.of("a green square on a white background", "a yellow star on a black background", what);
      assertEquals(what, new Album(encoder).caption(drawn, captions));
    }
  }

  @Test
  void answersAQuestion() {
    try (Chat chat = Models.chat("tiny-qwen2.5-vl").load()) {
      String answer =
          Album.ask(chat, TinyPictures.scenes().get(0).image(), "What is in the picture?");
      assertFalse(answer.isBlank());
    }
  }

  @Test
  void aWrongNameIsToldWithTheCure() {
    ModelNotFoundException failure =
        assertThrows(
            ModelNotFoundException.class, () -> Models.encoder("tiny-clop").offline().load());
    assertTrue(failure.getMessage().contains("tiny-clop"), failure.getMessage());
  }
}
