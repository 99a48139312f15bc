package dev.lmm.cli;

import dev.lmm.Embeddings;
import dev.lmm.Encoder;
import dev.lmm.Generator;
import dev.lmm.Image;
import dev.lmm.Inspection;
import dev.lmm.Matcher;
import dev.lmm.Model;
import dev.lmm.Models;
import dev.lmm.Probability;
import dev.lmm.Score;
import dev.lmm.Summary;
import dev.lmm.ZeroShotClassifier;
import dev.lmm.tiny.TinyPictures;
import dev.lmm.tiny.TinyPictures.Captioned;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Makes the page that shows what the models do, from what they do while it is made. */
final class Gallery {
  // Small models are no faster on more; two of them run side by side instead.
  static final int THREADS = 1;

  private final Path folder;
  private final Shows shows;
  private final @Nullable PrintStream progress;
  private final List<Captioned> pictures = TinyPictures.all();

  /** A model on show. */
  private record Shown(String id, Encoder encoder, double loadMs) {}

  /**
   * The models on show.
   *
   * @param encoders ids of models that embed, at least one
   * @param generators ids of models that make pictures
   * @param grounders ids of models that talk about pictures and find things in them
   * @param captioners ids of models that describe pictures, and whose queries look at them
   * @param matchers ids of models that say whether a picture and a text belong together
   */
  record Shows(
      List<String> encoders,
      List<String> generators,
      List<String> grounders,
      List<String> captioners,
      List<String> matchers) {
    String names() {
      return Stream.of(encoders, generators, grounders, captioners, matchers)
          .flatMap(List::stream)
          .collect(Collectors.joining(", "));
    }
  }

  /**
   * A gallery to be written.
   *
   * @param folder where it goes
   * @param shows the models
   * @param progress takes a line for each part, or null
   */
  Gallery(Path folder, Shows shows, @Nullable PrintStream progress) {
    this.folder = folder;
    this.shows = shows;
    this.progress = progress;
  }

  /** Writes the pictures and the page. */
  Path write() throws IOException {
    Files.createDirectories(folder.resolve("pictures"));
    for (Captioned picture : pictures) {
      Files.write(
          folder.resolve("pictures").resolve(picture.file()), TinyPictures.bytes(picture.file()));
    }
    List<Shown> models = new ArrayList<>();
    try {
      for (String id : shows.encoders()) {
        say("loading " + id);
        long start = System.nanoTime();
        models.add(new Shown(id, Models.encoder(id).threads(THREADS).load(), millisSince(start)));
      }
      Html page = new Html();
      head(page);
      say("which caption fits which picture");
      similarity(page, models);
      say("English and Korean");
      languages(page, models.get(models.size() - 1));
      say("search");
      search(page, models.get(models.size() - 1));
      say("zero-shot classification");
      zeroShot(page, models.get(0));
      say("what the model sees");
      seen(page, models.get(models.size() - 1));
      Html made = new Html();
      Html found = new Html();
      Html told = new Html();
      sideBySide(
          () -> {
            captioners(told);
            generators(made);
          },
          () -> grounders(found));
      for (Html part : List.of(told, made, found)) {
        page.add("%s", new Markup(part.toString()));
      }
      say("figures");
      figures(page, models);
      page.add("</main></body></html>");
      Path file = folder.resolve("index.html");
      Files.writeString(file, page.toString());
      return file;
    } finally {
      models.forEach(model -> model.encoder().close());
    }
  }

  private void generators(Html page) {
    for (String id : shows.generators()) {
      say("pictures from text with " + id);
      try (Generator generator = Models.generator(id).threads(THREADS).load()) {
        new DiffusionGallery(folder.resolve("pictures"), id, generator).write(page);
      }
    }
  }

  private void captioners(Html page) {
    for (String id : shows.captioners()) {
      say("captions, answers and queries of " + id);
      try (Model model = Models.model(id).threads(THREADS).load()) {
        new CaptionGallery(folder.resolve("pictures"), id, model).write(page);
      }
    }
    for (String id : shows.matchers()) {
      say("what belongs together with " + id);
      try (Matcher matcher = Models.matcher(id).threads(THREADS).load()) {
        MatchGallery.write(page, id, matcher);
      }
    }
  }

  private void grounders(Html page) {
    for (String id : shows.grounders()) {
      say("boxes, answers and a video with " + id);
      try (Model model = Models.model(id).threads(THREADS).load()) {
        new GroundingGallery(folder.resolve("pictures"), id, model).write(page);
      }
    }
  }

  /**
   * Runs two parts at once. Returns or throws when both are over, so that nothing writes any more;
   * what is thrown is a part's own failure, which the command line tells as any other.
   */
  static void sideBySide(Runnable here, Runnable beside) {
    CompletableFuture<Void> other = CompletableFuture.runAsync(beside);
    try {
      here.run();
    } finally {
      other.exceptionally(failure -> null).join();
    }
    try {
      other.join();
    } catch (CompletionException e) {
      throw e.getCause() instanceof RuntimeException failure ? failure : e;
    }
  }

  private void say(String what) {
    if (progress != null) {
      progress.println("demo: " + what);
    }
  }

  private static double millisSince(long start) {
    return (System.nanoTime() - start) / 1e6;
  }

  private void head(Html page) throws IOException {
    page.add("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">")
        .add("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">")
        .add("<title>lmm: what the models do</title><style>")
        .add("%s", new Markup(resource("gallery.css")))
        .add("</style></head><body><main>")
        .add("<h1>Pictures and words, in Java</h1>")
        .add(
            "<p class=\"lead\">lmm runs multimodal models inside a Java application, from the files"
                + " their authors publish. Everything below was computed on this machine while the"
                + " page was written: no network, no Python, no GPU. The models are tiny ones (%s),"
                + " trained on drawn shapes; the code is the same for the large ones.</p>",
            shows.names())
        .add(
            "<nav><a href=\"#similarity\">Similarity</a><a href=\"#languages\">English and"
                + " Korean</a><a href=\"#search\">Search</a><a href=\"#zeroshot\">Zero-shot</a><a"
                + " href=\"#seen\">What the model sees</a>%s%s%s%s<a"
                + " href=\"#figures\">Figures</a></nav>",
            new Markup(
                shows.captioners().isEmpty()
                    ? ""
                    : "<a href=\"#captions\">Captions</a><a href=\"#questions\">Questions</a>"
                        + "<a href=\"#queries\">Queries</a>"),
            new Markup(shows.matchers().isEmpty() ? "" : "<a href=\"#matching\">Matching</a>"),
            new Markup(
                shows.generators().isEmpty()
                    ? ""
                    : "<a href=\"#generate\">Text to picture</a><a href=\"#schedulers\">Schedulers</a>"),
            new Markup(
                shows.grounders().isEmpty()
                    ? ""
                    : "<a href=\"#boxes\">Boxes</a><a href=\"#answers\">Answers</a>"
                        + "<a href=\"#track\">Video</a>"
                        + "<a href=\"#precision\">Precision</a>"));
  }

  /** CSS and the like, which must not be escaped. */
  private record Markup(String text) {
    @Override
    public String toString() {
      return text;
    }
  }

  private static String resource(String name) throws IOException {
    try (InputStream stream = Gallery.class.getResourceAsStream(name)) {
      if (stream == null) {
        throw new IOException(name + " is not in the jar");
      }
      return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  private void similarity(Html page, List<Shown> models) {
    List<Image> images = pictures.stream().map(Captioned::image).toList();
    List<String> captions = pictures.stream().map(Captioned::english).toList();
    page.add("<section id=\"similarity\"><h2>Which caption fits which picture?</h2>")
        .add(
            "<p>Each row is a picture, each column a caption; the number is the probability in per"
                + " cent, the frame marks the caption the model prefers. CLIP shares 100 %% among the"
                + " captions of a row; SigLIP judges each caption alone.</p>");
    for (Shown model : models) {
      long start = System.nanoTime();
      List<List<Score>> all = model.encoder().rank(images, captions, Probability.FAMILY);
      double ms = millisSince(start);
      page.add(
              "<h3>%s: %d pictures and %d captions in %.0f ms</h3>",
              model.id(), images.size(), captions.size(), ms)
          .add("<div class=\"scroll\"><table class=\"matrix\"><tr><th></th>");
      captions.forEach(caption -> page.add("<th>%s</th>", caption));
      page.add("</tr>");
      for (int i = 0; i < images.size(); i++) {
        Score best = Score.best(all.get(i));
        page.add("<tr><td>%s</td>", picture(pictures.get(i)));
        for (Score score : all.get(i)) {
          page.add(
              "<td class=\"%s\" style=\"background:hsl(225 75%% 55%% / %.2f)\">%s</td>",
              score.equals(best) ? "best" : "",
              0.05 + 0.55 * score.probability(),
              percent(score.probability()));
        }
        page.add("</tr>");
      }
      page.add("</table></div>");
    }
    page.code(
            """
            try (Encoder encoder = Models.encoder("%s").load()) {
              List<List<Score>> scores = encoder.rank(images, captions, Probability.FAMILY);
            }
            """
                .formatted(models.get(0).id()))
        .add("</section>");
  }

  private Markup picture(Captioned picture) {
    return new Markup(
        "<img src=\"pictures/"
            + Html.escape(picture.file())
            + "\" alt=\""
            + Html.escape(picture.english())
            + "\">");
  }

  private static String percent(double probability) {
    return String.format(Locale.ROOT, probability < 0.0995 ? "%.1f" : "%.0f", 100 * probability);
  }

  private void languages(Html page, Shown model) {
    Captioned subject = pictures.get(0);
    List<Captioned> others = pictures.subList(0, Math.min(6, pictures.size()));
    List<String> english = others.stream().map(Captioned::english).toList();
    List<String> korean = others.stream().map(Captioned::korean).toList();
    page.add("<section id=\"languages\"><h2>The same question in English and in Korean</h2>")
        .add(
            "<p>The captions mean the same in both columns; %s reads them as they are.</p>",
            model.id())
        .add("<div class=\"subject\">%s<div class=\"two\">", picture(subject));
    for (List<String> captions : List.of(english, korean)) {
      page.add("<div>");
      bars(page, model.encoder().rank(subject.image(), captions));
      page.add("</div>");
    }
    page.add("</div></div>")
        .code(
            """
            List<Score> english = encoder.rank(picture, List.of("%s", ...));
            List<Score> korean  = encoder.rank(picture, List.of("%s", ...));
            """
                .formatted(english.get(0), korean.get(0)))
        .add("</section>");
  }

  private static void bars(Html page, List<Score> scores) {
    Score best = Score.best(scores);
    for (Score score : scores) {
      page.add(
          "<div class=\"row %s\"><i style=\"width:%.1f%%\"></i><span class=\"t\">%s</span>"
              + "<span class=\"n\">%s %%</span></div>",
          score.equals(best) ? "best" : "",
          100 * score.probability(),
          score.text(),
          percent(score.probability()));
    }
  }

  private void search(Html page, Shown model) {
    List<String> queries = new ArrayList<>();
    for (int i : new int[] {1, 2, 4}) {
      queries.add(pictures.get(i).english());
      queries.add(pictures.get(i).korean());
    }
    Encoder encoder = model.encoder();
    Embeddings index = encoder.images(pictures.stream().map(Captioned::image).toList()).run();
    Embeddings asked = encoder.texts(queries).run();
    page.add("<section id=\"search\"><h2>Pictures found by words</h2>")
        .add(
            "<p>The pictures are embedded once. A query is embedded, and the pictures nearest to it"
                + " come first; the number is the cosine.</p><div class=\"two\">");
    for (int q = 0; q < queries.size(); q++) {
      int query = q;
      page.add("<div><div class=\"query\">%s</div><div class=\"hits\">", queries.get(q));
      List<Integer> order =
          IntStream.range(0, pictures.size())
              .boxed()
              .sorted(
                  (a, b) ->
                      Double.compare(asked.cosine(query, index, b), asked.cosine(query, index, a)))
              .limit(3)
              .toList();
      for (int hit : order) {
        page.add(
            "<figure class=\"%s\">%s%.3f</figure>",
            hit == order.get(0) ? "best" : "",
            picture(pictures.get(hit)),
            asked.cosine(q, index, hit));
      }
      page.add("</div></div>");
    }
    page.add("</div>")
        .code(
            """
            Embeddings index = encoder.images(pictures).run();
            Embeddings query = encoder.texts(List.of("%s")).run();
            double cosine = query.cosine(0, index, i);
            """
                .formatted(queries.get(1)))
        .add("</section>");
  }

  private void zeroShot(Html page, Shown model) {
    List<String> labels =
        List.of("yellow", "blue", "white", "black", "orange", "purple", "green", "red");
    List<String> templates = new ArrayList<>();
    for (String shape : List.of("circle", "square", "triangle", "star", "heart", "cross")) {
      for (String colour : labels) {
        templates.add("a " + colour + " " + shape + " on a {} background");
      }
    }
    ZeroShotClassifier classifier = model.encoder().classifier(labels, templates);
    page.add("<section id=\"zeroshot\"><h2>A classifier made of words</h2>")
        .add(
            "<p>Nobody trained a classifier of backgrounds: each label is put into %d sentences, whose"
                + " embeddings are averaged once and compared with every picture.</p>",
            templates.size())
        .add("<div class=\"two\">");
    for (Captioned picture : pictures.subList(0, Math.min(4, pictures.size()))) {
      page.add("<div class=\"hits\"><figure>%s</figure><div style=\"flex:1\">", picture(picture));
      bars(page, classifier.classify(picture.image()));
      page.add("</div></div>");
    }
    page.add("</div>")
        .code(
            """
            ZeroShotClassifier backgrounds = encoder.classifier(
                List.of("yellow", "blue", "white", "black", "orange", "purple", "green", "red"),
                List.of("a red circle on a {} background", "a blue star on a {} background", ...));
            Score best = Score.best(backgrounds.classify(picture));
            """)
        .add("</section>");
  }

  private void seen(Html page, Shown model) throws IOException {
    Captioned subject = pictures.get(0);
    Inspection inspection = model.encoder().inspect();
    Inspection.Pixels pixels = inspection.preprocess(subject.image());
    int height = pixels.shape().get(2);
    int width = pixels.shape().get(3);
    Files.write(folder.resolve("pictures/seen.png"), Stretched.png(pixels.values(), width, height));
    page.add("<section id=\"seen\"><h2>What the model sees</h2>")
        .add(
            "<p>The picture is resized and normalised exactly as the reference does it, the text"
                + " becomes tokens.</p><div class=\"seen\"><figure><img src=\"pictures/%s\""
                + " width=\"200\" alt=\"\"><br>%d x %d pixels</figure><figure><img"
                + " src=\"pictures/seen.png\" width=\"200\" alt=\"\"><br>%d x %d numbers for each of"
                + " 3 channels</figure></div>",
            subject.file(), subject.image().width(), subject.image().height(), width, height);
    for (String caption : List.of(subject.english(), subject.korean())) {
      Inspection.Tokens tokens = inspection.tokenize(caption);
      page.add("<div class=\"query\">%s</div><div class=\"tokens\">", caption);
      for (int i = 0; i < tokens.ids().size(); i++) {
        page.add("<span>%s<sup>%d</sup></span>", tokens.tokens().get(i), tokens.ids().get(i));
      }
      page.add("</div>");
    }
    page.code(
            """
            Inspection.Pixels pixels = encoder.inspect().preprocess(picture);
            Inspection.Tokens tokens = encoder.inspect().tokenize("%s");
            """
                .formatted(subject.english()))
        .add("</section>");
  }

  private void figures(Html page, List<Shown> models) {
    page.add("<section id=\"figures\"><h2>Figures of this run</h2>")
        .add("<div class=\"scroll\"><table class=\"figures\"><tr><th>model</th><th>type</th>")
        .add("<th>engine</th><th>parameters</th><th>file</th><th>load</th><th>one picture</th>")
        .add("<th>one text</th></tr>");
    for (Shown model : models) {
      Encoder encoder = model.encoder();
      Summary summary = encoder.summary();
      Image image = pictures.get(0).image();
      String text = pictures.get(0).english();
      page.add(
          "<tr><td>%s</td><td>%s</td><td>%s</td><td>%,d</td><td>%.1f MB</td><td>%.0f ms</td>"
              + "<td>%.2f ms</td><td>%.2f ms</td></tr>",
          model.id(),
          encoder.info().modelType(),
          encoder.info().engine(),
          summary.parameters(),
          summary.bytes() / 1e6,
          model.loadMs(),
          median(() -> encoder.embed(image)),
          median(() -> encoder.embed(text)));
    }
    page.add("</table></div></section>")
        .add(
            "<footer>Java %s, %s %s, %d processors. Times are medians; decoding of the picture is"
                + " not counted.</footer>",
            System.getProperty("java.version", ""),
            System.getProperty("os.name", ""),
            System.getProperty("os.arch", ""),
            Runtime.getRuntime().availableProcessors());
  }

  private static double median(Runnable run) {
    double[] times = new double[15];
    for (int i = 0; i < times.length; i++) {
      long start = System.nanoTime();
      run.run();
      times[i] = millisSince(start);
    }
    Arrays.sort(times);
    return times[times.length / 2];
  }
}
