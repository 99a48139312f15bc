package com.example;

import dev.lmm.Encoder;
import dev.lmm.Image;
import dev.lmm.Models;
import dev.lmm.Score;
import dev.lmm.search.PhotoIndex;
import dev.lmm.tiny.TinyPictures;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Names a picture, as a named module. */
public final class Caption {
  private Caption() {}

  public static void main(String[] arguments) throws IOException {
    System.out.println(
        "dev.lmm.clip named module: "
            + Caption.class.getModule().getLayer().findModule("dev.lmm.clip").isPresent());
    System.out.println(of(TinyPictures.all().get(1).image()));
    System.out.println(find(TinyPictures.all().get(1).korean()));
  }

  /** The name of the picture that fits a text best. */
  static String find(String what) throws IOException {
    Path folder = Files.createDirectory(Files.createTempDirectory("lmm").resolve("pictures"));
    for (TinyPictures.Captioned picture : TinyPictures.all()) {
      Files.write(folder.resolve(picture.file()), TinyPictures.bytes(picture.file()));
    }
    try (Encoder encoder = Models.encoder("tiny-clip").load();
        PhotoIndex photos = PhotoIndex.open(encoder, folder)) {
      photos.update().run();
      return photos.search(what).top(1).run().get(0).photo().path();
    }
  }

  static String of(Image picture) {
    List<String> captions =
        TinyPictures.all().stream().map(TinyPictures.Captioned::english).toList();
    try (Encoder encoder = Models.encoder("tiny-clip").load()) {
      return Score.best(encoder.rank(picture, captions)).text();
    }
  }
}
