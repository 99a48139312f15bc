package dev.lmm.core.hub;

import dev.lmm.CancelledException;
import dev.lmm.Check;
import dev.lmm.ModelNotFoundException;
import dev.lmm.core.checkpoint.CheckpointFiles;
import dev.lmm.core.checkpoint.CheckpointWeights;
import dev.lmm.core.checkpoint.Safetensors;
import dev.lmm.core.engine.StoredTensor;
import dev.lmm.core.graph.WeightSource;
import dev.lmm.core.hub.HubCache.Listed;
import dev.lmm.core.json.Json;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Models of a hub, by id: from the cache, or downloaded into it.
 *
 * <p>Only the files a load needs are fetched: config, tokenizer and one form of the weights. Each
 * goes into a partial file that a later try continues; it is moved into place whole once its size
 * and its hash are those the hub has listed. Several threads and processes may ask for the same
 * model at once.
 *
 * <p>If the hub cannot be reached and the cache has the model, that is used, with a warning.
 */
public final class Hub {
  private static final Logger LOG = LoggerFactory.getLogger(Hub.class);
  // What a download may need beyond its own bytes: links, references, other programs.
  private static final long SPARE_DISK = 16L << 20;
  private static final int EXTRA_TRIES = 16;
  private static final long TRY_BYTES = 1 << 16;
  // Most headers end before.
  private static final int FIRST_BYTES = 1 << 17;

  private final HubId id;
  private final HubOptions options;
  private final HubCache cache;
  private final @Nullable HttpClient http;
  private final Disk disk;

  private Hub(HubId id, HubOptions options, @Nullable HttpClient http, Disk disk) {
    this.id = id;
    this.options = options;
    this.cache = new HubCache(options.cache());
    this.http = http;
    this.disk = disk;
  }

  /**
   * The folder of a model, downloaded if need be and allowed.
   *
   * @param id {@code owner/name}, {@code @revision} (branch, tag or commit) allowed
   * @param options where from and how; {@link HubOptions#fromEnvironment()} by default
   * @return the snapshot in the cache: a folder with the published names
   * @throws ModelNotFoundException if the id is none, the cache lacks it while offline, or the hub
   *     does not give it; says what to do
   * @throws dev.lmm.CheckpointException if what is there is broken
   * @throws CancelledException if it was cancelled or the thread interrupted; what was fetched
   *     stays
   */
  public static Path resolve(String id, HubOptions options) {
    return resolve(id, options, null, Disk.REAL);
  }

  /**
   * The same through an HTTP client of the caller's: with a proxy that asks who one is, or with
   * certificates of one's own.
   *
   * @param id {@code owner/name}, {@code @revision} (branch, tag or commit) allowed
   * @param options where from and how
   * @param http which must not follow redirects itself, so that the token goes to no other host;
   *     its own time limits hold beside those of the options. It stays the caller's
   * @return the snapshot in the cache: a folder with the published names
   * @throws dev.lmm.InvalidRequestException if the client follows redirects
   * @throws ModelNotFoundException if the id is none, the cache lacks it while offline, or the hub
   *     does not give it; says what to do
   * @throws dev.lmm.CheckpointException if what is there is broken
   * @throws CancelledException if it was cancelled or the thread interrupted; what was fetched
   *     stays
   */
  public static Path resolve(String id, HubOptions options, HttpClient http) {
    return resolve(id, options, Check.notNull(http, "http"), Disk.REAL);
  }

  static Path resolve(String id, HubOptions options, @Nullable HttpClient http, Disk disk) {
    Hub hub = new Hub(HubId.parse(id), options, http, disk);
    return options.offline() ? hub.offline() : hub.online();
  }

  /**
   * What says how large a model is: its configs, fetched into the cache, and the headers of its
   * weights, of which nothing stays. A few hundred kilobytes.
   *
   * @param id {@code owner/name}, {@code @revision} allowed
   * @param options where from and how
   * @return configs and headers
   * @throws ModelNotFoundException if the id is none, the cache lacks it while offline, or the hub
   *     does not give it
   * @throws dev.lmm.CheckpointException if a header is broken
   */
  public static HubOutline outline(String id, HubOptions options) {
    return outline(id, options, null);
  }

  /**
   * The same through an HTTP client of the caller's.
   *
   * @param id {@code owner/name}, {@code @revision} allowed
   * @param options where from and how
   * @param http as for {@link #resolve(String, HubOptions, HttpClient)}; null for the library's own
   * @return configs and headers
   * @throws dev.lmm.InvalidRequestException if the client follows redirects
   * @throws ModelNotFoundException if the id is none, the cache lacks it while offline, or the hub
   *     does not give it
   * @throws dev.lmm.CheckpointException if a header is broken
   */
  public static HubOutline outline(String id, HubOptions options, @Nullable HttpClient http) {
    Hub hub = new Hub(HubId.parse(id), options, http, Disk.REAL);
    String cached = hub.complete();
    if (cached != null || options.offline()) {
      return new HubOutline(hub.offline(), null);
    }
    HubClient client = new HubClient(options, http);
    Listing listing = hub.listing(client.describe(hub.id, options.retries()));
    return hub.cached(() -> hub.new Download(client, listing).outline());
  }

  // From the cache.

  private Path offline() {
    String commit = cache.commit(id);
    if (commit == null) {
      throw new ModelNotFoundException(
          id
              + ": is not in the cache "
              + options.cache()
              + ", and the network is forbidden (offline, or HF_HUB_OFFLINE); load it once with"
              + " network, or set HF_HUB_CACHE to the cache that has it");
    }
    String missing = cache.missing(id, commit, options);
    if (missing != null) {
      throw new ModelNotFoundException(
          id
              + ": the cache lacks "
              + missing
              + " in "
              + cache.snapshot(id, commit)
              + ", and the network is forbidden (offline, or HF_HUB_OFFLINE); load it once with"
              + " network");
    }
    return cache.snapshot(id, commit);
  }

  private @Nullable String complete() {
    String commit = cache.commit(id);
    return commit != null && cache.missing(id, commit, options) == null ? commit : null;
  }

  // From the hub.

  private Path online() {
    String cached = complete();
    if (cached != null && id.isCommit()) {
      // A commit never changes: there is nothing to ask.
      return cache.snapshot(id, cached);
    }
    HubClient client = new HubClient(options, http);
    Listing listing;
    try {
      // With something to fall back on, an unreachable hub should not hold up a load.
      listing = listing(client.describe(id, cached == null ? options.retries() : 0));
    } catch (HubException e) {
      if (cached == null) {
        throw e;
      }
      LOG.warn("{} is loaded from the cache, as of its last download: {}", id, e.getMessage());
      return cache.snapshot(id, cached);
    }
    cached(
        () -> {
          new Download(client, listing).run();
          return listing;
        });
    cache.remember(id, listing.commit);
    return cache.snapshot(id, listing.commit);
  }

  /** Does something that writes into the cache. */
  private <T> T cached(HubClient.Try<T> work) {
    try {
      return work.run();
    } catch (ClosedByInterruptException e) {
      throw new CancelledException("The download was interrupted", e);
    } catch (IOException e) {
      throw new HubException(
          id
              + ": cannot be put into the cache "
              + options.cache()
              + ": "
              + e
              + "; make room, or set HF_HUB_CACHE to a folder that can be written",
          e);
    }
  }

  /** A repository at one commit; files whose hash is unknown have a null value. */
  private record Listing(String commit, Map<String, @Nullable Listed> files) {}

  private Listing listing(Json json) {
    String commit = json.stringAt("sha");
    if (!HubId.isCommit(commit) || (id.isCommit() && !commit.equals(id.revision()))) {
      throw new HubException(
          json.source()
              + ": sha is "
              + commit
              + "; expected "
              + (id.isCommit() ? id.revision() : "40 hexadecimal digits"));
    }
    Map<String, @Nullable Listed> files = new TreeMap<>();
    Map<String, Listed> hashed = new TreeMap<>();
    for (Json sibling : json.at("siblings").elements()) {
      String name = sibling.stringAt("rfilename");
      if (name.startsWith("/") || name.contains("\\") || ("/" + name + "/").contains("/../")) {
        throw new HubException(
            sibling.source()
                + ": "
                + sibling.place()
                + " is named \""
                + name
                + "\", which leaves the model's folder; nothing of this repository is taken");
      }
      if (!HubFiles.isSafe(name)) {
        LOG.debug("{}: {} is passed over: not every system has such names", id, name);
        continue;
      }
      Listed listed = listed(name, sibling);
      files.put(name, listed);
      if (listed != null) {
        hashed.put(name, listed);
      }
    }
    if (hashed.size() == files.size() && !files.isEmpty()) {
      cache.keepTree(id, commit, hashed);
    }
    return new Listing(commit, files);
  }

  private static @Nullable Listed listed(String name, Json sibling) {
    if (!sibling.hasValue("blobId") || !sibling.hasValue("size")) {
      return null;
    }
    String blob = sibling.stringAt("blobId");
    long size = sibling.longAt("size");
    String sha256 = null;
    if (sibling.hasValue("lfs")) {
      Json lfs = sibling.at("lfs");
      sha256 = lfs.stringAt("sha256");
      size = lfs.longAt("size");
    }
    if (!blob.matches("[0-9a-f]{40}")
        || (sha256 != null && !sha256.matches("[0-9a-f]{64}"))
        || size < 0) {
      throw sibling.unexpected("git's hash, a size and, for large files, a SHA-256");
    }
    return new Listed(name, size, blob, sha256);
  }

  /** A file to fetch. */
  private record Remote(String name, String etag, long size) {}

  /** Fetches what a load needs and the snapshot lacks. */
  private final class Download {
    private final HubClient client;
    private final Listing listing;
    private final long start = System.nanoTime();
    private long reported = start - 1_000_000_000;
    private final Set<String> counted = new LinkedHashSet<>();
    private long total;
    private long done;
    private long received;

    Download(HubClient client, Listing listing) {
      this.client = client;
      this.listing = listing;
    }

    void run() throws IOException {
      Set<String> small = new LinkedHashSet<>();
      Set<String> large = new LinkedHashSet<>();
      for (String folder : folders()) {
        small.addAll(HubFiles.small(listing.files.keySet(), folder));
        if (options.weights()) {
          large.addAll(weights(folder));
        }
      }
      if (options.weights() && large.isEmpty()) {
        throw new HubException(
            id
                + ": has no weights "
                + (options.variant().isEmpty() ? "" : "of variant " + options.variant() + " ")
                + "as safetensors or .bin; its files are "
                + HubFiles.overview(listing.files.keySet()));
      }
      small.addAll(large);
      fetch(small);
    }

    HubOutline outline() throws IOException {
      Map<Path, WeightSource> headers = new TreeMap<>();
      Path root = cache.snapshot(id, listing.commit);
      for (String folder : folders()) {
        fetch(HubFiles.configs(listing.files.keySet(), folder));
        List<StoredTensor> tensors = new ArrayList<>();
        boolean all = true;
        for (String file : weights(folder)) {
          all &= file.endsWith(".safetensors");
          if (all) {
            tensors.addAll(header(file));
          }
        }
        // The other formats have no header that could be read by itself.
        headers.put(
            root.resolve(folder),
            all && !tensors.isEmpty()
                ? CheckpointWeights.of(id + "/" + folder, tensors)
                : WeightSource.anything());
      }
      return new HubOutline(root, headers);
    }

    private List<StoredTensor> header(String name) {
      Listed listed = listing.files.get(name);
      long size = listed == null ? ask(name).size() : listed.size();
      Path file = path(name);
      byte[] begin = client.range(id, listing.commit, name, 0, FIRST_BYTES);
      int length = Safetensors.headerLength(file, begin, size);
      if (8 + length > begin.length) {
        begin = client.range(id, listing.commit, name, 0, 8 + length);
      }
      return Safetensors.read(file, begin, size);
    }

    /** The folders of the model; {@code ""} alone unless it is a pipeline. */
    private List<String> folders() throws IOException {
      Collection<String> names = listing.files.keySet();
      if (!names.contains(HubFiles.PIPELINE) && !names.contains("config.json")) {
        throw new HubException(
            id
                + ": has neither config.json nor "
                + HubFiles.PIPELINE
                + "; its files are "
                + HubFiles.overview(names));
      }
      if (!names.contains(HubFiles.PIPELINE)) {
        return List.of("");
      }
      // The files that say which others there are come first.
      fetch(List.of(HubFiles.PIPELINE));
      return HubFiles.parts(names, Json.parse(path(HubFiles.PIPELINE)));
    }

    /** The files with a folder's weights; an index is fetched to find them. */
    private List<String> weights(String folder) throws IOException {
      Collection<String> names = listing.files.keySet();
      List<String> files = new ArrayList<>();
      for (String file : HubFiles.weights(names, folder, options.variant())) {
        if (!file.endsWith(".json")) {
          files.add(file);
          continue;
        }
        fetch(List.of(file));
        for (String shard : CheckpointFiles.shards(Json.parse(path(file)))) {
          if (!names.contains(folder + shard)) {
            throw new HubException(
                id + ": " + file + " names " + shard + ", which the repository does not have");
          }
          files.add(folder + shard);
        }
      }
      return files;
    }

    private Path path(String name) {
      return cache.snapshot(id, listing.commit).resolve(name);
    }

    private void fetch(Collection<String> names) throws IOException {
      List<Remote> wanted = new ArrayList<>();
      long needed = 0;
      for (String name : names) {
        Path pointer = path(name);
        Listed listed = listing.files.get(name);
        if (Files.isRegularFile(pointer)
            && (listed == null || Files.size(pointer) == listed.size())) {
          continue;
        }
        Remote remote = listed == null ? ask(name) : new Remote(name, listed.etag(), listed.size());
        wanted.add(remote);
        if (!present(remote) && counted.add(remote.etag())) {
          total += Math.max(0, remote.size());
          needed += Math.max(0, remote.size() - size(partial(remote)));
        }
      }
      if (wanted.isEmpty()) {
        return;
      }
      Path blobs = cache.storage(id).resolve("blobs");
      Files.createDirectories(blobs);
      cache.tag();
      long free = disk.free(blobs);
      if (needed > 0 && needed + SPARE_DISK > free) {
        throw new HubException(
            String.format(
                Locale.ROOT,
                "%s: needs %,d bytes more, and %s has %,d free; make room, or set HF_HUB_CACHE to"
                    + " another disk",
                id,
                needed,
                blobs,
                free));
      }
      for (Remote remote : wanted) {
        fetch(remote);
      }
    }

    /** Where the list of files has no hashes, each file's own headers have. */
    private Remote ask(String name) {
      HubClient.Answer answer = client.head(id, listing.commit, name);
      String etag =
          header(answer.first(), "X-Linked-Etag", header(answer.headers(), "ETag", ""))
              .replaceFirst("^W/", "")
              .replace("\"", "");
      if (!etag.matches("[A-Za-z0-9][A-Za-z0-9._-]{0,127}")) {
        throw new HubException(
            id + ": " + name + " comes with the etag \"" + etag + "\"; expected a hash");
      }
      String size =
          header(answer.first(), "X-Linked-Size", header(answer.headers(), "Content-Length", ""));
      return new Remote(name, etag, size.matches("[0-9]{1,18}") ? Long.parseLong(size) : -1);
    }

    private String header(HttpHeaders headers, String name, String absent) {
      return headers.firstValue(name).orElse(absent);
    }

    private boolean present(Remote remote) throws IOException {
      Path blob = cache.blob(id, remote.etag());
      return Files.isRegularFile(blob) && (remote.size() < 0 || Files.size(blob) == remote.size());
    }

    private Path partial(Remote remote) {
      return cache.blob(id, remote.etag() + ".lmm.incomplete");
    }

    private long size(Path file) throws IOException {
      return Files.isRegularFile(file) ? Files.size(file) : 0;
    }

    private void fetch(Remote remote) throws IOException {
      Path blob = cache.blob(id, remote.etag());
      boolean fresh = false;
      try (BlobLock lock = BlobLock.take(cache.lock(id, remote.etag()), options.cancellation())) {
        if (Files.isRegularFile(path(remote.name()))
            && (remote.size() < 0 || Files.size(path(remote.name())) == remote.size())) {
          // Another process was quicker.
          done += Math.max(0, remote.size());
          return;
        }
        if (!present(remote)) {
          Path partial =
              lock.isExclusive()
                  ? partial(remote)
                  : cache.blob(id, remote.etag() + "." + HubCache.suffix() + ".incomplete");
          download(remote, partial);
          Files.move(
              partial, blob, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
          fresh = true;
        }
        // A file of another size is left from something else.
        Files.deleteIfExists(path(remote.name()));
        cache.point(
            id, listing.commit, remote.name(), blob, options.symlinks() ? disk : null, fresh);
      }
    }

    private void download(Remote remote, Path partial) throws IOException {
      try (FileChannel out = disk.open(partial)) {
        Transfer transfer = new Transfer(remote, out);
        transfer.take();
        int failures = 0;
        int tries = 0;
        boolean again = false;
        while (true) {
          long before = transfer.at;
          IOException cause = null;
          try {
            transfer.run();
          } catch (ClosedByInterruptException e) {
            throw e;
          } catch (LocalException e) {
            throw e.failure;
          } catch (IOException e) {
            cause = e;
          }
          if (cause == null) {
            String wrong = transfer.wrong();
            if (wrong == null) {
              break;
            }
            transfer.restart();
            if (again) {
              throw new HubException(id + ": " + remote.name() + " " + wrong);
            }
            LOG.warn("{}: {} {}; it is fetched again", id, remote.name(), wrong);
            again = true;
            continue;
          }
          // A server that drips is no better than one that is silent.
          failures = transfer.at - before >= ResponseBody.LEAST ? 0 : failures + 1;
          if (failures > options.retries()
              || ++tries > options.retries() + EXTRA_TRIES + received / TRY_BYTES) {
            throw client.failed(remote.name() + " of " + id, cause);
          }
          LOG.debug("{}: {} at byte {}: {}", id, remote.name(), transfer.at, cause.getMessage());
          client.pause(Math.max(1, failures), cause);
        }
        out.force(true);
        report(remote, true);
      }
    }

    private void report(Remote remote, boolean last) {
      long now = System.nanoTime();
      DownloadProgress.Listener listener = options.listener();
      if (listener != null && (last || now - reported >= 200_000_000)) {
        reported = now;
        listener.progress(
            new DownloadProgress(
                remote.name(),
                done,
                Math.max(total, done),
                received * 1e9 / Math.max(1, now - start)));
      }
    }

    /** One file on its way, over as many connections as it takes. */
    private final class Transfer {
      private final Remote remote;
      private final FileChannel out;
      private @Nullable BlobHash hash;
      private long size;
      private long at;

      Transfer(Remote remote, FileChannel out) {
        this.remote = remote;
        this.out = out;
        this.size = remote.size();
        this.hash = BlobHash.of(remote.etag(), size);
      }

      /** Goes on where an earlier process was stopped. */
      void take() throws IOException {
        long there = out.size();
        if (size < 0 || there > size) {
          restart();
          return;
        }
        ByteBuffer buffer = ByteBuffer.allocate(1 << 16);
        while (at < there) {
          buffer.clear();
          int read = out.read(buffer, at);
          if (read < 0) {
            break;
          }
          if (hash != null) {
            hash.update(buffer.flip());
          }
          at += read;
        }
        done += at;
      }

      void restart() throws IOException {
        done -= at;
        at = 0;
        hash = BlobHash.of(remote.etag(), size);
        out.truncate(0);
      }

      void run() throws IOException {
        if (at == size) {
          return;
        }
        try (HubClient.Answer answer = client.fetch(id, listing.commit, remote.name(), at)) {
          check(answer);
          for (ByteBuffer next = answer.body().next(); next != null; next = answer.body().next()) {
            int count = next.remaining();
            if (size >= 0 && count > size - at) {
              throw new HubException(
                  id
                      + ": "
                      + remote.name()
                      + " goes on after the "
                      + size
                      + " bytes that the hub lists");
            }
            if (hash != null) {
              hash.update(next.duplicate());
            }
            write(next);
            done += count;
            received += count;
            report(remote, false);
          }
        }
        if (size >= 0 && at < size) {
          throw new IOException("the connection ended after " + at + " of " + size + " bytes");
        }
      }

      private void check(HubClient.Answer answer) throws IOException {
        String linked = header(answer.first(), "X-Linked-Etag", "").replace("\"", "");
        String commit = header(answer.first(), "X-Repo-Commit", listing.commit);
        if ((!linked.isEmpty() && !linked.equals(remote.etag()))
            || !commit.equals(listing.commit)) {
          throw new HubException(
              id
                  + ": "
                  + remote.name()
                  + " is sent as "
                  + linked
                  + " of commit "
                  + commit
                  + "; the hub lists "
                  + remote.etag()
                  + " of "
                  + listing.commit);
        }
        long length = answer.headers().firstValueAsLong("Content-Length").orElse(-1);
        if (answer.status() == 200 && at > 0) {
          // The server knows no ranges.
          restart();
        } else if (answer.status() == 206) {
          String range = header(answer.headers(), "Content-Range", "");
          if (!range.matches(
              "bytes " + at + "-[0-9]+/(\\*|" + (size < 0 ? "[0-9]+" : size) + ")")) {
            throw new HubException(
                id
                    + ": "
                    + remote.name()
                    + " comes with the range \""
                    + range
                    + "\"; asked for byte "
                    + at
                    + " on, of "
                    + size);
          }
        }
        if (size < 0) {
          size = length;
          hash = BlobHash.of(remote.etag(), size);
        } else if (length >= 0 && length != size - at) {
          throw new HubException(
              id
                  + ": "
                  + remote.name()
                  + " is sent with "
                  + (at + length)
                  + " bytes; the hub lists "
                  + size);
        }
      }

      private void write(ByteBuffer bytes) throws IOException {
        try {
          while (bytes.hasRemaining()) {
            at += out.write(bytes, at);
          }
        } catch (ClosedByInterruptException e) {
          throw e;
        } catch (IOException e) {
          // A full disk is no broken connection.
          throw new LocalException(e);
        }
      }

      /** What is wrong with the whole file; null if nothing. */
      @Nullable String wrong() throws IOException {
        if (hash == null) {
          return null;
        }
        String found = hash.finish();
        return found.equals(remote.etag())
            ? null
            : "has the hash " + found + "; the hub lists " + remote.etag();
      }
    }
  }

  /** A failure of this machine, which no other try mends. */
  private static final class LocalException extends IOException {
    private static final long serialVersionUID = 1L;
    private final IOException failure;

    LocalException(IOException failure) {
      super(failure);
      this.failure = failure;
    }
  }
}
