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
  @Option(names = "--out", paramLabel = "DIR", description = "Where it goes; demo by default.")
  String out = "demo";

  @Option(
      names = "--model",
      paramLabel = "MODEL",
      description = "A model to show; repeatable; the bundled tiny models by default.")
  List<String> models = new ArrayList<>();

  @Override
  public Integer call() {
    List<String> encoders = new ArrayList<>();
    List<String> generators = new ArrayList<>();
    for (String id : models.isEmpty() ? List.of("tiny-clip", "tiny-siglip2", "tiny-sd") : models) {
      (makesPictures(id) ? generators : encoders).add(id);
    }
    if (encoders.isEmpty()) {
      encoders.add("tiny-clip");
    }
    Path folder = Path.of(out);
    Path page;
    try {
      page =
          new Gallery(folder, encoders, generators, quiet || json ? null : output().err()).write();
    } catch (IOException e) {
      throw new LmmException(folder + ": the gallery cannot be written: " + e.getMessage(), e);
    }
    return print(
        Map.of("page", page.toString()),
        () -> output().line("Open " + page.toAbsolutePath().normalize() + " in a browser."));
  }

  private static boolean makesPictures(String id) {
    try (Model model = Models.load(id)) {
      model.generator();
      return true;
    } catch (UnsupportedModelException e) {
      return false;
    }
  }
}
