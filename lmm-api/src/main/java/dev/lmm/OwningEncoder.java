package dev.lmm;

import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;

/** An encoder that is all its user knows of the model, and therefore closes it. */
final class OwningEncoder implements Encoder {
  private final Model model;
  private final Encoder role;

  OwningEncoder(Model model, Encoder role) {
    this.model = model;
    this.role = role;
  }

  @Override
  public ModelInfo info() {
    return role.info();
  }

  @Override
  public Summary summary() {
    return role.summary();
  }

  @Override
  public Inspection inspect() {
    return role.inspect();
  }

  @Override
  public int dimension() {
    return role.dimension();
  }

  @Override
  public EmbedRequest images(List<Image> images) {
    return role.images(images);
  }

  @Override
  public EmbedRequest texts(List<String> texts) {
    return role.texts(texts);
  }

  @Override
  public void embedFiles(
      Iterable<Path> files, FilesOptions options, Consumer<FileEmbedding> consumer) {
    role.embedFiles(files, options, consumer);
  }

  @Override
  public List<List<Score>> rank(List<Image> images, List<String> texts, Probability probability) {
    return role.rank(images, texts, probability);
  }

  @Override
  public ZeroShotClassifier classifier(List<String> labels, List<String> templates) {
    return role.classifier(labels, templates);
  }

  @Override
  public void close() {
    model.close();
  }
}
