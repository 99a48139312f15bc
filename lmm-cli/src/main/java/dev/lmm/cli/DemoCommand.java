package dev.lmm.cli;

import dev.lmm.LmmException;
import dev.lmm.Model;
import dev.lmm.Models;
import dev.lmm.UnsupportedModelException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code lmm demo}. */
@Command(
    name = "demo",
    description = "The gallery: every capability once, pictures and one page, offline.")
final class DemoCommand extends OutputCommand {
  private static final Gallery.Shows BUNDLED =
      new Gallery.Shows(
          List.of("tiny-clip", "tiny-siglip2"),
          List.of("tiny-sd"),
          List.of("tiny-qwen2.5-vl"),
          List.of("tiny-blip2"),
          List.of("tiny-blip2-itm"));

  @Option(names = "--out", paramLabel = "DIR", description = "Where it goes; demo by default.")
  String out = "demo";

  @Option(
      names = "--model",
      paramLabel = "MODEL",
      description = "A model to show; repeatable; the bundled tiny models by default.")
  List<String> models = new ArrayList<>();

  @Override
  public Integer call() {
    Gallery.Shows shows = models.isEmpty() ? BUNDLED : sorted();
    Path folder = Path.of(out);
    Path page;
    try {
      page = new Gallery(folder, shows, quiet || json ? null : output().err()).write();
    } catch (IOException e) {
      throw new LmmException(folder + ": the gallery cannot be written: " + e.getMessage(), e);
    }
    return print(
        Map.of("page", page.toString()),
        () -> output().line("Open " + page.toAbsolutePath().normalize() + " in a browser."));
  }

  /** The models that were asked for, by what they can do. */
  private Gallery.Shows sorted() {
    List<String> encoders = new ArrayList<>();
    List<String> generators = new ArrayList<>();
    List<String> grounders = new ArrayList<>();
    List<String> captioners = new ArrayList<>();
    List<String> matchers = new ArrayList<>();
    for (String id : models) {
      try (Model model = Models.load(id)) {
        if (has(model::generator)) {
          generators.add(id);
        } else if (has(model::grounder)) {
          grounders.add(id);
        } else if (has(model::captioner)) {
          captioners.add(id);
        } else if (has(model::matcher)) {
          matchers.add(id);
        } else {
          encoders.add(id);
        }
      }
    }
    return new Gallery.Shows(
        encoders.isEmpty() ? BUNDLED.encoders().subList(0, 1) : encoders,
        generators,
        grounders,
        captioners,
        matchers);
  }

  private static boolean has(Runnable role) {
    try {
      role.run();
      return true;
    } catch (UnsupportedModelException e) {
      return false;
    }
  }
}
