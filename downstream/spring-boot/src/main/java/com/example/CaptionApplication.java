package com.example;

import dev.lmm.Encoder;
import dev.lmm.Image;
import dev.lmm.Score;
import dev.lmm.tiny.TinyPictures;
import java.util.List;
import org.springframework.boot.ApplicationRunner;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;

/** Names the pictures that are posted to it. */
@SpringBootApplication
@RestController
public class CaptionApplication {
  private static final List<String> CAPTIONS =
      TinyPictures.all().stream().map(TinyPictures.Captioned::english).toList();

  private final Encoder encoder;

  public CaptionApplication(Encoder encoder) {
    this.encoder = encoder;
  }

  public static void main(String[] arguments) {
    SpringApplication.run(CaptionApplication.class, arguments);
  }

  @PostMapping("/caption")
  public String caption(@RequestBody byte[] picture) {
    return Score.best(encoder.rank(Image.read(picture), CAPTIONS)).text();
  }

  @Bean
  ApplicationRunner once(ConfigurableApplicationContext context) {
    return arguments -> {
      if (arguments.containsOption("once")) {
        System.out.println("caption: " + caption(TinyPictures.bytes(TinyPictures.all().get(1).file())));
        context.close();
      }
    };
  }
}
