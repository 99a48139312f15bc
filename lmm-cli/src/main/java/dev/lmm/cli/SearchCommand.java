package dev.lmm.cli;

import dev.lmm.Image;
import dev.lmm.InvalidRequestException;
import dev.lmm.LmmException;
import dev.lmm.Model;
import dev.lmm.search.Found;
import dev.lmm.search.PhotoIndex;
import dev.lmm.search.SearchRequest;
import dev.lmm.search.UpdateReport;
import dev.lmm.search.UpdateRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code lmm search}. */
@Command(
    name = "search",
    description = {
      "Finds pictures of a folder by a text or by a picture.",
      "Keeps an index beside the folder: only new or changed files are embedded again."
    })
final class SearchCommand extends ModelCommand {
  @Parameters(index = "1", paramLabel = "FOLDER", description = "A folder of pictures.")
  String folder = "";

  @ArgGroup(multiplicity = "1")
  Wanted wanted = new Wanted();

  @Option(names = "--top", paramLabel = "K", description = "The K best; 10 by default.")
  int top = SearchRequest.DEFAULT_TOP;

  @Option(
      names = "--index",
      paramLabel = "DIR",
      description = "Where the index lies; by default FOLDER.lmm-index/MODEL-PRECISION.")
  @Nullable String index;

  /** One of the two. */
  static final class Wanted {
    @Option(
        names = "--text",
        paramLabel = "TEXT",
        description = "What to look for, in any language the model knows.")
    @Nullable String text;

    @Option(names = "--image", paramLabel = "FILE", description = "A picture to look for.")
    @Nullable String image;
  }

  @Override
  public Integer call() {
    if (top < 1) {
      throw wrong("--top is " + top + ", expected at least 1");
    }
    Path pictures = path(folder);
    if (!Files.isDirectory(pictures)) {
      // Before a model is loaded for nothing.
      throw new InvalidRequestException(
          folder + ": there is no such folder; expected a folder of pictures");
    }
    Image image = wanted.image == null ? null : Image.read(path(wanted.image));
    try (Model loaded = load();
        PhotoIndex photos =
            index == null
                ? PhotoIndex.open(loaded.encoder(), pictures)
                : PhotoIndex.open(loaded.encoder(), pictures, path(index))) {
      warnOfRandomWeights(loaded.info());
      // For one question, comparing with every picture is faster than preparing for many.
      SearchRequest request = search(photos, image).top(top).exact();
      update(photos);
      if (photos.size() == 0) {
        throw new LmmException(folder + ": holds no picture that can be read");
      }
      List<Found> found = request.run();
      Map<String, Object> document = document(loaded.info());
      document.put("results", found.stream().map(SearchCommand::result).toList());
      return print(document, () -> found.forEach(this::forPeople));
    }
  }

  private SearchRequest search(PhotoIndex photos, @Nullable Image image) {
    if (image != null) {
      return photos.search(image);
    }
    return photos.search(wanted.text == null ? "" : wanted.text);
  }

  private void update(PhotoIndex photos) {
    Progress progress = new Progress(output().err());
    List<String> skipped = new ArrayList<>();
    UpdateRequest request =
        photos.update().onSkipped(file -> skipped.add("lmm: passed over: " + file.reason()));
    if (Progress.wanted(this)) {
      request =
          request.onProgress((done, total) -> progress.show(done + " of " + total + " pictures"));
    }
    UpdateReport report;
    try {
      report = request.run();
    } finally {
      progress.end();
    }
    if (!quiet) {
      skipped.forEach(output().err()::println);
    }
    if (!quiet && !json && report.anything()) {
      output()
          .err()
          .printf(
              Locale.ROOT,
              "lmm: index: %d added, %d changed, %d removed, %d unchanged%n",
              report.added(),
              report.changed(),
              report.removed(),
              report.unchanged());
    }
  }

  private static Map<String, Object> result(Found found) {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("image", found.photo().file().toString());
    map.put("similarity", found.similarity());
    return map;
  }

  private void forPeople(Found found) {
    output()
        .line(String.format(Locale.ROOT, "%7.4f  %s", found.similarity(), found.photo().file()));
  }
}
