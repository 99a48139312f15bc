package dev.lmm;

import dev.lmm.spi.LoadOptions;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.function.Function;

/**
 * A request to load a model. Immutable: every option gives a new request.
 *
 * <p>Defaults: the best engine that is there, the device it prefers, the precision that fits, one
 * thread for each core, network allowed for hub ids.
 *
 * @param <T> what is loaded: a model or one of its roles
 */
public final class LoadRequest<T> {
  private final String id;
  private final LoadOptions options;
  private final Function<LoadOptions, T> loader;

  LoadRequest(String id, LoadOptions options, Function<LoadOptions, T> loader) {
    this.id = id;
    this.options = options;
    this.loader = loader;
  }

  private LoadRequest<T> with(LoadOptions changed) {
    return new LoadRequest<>(id, changed, loader);
  }

  /**
   * Chooses the engine.
   *
   * @param name {@code auto}, {@code onnx}, {@code reference}, or another that is on the class path
   * @return a new request
   */
  public LoadRequest<T> engine(String name) {
    return with(options.withEngine(Check.notNull(name, "engine")));
  }

  /**
   * Chooses the device.
   *
   * @param name {@code auto}, {@code cpu} or {@code cuda:N}
   * @return a new request
   */
  public LoadRequest<T> device(String name) {
    return with(options.withDevice(Check.notNull(name, "device")));
  }

  /**
   * Chooses the device of one part.
   *
   * @param part the part's name as {@link Summary} lists it, for instance {@code vision}
   * @param name {@code auto}, {@code cpu} or {@code cuda:N}
   * @return a new request; loading fails if the model has no such part
   */
  public LoadRequest<T> device(String part, String name) {
    return with(options.withDevice(Check.notNull(part, "part"), Check.notNull(name, "device")));
  }

  /**
   * Chooses the precision of one part.
   *
   * @param part the part's name as {@link Summary} lists it, for instance {@code vision}
   * @param precision what its weights and arithmetic are held in
   * @return a new request; loading fails if the model has no such part
   */
  public LoadRequest<T> precision(String part, Precision precision) {
    return with(
        options.withPrecision(Check.notNull(part, "part"), Check.notNull(precision, "precision")));
  }

  /**
   * Chooses the precision.
   *
   * @param precision what weights and arithmetic are held in
   * @return a new request
   */
  public LoadRequest<T> precision(Precision precision) {
    return with(options.withPrecision(Check.notNull(precision, "precision")));
  }

  /**
   * Chooses how weights are brought into few bits.
   *
   * @param quantization for instance {@code Quantization.DEFAULT.withSearch()}; ignored where
   *     nothing is quantized, and by checkpoints that were published in few bits
   * @return a new request
   */
  public LoadRequest<T> quantization(Quantization quantization) {
    return with(options.withQuantization(Check.notNull(quantization, "quantization")));
  }

  /**
   * Chooses the size of the engine's thread pool, which all models of the process share: the first
   * model that is loaded decides.
   *
   * @param threads at least 1, or 0 for one a core
   * @return a new request
   */
  public LoadRequest<T> threads(int threads) {
    Check.that(threads >= 0, "threads: is " + threads + "; expected at least 0");
    return with(options.withThreads(threads));
  }

  /**
   * Forbids the network: a hub id must be in the cache.
   *
   * @return a new request
   */
  public LoadRequest<T> offline() {
    return with(options.withOffline(true));
  }

  /**
   * Leaves weights in the mapped file instead of packing them for the processor: loads at once and
   * takes next to no private memory, but runs slower.
   *
   * @return a new request
   */
  public LoadRequest<T> mapped() {
    return with(options.withMapped(true));
  }

  /**
   * Makes up the weights: for benchmarks and sizing of a folder that has config and tokenizer only.
   *
   * @param seed of the random numbers
   * @return a new request
   */
  public LoadRequest<T> randomWeights(long seed) {
    return with(options.withRandomWeights(OptionalLong.of(seed)));
  }

  /**
   * Keeps downloaded models elsewhere, in the Python client's layout.
   *
   * @param folder the cache; {@code HF_HUB_CACHE} and its like by default
   * @return a new request
   */
  public LoadRequest<T> cache(Path folder) {
    return with(options.withDownload(options.download().withCache(Check.notNull(folder, "cache"))));
  }

  /**
   * Fetches a variant of the weights where a repository offers one.
   *
   * @param name as in the file's name, for instance {@code fp16} for {@code model.fp16.safetensors}
   * @return a new request
   */
  public LoadRequest<T> variant(String name) {
    return with(
        options.withDownload(options.download().withVariant(Check.notNull(name, "variant"))));
  }

  /**
   * Reads every file of a hub's model before it is loaded, and compares it with the hash the hub
   * gave: about a second a gigabyte. A fresh download is compared anyway.
   *
   * @return a new request; loading fails for a folder, which has no hashes
   */
  public LoadRequest<T> verified() {
    return with(options.withDownload(options.download().withVerified(true)));
  }

  /**
   * Tells how far a download has come, in bytes. Silent if there is nothing to fetch.
   *
   * @param listener called on the thread that loads, several times a second at most
   * @return a new request
   */
  public LoadRequest<T> onProgress(ProgressListener listener) {
    return with(
        options.withDownload(options.download().withListener(Check.notNull(listener, "listener"))));
  }

  /**
   * Lets a download be stopped; so does an interrupt. What was fetched stays, and the next try goes
   * on from there.
   *
   * @param cancellation the switch
   * @return a new request; loading throws {@link CancelledException} once it is thrown
   */
  public LoadRequest<T> cancelledBy(Cancellation cancellation) {
    return with(
        options.withDownload(
            options.download().withCancellation(Check.notNull(cancellation, "cancellation"))));
  }

  /**
   * Says what memory the model would take, without loading it, for a request of usual size.
   *
   * @return the estimate
   * @throws ModelNotFoundException if the id leads nowhere
   * @throws CheckpointException if a file is missing or broken
   * @throws UnsupportedModelException if the family or an option is not supported
   */
  public Estimate estimate() {
    return estimate(EstimateOptions.DEFAULT);
  }

  /**
   * Says what memory the model would take, without loading it. Needs the config and the names and
   * shapes of the tensors; of a hub's model that is not in the cache it fetches no more than these.
   * A precision or a device that is not supported here is estimated all the same: {@code
   * device("cuda:0").precision(FP16)} tells whether it would fit a card before the card is bought.
   *
   * @param size how large a request it is to be for
   * @return the estimate
   * @throws ModelNotFoundException if the id leads nowhere
   * @throws CheckpointException if a file is missing or broken
   * @throws UnsupportedModelException if the family or an option is not supported
   * @throws InvalidRequestException if the model cannot take a request of this size
   */
  public Estimate estimate(EstimateOptions size) {
    return Models.loader().estimate(id, options, Check.notNull(size, "size"));
  }

  /**
   * Says where each part of the model would compute, for a request of usual size.
   *
   * @return the plan, which prints as a table
   * @throws ModelNotFoundException if the id leads nowhere
   * @throws EngineException if no engine can run here
   */
  public DevicePlan plan() {
    return plan(EstimateOptions.DEFAULT);
  }

  /**
   * Says where each part of the model would compute, without loading it. With {@code
   * device("auto")} a card takes the largest parts that fit the memory free on it, and the
   * processor the rest; the plan says why.
   *
   * @param size how large a request is to fit
   * @return the plan, which prints as a table
   * @throws ModelNotFoundException if the id leads nowhere
   * @throws CheckpointException if a file is missing or broken
   * @throws UnsupportedModelException if the family or an option is not supported
   * @throws EngineException if no engine can run here, or lacks a device that was asked for
   */
  public DevicePlan plan(EstimateOptions size) {
    return Models.loader().plan(id, options, Check.notNull(size, "size"));
  }

  /**
   * Loads.
   *
   * @return the model or role, to be closed
   * @throws ModelNotFoundException if the id leads nowhere
   * @throws CheckpointException if a file is missing or broken
   * @throws UnsupportedModelException if the family or an option is not supported
   * @throws EngineException if no engine can run it
   */
  public T load() {
    return loader.apply(options);
  }
}
