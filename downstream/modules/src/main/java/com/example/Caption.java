package com.example;

import dev.lmm.Encoder;
import dev.lmm.Image;
import dev.lmm.Models;
import dev.lmm.Score;
import dev.lmm.tiny.TinyPictures;
import java.util.List;

/** Names a picture, as a named module. */
public final class Caption {
  private Caption() {}

  public static void main(String[] arguments) {
    System.out.println(
        "dev.lmm.clip named module: "
            + Caption.class.getModule().getLayer().findModule("dev.lmm.clip").isPresent());
    System.out.println(of(TinyPictures.all().get(1).image()));
  }

  static String of(Image picture) {
    List<String> captions =
        TinyPictures.all().stream().map(TinyPictures.Captioned::english).toList();
    try (Encoder encoder = Models.encoder("tiny-clip").load()) {
      return Score.best(encoder.rank(picture, captions)).text();
    }
  }
}
