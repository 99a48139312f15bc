package com.example;

import dev.lmm.Chat;
import dev.lmm.Encoder;
import dev.lmm.Generator;
import dev.lmm.Image;
import dev.lmm.Score;
import dev.lmm.search.PhotoIndex;
import java.nio.file.Path;
import java.util.List;

/** What an application does with models that are handed to it: it names, draws and asks. */
public final class Album {
  private final Encoder encoder;

  public Album(Encoder encoder) {
    this.encoder = encoder;
  }

  /** The caption that fits best. */
  public String caption(Image picture, List<String> captions) {
    return Score.best(encoder.rank(picture, captions)).text();
  }

  /** The file of a folder that fits a text best; the folder's index is kept beside it. */
  public Path find(Path folder, String what) {
    try (PhotoIndex photos = PhotoIndex.open(encoder, folder)) {
      photos.update().run();
      return photos.search(what).top(1).run().get(0).photo().file();
    }
  }

  public static Image draw(Generator generator, String what) {
    return generator.generate(what).steps(20).scheduler("ddim").seed(7).run().get(0).image();
  }

  public static String ask(Chat chat, Image picture, String question) {
    return chat.ask(question).image(picture).maxTokens(16).run().text();
  }
}
