package com.example;

import dev.lmm.Encoder;
import dev.lmm.Models;
import dev.lmm.Score;
import dev.lmm.tiny.TinyPictures;
import dev.lmm.tiny.TinyPictures.Captioned;

/** Names a picture. */
final class Caption {
  void main() {
    var captions = TinyPictures.all().stream().map(Captioned::english).toList();
    try (Encoder encoder = Models.encoder("tiny-clip").load()) {
      IO.println(Score.best(encoder.rank(TinyPictures.all().get(1).image(), captions)).text());
    }
  }
}
