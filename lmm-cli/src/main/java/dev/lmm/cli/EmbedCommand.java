package dev.lmm.cli;

import dev.lmm.EmbedRequest;
import dev.lmm.Embeddings;
import dev.lmm.Encoder;
import dev.lmm.Model;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code lmm embed}. */
@Command(name = "embed", description = "Embeddings of pictures and texts.")
final class EmbedCommand extends ModelCommand {
  @Option(names = "--image", paramLabel = "FILE", description = "A picture; repeatable.")
  List<String> images = new ArrayList<>();

  @Option(names = "--text", paramLabel = "TEXT", description = "A text; repeatable.")
  List<String> texts = new ArrayList<>();

  @Option(names = "--raw", description = "Leaves vectors as the model gives them.")
  boolean raw;

  @Override
  public Integer call() {
    if (images.isEmpty() && texts.isEmpty()) {
      throw wrong("Nothing to embed: give --image or --text");
    }
    try (Model loaded = load()) {
      warnOfRandomWeights(loaded.info());
      Encoder encoder = loaded.encoder();
      Embeddings imageVectors = run(encoder.images(read(images)));
      Embeddings textVectors = run(encoder.texts(texts));
      List<Map<String, Object>> items = new ArrayList<>();
      add(items, "image", images, imageVectors);
      add(items, "text", texts, textVectors);
      Map<String, Object> document = document(loaded.info());
      document.put("dimension", encoder.dimension());
      document.put("items", items);
      return print(
          document,
          () ->
              items.forEach(
                  item ->
                      output()
                          .line(
                              item.get("source")
                                  + "\t"
                                  + Arrays.toString((float[]) item.get("embedding")))));
    }
  }

  private Embeddings run(EmbedRequest request) {
    return (raw ? request.raw() : request).run();
  }

  private static void add(
      List<Map<String, Object>> items, String kind, List<String> sources, Embeddings vectors) {
    for (int i = 0; i < sources.size(); i++) {
      Map<String, Object> item = new LinkedHashMap<>();
      item.put("kind", kind);
      item.put("source", sources.get(i));
      item.put("embedding", vectors.vector(i));
      items.add(item);
    }
  }
}
