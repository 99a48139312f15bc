package dev.lmm.core.hub;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.lmm.CheckpointException;
import dev.lmm.ModelNotFoundException;
import dev.lmm.core.checkpoint.CheckpointFiles;
import dev.lmm.core.json.Json;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The folder that the Python client keeps models in, shared with it:
 *
 * <pre>
 * models--OWNER--NAME/refs/main                        the commit that was main when last asked
 * models--OWNER--NAME/snapshots/COMMIT/config.json     a link to ../../blobs/HASH
 * models--OWNER--NAME/blobs/HASH                       sha256 of large files, git's sha1 of others
 * models--OWNER--NAME/trees/COMMIT.json                the repository's files with their hashes
 * .locks/models--OWNER--NAME/HASH.lock                 held while that blob is being downloaded
 * </pre>
 *
 * <p>Thread-safe: it holds no state but the folder's name.
 */
public final class HubCache {
  private static final Logger LOG = LoggerFactory.getLogger(HubCache.class);
  private static final String PREFIX = "models--";
  private static final int TREE_VERSION = 1;
  private static final int MAX_DEPTH = 12;

  private final Path root;

  /**
   * A cache.
   *
   * @param root the folder, which may not exist yet
   */
  public HubCache(Path root) {
    this.root = root;
  }

  /**
   * A model in the cache.
   *
   * @param id its repository
   * @param bytes of its files, each counted once
   * @param revisions the branches and tags known, then the commits
   * @param folder where it lies
   */
  public record CachedModel(String id, long bytes, List<String> revisions, Path folder) {
    /**
     * Copies the list.
     *
     * @param id its repository
     * @param bytes of its files, each counted once
     * @param revisions the branches and tags known, then the commits
     * @param folder where it lies
     */
    public CachedModel {
      revisions = List.copyOf(revisions);
    }
  }

  /**
   * A file of a repository, as the hub describes it.
   *
   * @param name relative to the repository
   * @param size in bytes
   * @param blobId git's sha1
   * @param sha256 of large files, else null
   */
  record Listed(String name, long size, String blobId, @Nullable String sha256) {
    String etag() {
      return sha256 == null ? blobId : sha256;
    }
  }

  // Places.

  Path storage(HubId id) {
    return root.resolve(PREFIX + id.repository().replace("/", "--"));
  }

  Path blob(HubId id, String etag) {
    return storage(id).resolve("blobs").resolve(etag);
  }

  Path lock(HubId id, String etag) {
    return root.resolve(".locks")
        .resolve(storage(id).getFileName().toString())
        .resolve(etag + ".lock");
  }

  Path snapshot(HubId id, String commit) {
    return storage(id).resolve("snapshots").resolve(commit);
  }

  /** The commit of a revision, as far as the cache knows. */
  @Nullable String commit(HubId id) {
    if (id.isCommit()) {
      return id.revision();
    }
    Path ref = storage(id).resolve("refs").resolve(id.revision());
    try {
      if (!Files.isRegularFile(ref) || Files.size(ref) > 200) {
        return null;
      }
      String commit = Files.readString(ref).strip();
      return HubId.isCommit(commit) ? commit : null;
    } catch (IOException e) {
      throw new CheckpointException(ref + ": cannot be read: " + e, e);
    }
  }

  /** Remembers the commit of a revision. A cache that cannot be written only forgets it. */
  void remember(HubId id, String commit) {
    if (id.isCommit() || commit.equals(commit(id))) {
      return;
    }
    try {
      write(
          storage(id).resolve("refs").resolve(id.revision()),
          commit.getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      LOG.debug("The cache does not take the reference of {}", id, e);
    }
  }

  private static void write(Path target, byte[] bytes) throws IOException {
    Files.createDirectories(target.getParent());
    Path fresh = target.resolveSibling(target.getFileName() + "." + suffix() + ".tmp");
    try {
      Files.write(fresh, bytes);
      Files.move(
          fresh, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(fresh);
    }
  }

  static String suffix() {
    return UUID.randomUUID().toString().substring(0, 8);
  }

  /**
   * Makes a file of a snapshot, from a blob.
   *
   * @param disk makes the link; null for none, so that the snapshot holds the file itself
   * @param fresh whether nothing else needs the blob, so that it may be moved
   */
  void point(HubId id, String commit, String name, Path blob, @Nullable Disk disk, boolean fresh)
      throws IOException {
    Path pointer = snapshot(id, commit).resolve(name);
    if (Files.exists(pointer)) {
      return;
    }
    Files.createDirectories(pointer.getParent());
    if (disk != null) {
      try {
        // What is there links to nowhere.
        Files.deleteIfExists(pointer);
        disk.link(pointer, pointer.getParent().relativize(blob));
        return;
      } catch (FileAlreadyExistsException e) {
        if (Files.exists(pointer)) {
          return;
        }
        throw e;
      } catch (UnsupportedOperationException | IOException | SecurityException e) {
        LOG.debug("No symbolic links in {}; the snapshot holds the files", root, e);
      }
    }
    if (fresh) {
      Files.move(
          blob, pointer, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } else {
      Path copy = pointer.resolveSibling(pointer.getFileName() + "." + suffix() + ".tmp");
      try {
        Files.copy(blob, copy);
        Files.move(
            copy, pointer, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      } finally {
        Files.deleteIfExists(copy);
      }
    }
  }

  /** Says to backup programs that this can be fetched again. */
  void tag() {
    Path tag = root.resolve("CACHEDIR.TAG");
    try {
      if (!Files.exists(tag)) {
        write(
            tag, "Signature: 8a477f597d28d172789f06886806bc55\n".getBytes(StandardCharsets.UTF_8));
      }
    } catch (IOException e) {
      LOG.debug("{} cannot be written", tag, e);
    }
  }

  // What is there.

  /** Files that exist, links followed, relative with slashes. */
  static SortedSet<String> names(Path folder) {
    TreeSet<String> names = new TreeSet<>();
    if (Files.isDirectory(folder)) {
      try (Stream<Path> files = Files.walk(folder, MAX_DEPTH)) {
        files
            .filter(Files::isRegularFile)
            .forEach(file -> names.add(folder.relativize(file).toString().replace('\\', '/')));
      } catch (IOException e) {
        throw new CheckpointException(folder + ": cannot be listed: " + e, e);
      }
    }
    return names;
  }

  /**
   * What a snapshot lacks for a load.
   *
   * @return null if it is complete; else a file, or what kind of file
   */
  @Nullable String missing(HubId id, String commit, HubOptions options) {
    Path snapshot = snapshot(id, commit);
    SortedSet<String> present = names(snapshot);
    Map<String, Listed> tree = tree(id, commit);
    // Without the repository's own list, what is there is taken for all there is.
    TreeSet<String> all = new TreeSet<>(tree == null ? present : tree.keySet());
    List<String> folders = List.of("");
    List<String> needed = new ArrayList<>();
    if (all.contains(HubFiles.PIPELINE)) {
      if (!present.contains(HubFiles.PIPELINE)) {
        return HubFiles.PIPELINE;
      }
      folders = HubFiles.parts(all, Json.parse(snapshot.resolve(HubFiles.PIPELINE)));
    } else {
      needed.add("config.json");
    }
    boolean any = false;
    for (String folder : folders) {
      needed.addAll(HubFiles.small(all, folder));
      if (options.weights()) {
        for (String file : HubFiles.weights(all, folder, options.variant())) {
          any = true;
          needed.add(file);
          if (file.endsWith(".json") && present.contains(file)) {
            for (String shard : CheckpointFiles.shards(Json.parse(snapshot.resolve(file)))) {
              needed.add(folder + shard);
            }
          }
        }
      }
    }
    for (String file : needed) {
      if (!present.contains(file)) {
        return file;
      }
    }
    return options.weights() && !any ? "its weights" : null;
  }

  /** The repository's files at a commit, if they were listed before. */
  @Nullable Map<String, Listed> tree(HubId id, String commit) {
    Path file = storage(id).resolve("trees").resolve(commit + ".json");
    if (!Files.isRegularFile(file)) {
      return null;
    }
    try {
      Json json = Json.parse(file);
      if (json.longAt("format_version") != TREE_VERSION) {
        return null;
      }
      Map<String, Listed> tree = new TreeMap<>();
      Json files = json.at("files");
      for (String name : files.keys()) {
        Json entry = files.at(name);
        if (HubFiles.isSafe(name)) {
          tree.put(
              name,
              new Listed(
                  name,
                  entry.hasValue("lfs_size") ? entry.longAt("lfs_size") : entry.longAt("size"),
                  entry.stringAt("blob_id"),
                  entry.hasValue("lfs_sha256") ? entry.stringAt("lfs_sha256") : null));
        }
      }
      return tree;
    } catch (CheckpointException e) {
      LOG.warn("A list of files is passed over: {}", e.getMessage());
      return null;
    }
  }

  /** Keeps the list of a repository's files, in the Python client's form. */
  void keepTree(HubId id, String commit, Map<String, Listed> files) {
    Path target = storage(id).resolve("trees").resolve(commit + ".json");
    if (Files.exists(target)) {
      return;
    }
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (JsonGenerator json = new JsonFactory().createGenerator(out)) {
      json.writeStartObject();
      json.writeNumberField("format_version", TREE_VERSION);
      json.writeObjectFieldStart("files");
      for (Listed file : new TreeMap<>(files).values()) {
        json.writeObjectFieldStart(file.name());
        json.writeNumberField("size", file.size());
        json.writeStringField("blob_id", file.blobId());
        if (file.sha256() != null) {
          json.writeStringField("lfs_sha256", file.sha256());
          json.writeNumberField("lfs_size", file.size());
        }
        json.writeEndObject();
      }
      json.writeEndObject();
      json.writeEndObject();
      json.flush();
      write(target, out.toByteArray());
    } catch (IOException e) {
      LOG.debug("{} cannot be written", target, e);
    }
  }

  // For people who look after a cache.

  /**
   * The models of the cache.
   *
   * @return sorted by id
   * @throws CheckpointException if the folder cannot be read
   */
  public List<CachedModel> list() {
    List<CachedModel> models = new ArrayList<>();
    if (!Files.isDirectory(root)) {
      return models;
    }
    try (Stream<Path> folders = Files.list(root)) {
      for (Path folder : folders.sorted().toList()) {
        String name = folder.getFileName().toString();
        if (!name.startsWith(PREFIX) || !Files.isDirectory(folder)) {
          continue;
        }
        List<String> revisions = new ArrayList<>(names(folder.resolve("refs")));
        Path snapshots = folder.resolve("snapshots");
        if (Files.isDirectory(snapshots)) {
          try (Stream<Path> commits = Files.list(snapshots)) {
            commits.sorted().forEach(commit -> revisions.add(commit.getFileName().toString()));
          }
        }
        long bytes = 0;
        try (Stream<Path> files = Files.walk(folder, MAX_DEPTH)) {
          for (Path file : files.toList()) {
            if (Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
              bytes += Files.size(file);
            }
          }
        }
        models.add(
            new CachedModel(
                name.substring(PREFIX.length()).replace("--", "/"), bytes, revisions, folder));
      }
      models.sort(Comparator.comparing(CachedModel::id));
      return models;
    } catch (IOException e) {
      throw new CheckpointException(root + ": cannot be listed: " + e, e);
    }
  }

  /**
   * Deletes a model, all its revisions.
   *
   * @param id its repository
   * @return how many bytes that freed; 0 if it was not there
   * @throws ModelNotFoundException if that is no hub id
   * @throws CheckpointException if it cannot be deleted
   */
  public long remove(String id) {
    HubId parsed = HubId.parse(id);
    Path folder = storage(parsed);
    Path locks = root.resolve(".locks").resolve(folder.getFileName().toString());
    long bytes = 0;
    try {
      for (Path doomed : List.of(folder, locks)) {
        if (!Files.isDirectory(doomed, LinkOption.NOFOLLOW_LINKS)) {
          continue;
        }
        List<Path> paths;
        try (Stream<Path> walk = Files.walk(doomed)) {
          paths = walk.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path path : paths) {
          if (Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)) {
            bytes += Files.size(path);
          }
          Files.deleteIfExists(path);
        }
      }
      return bytes;
    } catch (IOException e) {
      throw new CheckpointException(folder + ": cannot be deleted: " + e, e);
    }
  }

  /**
   * Reads every file of a model again and compares it with its hash.
   *
   * @param id its repository
   * @return what is wrong, by file; empty if all is well
   * @throws ModelNotFoundException if that is no hub id, or not in the cache
   * @throws CheckpointException if a folder cannot be listed
   */
  public Map<Path, String> verify(String id) {
    HubId parsed = HubId.parse(id);
    Path folder = storage(parsed);
    if (!Files.isDirectory(folder)) {
      throw new ModelNotFoundException(id + ": is not in the cache " + root);
    }
    Map<Path, String> wrong = new LinkedHashMap<>();
    for (String name : names(folder.resolve("blobs"))) {
      if (name.endsWith(".incomplete")) {
        continue;
      }
      check(folder.resolve("blobs").resolve(name), name, wrong);
    }
    Path snapshots = folder.resolve("snapshots");
    try (Stream<Path> files =
        Files.isDirectory(snapshots) ? Files.walk(snapshots, MAX_DEPTH) : Stream.empty()) {
      for (Path file : files.toList()) {
        if (Files.isSymbolicLink(file)) {
          if (!Files.exists(file)) {
            wrong.put(file, "links to nothing");
          }
        } else if (Files.isRegularFile(file)) {
          // Where links are not allowed the file itself is here, and only the list has its hash.
          Path below = snapshots.relativize(file);
          String commit = below.getName(0).toString();
          Map<String, Listed> tree = HubId.isCommit(commit) ? tree(parsed, commit) : null;
          Listed listed =
              tree == null || below.getNameCount() < 2
                  ? null
                  : tree.get(below.subpath(1, below.getNameCount()).toString().replace('\\', '/'));
          if (listed != null) {
            check(file, listed.etag(), wrong);
          }
        }
      }
    } catch (IOException e) {
      throw new CheckpointException(snapshots + ": cannot be listed: " + e, e);
    }
    return wrong;
  }

  /**
   * Throws if a file of a model differs from its hash.
   *
   * @param id its repository
   * @throws ModelNotFoundException if that is no hub id, or not in the cache
   * @throws CheckpointException naming the first such file and the cure
   */
  public void requireIntact(String id) {
    Map<Path, String> wrong = verify(id);
    if (!wrong.isEmpty()) {
      Map.Entry<Path, String> first = wrong.entrySet().iterator().next();
      throw new CheckpointException(
          first.getKey()
              + ": "
              + first.getValue()
              + (wrong.size() > 1 ? " (and " + (wrong.size() - 1) + " more files)" : "")
              + "; remove "
              + storage(HubId.parse(id))
              + " and load again");
    }
  }

  private static void check(Path file, String etag, Map<Path, String> wrong) {
    try (InputStream in = Files.newInputStream(file)) {
      BlobHash hash = BlobHash.of(etag, Files.size(file));
      if (hash == null) {
        return;
      }
      in.transferTo(hash.sink(OutputStream.nullOutputStream()));
      String found = hash.finish();
      if (!found.equals(etag)) {
        wrong.put(file, "has the hash " + found + "; expected " + etag);
      }
    } catch (IOException e) {
      wrong.put(file, "cannot be read: " + e);
    }
  }
}
