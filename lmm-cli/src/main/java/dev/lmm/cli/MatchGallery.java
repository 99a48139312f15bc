package dev.lmm.cli;

import dev.lmm.Image;
import dev.lmm.Match;
import dev.lmm.Matcher;
import dev.lmm.tiny.TinyPictures;
import dev.lmm.tiny.TinyPictures.Captioned;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/** The part of the gallery that shows which texts a matcher takes for a picture's own. */
final class MatchGallery {
  private MatchGallery() {}

  /**
   * Writes the part.
   *
   * @param page takes it
   * @param id of the model
   * @param matcher the model
   */
  static void write(Html page, String id, Matcher matcher) {
    List<Captioned> pictures = TinyPictures.all();
    List<Image> images = pictures.stream().map(Captioned::image).toList();
    List<String> captions = pictures.stream().map(Captioned::english).toList();
    long start = System.nanoTime();
    List<List<Match>> all = matcher.match(images, captions).run();
    double ms = (System.nanoTime() - start) / 1e6;
    page.add("<section id=\"matching\"><h2>Do they belong together?</h2>")
        .add(
            "<p>%s reads each caption while it looks at the picture, and says how probable it is"
                + " that they belong together, in per cent; below it the similarity, for which each"
                + " is looked at alone. %d pairs in %.0f ms.</p>",
            id, images.size() * captions.size(), ms)
        .add("<div class=\"scroll\"><table class=\"matrix\"><tr><th></th>");
    captions.forEach(caption -> page.add("<th>%s</th>", caption));
    page.add("</tr>");
    for (int i = 0; i < images.size(); i++) {
      Match best =
          all.get(i).stream().max(Comparator.comparingDouble(Match::probability)).orElseThrow();
      page.add(
          "<tr><td><img src=\"pictures/%s\" alt=\"%s\"></td>",
          pictures.get(i).file(), pictures.get(i).english());
      for (Match match : all.get(i)) {
        page.add(
            "<td class=\"%s\" style=\"background:hsl(225 75%% 55%% / %.2f)\">%s<br><small>%.2f"
                + "</small></td>",
            match.equals(best) ? "best" : "",
            0.05 + 0.55 * match.probability(),
            String.format(Locale.ROOT, "%.0f", 100 * match.probability()),
            match.similarity());
      }
      page.add("</tr>");
    }
    page.add("</table></div>")
        .code(
            """
            try (Matcher matcher = Models.matcher("%s").load()) {
              List<List<Match>> matches = matcher.match(pictures, captions).run();
            }
            """
                .formatted(id))
        .add("</section>");
  }
}
