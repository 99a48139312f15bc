package dev.lmm;

import dev.lmm.spi.LoadOptions;
import java.nio.file.Path;
import java.util.List;

/**
 * A request to pack models into one file, for a machine without network. Immutable: every option
 * gives a new request.
 *
 * <p>The file holds what a load reads (configs, tokenizers, one form of the weights), licences, the
 * native libraries of this platform, and a manifest with the SHA-256 of each. It is loaded by its
 * path, as a folder is. The same models make the same bytes.
 */
public final class BundleRequest {
  private final List<String> ids;
  private final LoadOptions options;
  private final boolean natives;

  BundleRequest(List<String> ids, LoadOptions options, boolean natives) {
    this.ids = ids;
    this.options = options;
    this.natives = natives;
  }

  private BundleRequest with(LoadOptions changed) {
    return new BundleRequest(ids, changed, natives);
  }

  /**
   * Packs a variant of the weights where there is one; a load of the bundle then takes it.
   *
   * @param name for instance {@code fp16}
   * @return a new request
   */
  public BundleRequest variant(String name) {
    return with(
        options.withDownload(options.download().withVariant(Check.notNull(name, "variant"))));
  }

  /**
   * Whether the native libraries of ONNX Runtime and of the tokenizers are packed too: about 35 MB.
   * An application has them in its jars already, unless it was built without; then {@link
   * Models#useNatives} takes them from the bundle.
   *
   * @param packed true by default
   * @return a new request
   */
  public BundleRequest natives(boolean packed) {
    return new BundleRequest(ids, options, packed);
  }

  /**
   * Forbids the network: hub ids must be in the cache.
   *
   * @return a new request
   */
  public BundleRequest offline() {
    return with(options.withOffline(true));
  }

  /**
   * Where downloaded models are kept.
   *
   * @param folder the hub's cache; {@code HF_HUB_CACHE} and its like by default
   * @return a new request
   */
  public BundleRequest cache(Path folder) {
    return with(options.withDownload(options.download().withCache(Check.notNull(folder, "cache"))));
  }

  /**
   * Tells how far it has come, in bytes: first of downloads, then of packing.
   *
   * @param listener called on the thread that packs, several times a second at most
   * @return a new request
   */
  public BundleRequest onProgress(ProgressListener listener) {
    return with(
        options.withDownload(options.download().withListener(Check.notNull(listener, "listener"))));
  }

  /**
   * Lets it be stopped; so does an interrupt. Then no file is left.
   *
   * @param cancellation the switch
   * @return a new request; {@link #write} throws {@link CancelledException} once it is thrown
   */
  public BundleRequest cancelledBy(Cancellation cancellation) {
    return with(
        options.withDownload(
            options.download().withCancellation(Check.notNull(cancellation, "cancellation"))));
  }

  /**
   * Fetches what is not here yet, and packs.
   *
   * @param file to be written, usually {@code NAME.lmm}; replaced once all is written
   * @return what was written
   * @throws ModelNotFoundException if an id leads nowhere
   * @throws CheckpointException if a model is not complete, or the file cannot be written
   * @throws InvalidRequestException if two models have one name, or the folder is not there
   */
  public Bundled write(Path file) {
    return Models.loader().bundle(ids, options, natives, Check.notNull(file, "file"));
  }
}
