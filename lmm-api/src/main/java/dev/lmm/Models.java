package dev.lmm;

import dev.lmm.spi.LoadOptions;
import dev.lmm.spi.ModelLoader;
import java.nio.file.Path;
import java.util.List;
import java.util.ServiceLoader;
import java.util.function.BiFunction;
import java.util.function.Function;

/**
 * Where models come from.
 *
 * <p>An id is a hub id ({@code openai/clip-vit-base-patch32}, {@code @revision} allowed), a folder,
 * the file of a bundle ({@code clip.lmm}, or {@code both.lmm#NAME} if it holds several), or the
 * name of a model bundled on the class path ({@code tiny-clip}). The family is found by the
 * checkpoint's own config; its artifact and an engine must be on the class path.
 *
 * <p>Thread-safe.
 */
public final class Models {
  private Models() {}

  /**
   * A model that embeds pictures and texts.
   *
   * @param id a hub id, a folder, or the name of a bundled model
   * @return the request, to be loaded
   */
  public static LoadRequest<Encoder> encoder(String id) {
    return role(id, Model::encoder, OwningEncoder::new);
  }

  /**
   * A model that embeds pictures and texts.
   *
   * @param folder with config, tokenizer and weights
   * @return the request, to be loaded
   */
  public static LoadRequest<Encoder> encoder(Path folder) {
    return encoder(Check.notNull(folder, "folder").toString());
  }

  /**
   * A model that makes pictures from text.
   *
   * @param id a hub id, a folder, or the name of a bundled model
   * @return the request, to be loaded
   */
  public static LoadRequest<Generator> generator(String id) {
    return role(id, Model::generator, OwningGenerator::new);
  }

  /**
   * A model that makes pictures from text.
   *
   * @param folder in diffusers' layout
   * @return the request, to be loaded
   */
  public static LoadRequest<Generator> generator(Path folder) {
    return generator(Check.notNull(folder, "folder").toString());
  }

  /**
   * A model that writes about pictures.
   *
   * @param id a hub id, a folder, or the name of a bundled model
   * @return the request, to be loaded
   */
  public static LoadRequest<Captioner> captioner(String id) {
    return role(id, Model::captioner, OwningCaptioner::new);
  }

  /**
   * A model that writes about pictures.
   *
   * @param folder with config, tokenizer and weights
   * @return the request, to be loaded
   */
  public static LoadRequest<Captioner> captioner(Path folder) {
    return captioner(Check.notNull(folder, "folder").toString());
  }

  /**
   * A model that says whether pictures and texts belong together.
   *
   * @param id a hub id, a folder, or the name of a bundled model
   * @return the request, to be loaded
   */
  public static LoadRequest<Matcher> matcher(String id) {
    return role(id, Model::matcher, OwningMatcher::new);
  }

  /**
   * A model that says whether pictures and texts belong together.
   *
   * @param folder with config, tokenizer and weights
   * @return the request, to be loaded
   */
  public static LoadRequest<Matcher> matcher(Path folder) {
    return matcher(Check.notNull(folder, "folder").toString());
  }

  /**
   * A model that talks about pictures and videos.
   *
   * @param id a hub id, a folder, or the name of a bundled model
   * @return the request, to be loaded
   */
  public static LoadRequest<Chat> chat(String id) {
    return role(id, Model::chat, OwningChat::new);
  }

  /**
   * A model that talks about pictures and videos.
   *
   * @param folder with config, tokenizer and weights
   * @return the request, to be loaded
   */
  public static LoadRequest<Chat> chat(Path folder) {
    return chat(Check.notNull(folder, "folder").toString());
  }

  /**
   * A model that finds things in pictures and videos.
   *
   * @param id a hub id, a folder, or the name of a bundled model
   * @return the request, to be loaded
   */
  public static LoadRequest<Grounder> grounder(String id) {
    return role(id, Model::grounder, OwningGrounder::new);
  }

  /**
   * A model that finds things in pictures and videos.
   *
   * @param folder with config, tokenizer and weights
   * @return the request, to be loaded
   */
  public static LoadRequest<Grounder> grounder(Path folder) {
    return grounder(Check.notNull(folder, "folder").toString());
  }

  /**
   * A model, whatever roles it plays.
   *
   * @param id a hub id, a folder, or the name of a bundled model
   * @return the request, to be loaded
   */
  public static LoadRequest<Model> model(String id) {
    String name = Check.notNull(id, "id");
    return new LoadRequest<>(name, LoadOptions.DEFAULT, options -> loader().load(name, options));
  }

  /**
   * Loads a model with default options.
   *
   * @param id a hub id, a folder, or the name of a bundled model
   * @return the model, to be closed
   */
  public static Model load(String id) {
    return model(id).load();
  }

  /**
   * Packs models into one file, for a machine without network.
   *
   * @param ids hub ids, folders, or names of bundled models; at least one
   * @return the request, to be written
   */
  public static BundleRequest bundle(String... ids) {
    return new BundleRequest(List.of(Check.notNull(ids, "ids")), LoadOptions.DEFAULT, true);
  }

  /**
   * Lets this process load the native libraries of a bundle instead of those in its jars. To be
   * called before any model is loaded.
   *
   * <p><b>Native libraries are code.</b> Without this call nothing in a bundle is ever run; make it
   * only for a bundle that was made by somebody you trust and that has come unchanged.
   *
   * @param bundle the file
   * @return the libraries that will be loaded from it
   * @throws CheckpointException if the bundle is broken
   * @throws EngineException if it has no natives for this platform and these versions, or others
   *     have been loaded already
   */
  public static List<String> useNatives(Path bundle) {
    return loader().useNatives(Check.notNull(bundle, "bundle"));
  }

  /** A request for one role; the role then owns the model. */
  private static <R> LoadRequest<R> role(
      String id, Function<Model, R> role, BiFunction<Model, R, R> owning) {
    String name = Check.notNull(id, "id");
    return new LoadRequest<>(
        name,
        LoadOptions.DEFAULT,
        options -> {
          Model model = loader().load(name, options);
          try {
            return owning.apply(model, role.apply(model));
          } catch (RuntimeException e) {
            model.close();
            throw e;
          }
        });
  }

  static ModelLoader loader() {
    return ServiceLoader.load(ModelLoader.class, Models.class.getClassLoader())
        .findFirst()
        .orElseThrow(
            () ->
                new EngineException(
                    "No model loader on the class path; add the artifact of a family, for instance"
                        + " dev.lmm:lmm-clip, and of an engine, for instance dev.lmm:lmm-onnx"));
  }
}
