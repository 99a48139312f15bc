package dev.lmm.spring.boot;

import dev.lmm.LoadRequest;
import dev.lmm.Model;
import dev.lmm.Models;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A model that is loaded once, at the latest when it is first used. Roles of one model share it.
 */
final class ModelHolder {
  private final LmmProperties.Role wanted;
  private final LmmProperties properties;
  private final List<RunListener> listeners;
  private volatile @Nullable Model model;
  private volatile @Nullable RuntimeException failure;
  private boolean closed;

  ModelHolder(LmmProperties.Role wanted, LmmProperties properties, List<RunListener> listeners) {
    this.wanted = wanted;
    this.properties = properties;
    this.listeners = listeners;
  }

  String name() {
    return wanted.model();
  }

  /** The model if it is loaded. */
  @Nullable Model loaded() {
    return model;
  }

  /** Why the last try to load it failed, or null. */
  @Nullable RuntimeException failure() {
    return failure;
  }

  /** The model, loaded now if it is not yet. A load that failed is tried again by the next use. */
  Model get() {
    Model ready = model;
    return ready == null ? load() : ready;
  }

  private synchronized Model load() {
    Model ready = model;
    if (ready != null) {
      return ready;
    }
    if (closed) {
      throw new IllegalStateException(
          "The application is stopping; " + name() + " is not loaded any more");
    }
    long start = System.nanoTime();
    try {
      ready = request().load();
      failure = null;
      model = ready;
      return ready;
    } catch (RuntimeException e) {
      failure = e;
      throw e;
    } finally {
      Duration took = Duration.ofNanos(System.nanoTime() - start);
      Model result = ready;
      listeners.forEach(listener -> listener.loaded(name(), result, took));
    }
  }

  private LoadRequest<Model> request() {
    LoadRequest<Model> request = Models.model(wanted.model());
    if (wanted.engine() != null) {
      request = request.engine(wanted.engine());
    }
    if (wanted.device() != null) {
      request = request.device(wanted.device());
    }
    if (wanted.precision() != null) {
      request = request.precision(wanted.precision());
    }
    if (wanted.variant() != null) {
      request = request.variant(wanted.variant());
    }
    if (properties.cache() != null) {
      request = request.cache(properties.cache());
    }
    if (properties.threads() != null) {
      request = request.threads(properties.threads());
    }
    return properties.offline() ? request.offline() : request;
  }

  synchronized void close() {
    closed = true;
    Model ready = model;
    if (ready != null) {
      ready.close();
    }
  }
}
