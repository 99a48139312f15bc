package dev.lmm.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lmm.Captioner;
import dev.lmm.Image;
import dev.lmm.Match;
import dev.lmm.Matcher;
import dev.lmm.Model;
import dev.lmm.Models;
import dev.lmm.QueryMaps;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What docs/blip2.md shows. The weights are random: that it runs is all that can be said. */
class Blip2PageTest {
  @BeforeAll
  static void prepare() {
    TinyHub.prepare();
  }

  @Test
  void writesAboutAPicture() throws IOException {
    try (LeftFiles files = new LeftFiles()) {
      files.picture("cats.jpg");
      String printed =
          ExamplesTest.output(
              () -> {
                try (Captioner blip = Models.captioner("Salesforce/blip2-opt-2.7b").load()) {
                  Image image = Image.read(Path.of("cats.jpg"));
                  System.out.println(blip.caption(image).beams(5).run().text());
                  System.out.println(blip.caption(image).prompt("a photo of").run().text());
                  System.out.println(blip.ask(image, "how many cats are there?").run().text());
                }
              });
      assertThat(printed.split("\n", -1)).hasSizeGreaterThanOrEqualTo(4);
    }
  }

  @Test
  void matches() throws IOException {
    try (LeftFiles files = new LeftFiles()) {
      files.picture("cats.jpg");
      String printed =
          ExamplesTest.output(
              () -> {
                try (Matcher blip = Models.matcher("Salesforce/blip2-itm-vit-g").load()) {
                  Match match = blip.match(Image.read(Path.of("cats.jpg")), "two cats on a sofa");
                  System.out.println(match.probability() + " " + match.similarity());
                }
              });
      assertThat(printed.strip()).matches("[0-9.E-]+ [0-9.E-]+");
    }
  }

  @Test
  void drawsWhereTheQueriesLook() throws IOException {
    try (LeftFiles files = new LeftFiles()) {
      files.picture("cats.jpg");
      Path sheet = files.written("queries.png");
      Path one = files.written("query 5, layer 2, head 1.png");
      try (Model blip = Models.load("Salesforce/blip2-opt-2.7b")) {
        Image photo = Image.read(Path.of("cats.jpg"));
        QueryMaps maps = blip.queries().look(photo).run();
        maps.sheet(photo).save(Path.of("queries.png"));
        maps.draw(photo, maps.map(5, 2, 1)).save(Path.of("query 5, layer 2, head 1.png"));
      }
      LeftFiles.isPicture(sheet);
      LeftFiles.isPicture(one);
    }
  }
}
