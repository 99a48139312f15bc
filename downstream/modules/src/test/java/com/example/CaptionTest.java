package com.example;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lmm.Models;
import dev.lmm.tiny.TinyPictures;
import java.io.IOException;
import org.junit.jupiter.api.Test;

class CaptionTest {
  @Test
  void namesAPictureAsAModule() throws IOException {
    assertTrue(Models.class.getModule().isNamed());
    assertTrue(Caption.class.getModule().isNamed());
    TinyPictures.Captioned star = TinyPictures.all().get(1);
    assertEquals(star.english(), Caption.of(star.image()));
    assertEquals(star.file(), Caption.find(star.english()));
  }
}
