package dev.lmm.core.hub;

import dev.lmm.CheckpointException;
import dev.lmm.core.json.Json;
import dev.lmm.core.json.JsonText;
import java.nio.charset.StandardCharsets;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * What a bundle says of itself: the models it holds, the native libraries, and the length and hash
 * of every file.
 *
 * @param models in the order they were asked for
 * @param natives sorted by library
 * @param files length and hash by name, sorted
 */
record BundleManifest(
    List<PackedModel> models, List<PackedNatives> natives, Map<String, PackedFile> files) {
  /** Its place in the bundle. */
  static final String NAME = "lmm-bundle.json";

  /** The first bytes of the format to be told from other zips. */
  static final String FORMAT = "lmm-bundle";

  static final int VERSION = 1;

  /** The most that is read of a manifest, in bytes. */
  static final int LARGEST = 32 << 20;

  private static final int MOST_FILES = 100_000;
  private static final int MOST_MODELS = 1000;
  private static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");
  private static final Pattern PART = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,99}");
  // Names that Windows takes for devices, whatever follows a dot.
  private static final Pattern DEVICE =
      Pattern.compile("(con|prn|aux|nul|com[0-9]|lpt[0-9])(\\..*)?", Pattern.CASE_INSENSITIVE);

  /**
   * A model.
   *
   * @param id what it is called: a hub id with its commit, or a folder's name
   * @param folder where its files are, ending in a slash
   * @param variant of its weights, or empty
   */
  record PackedModel(String id, String folder, String variant) {}

  /**
   * Native libraries.
   *
   * @param library whose
   * @param version of the library
   * @param platform that they are for
   * @param folder where they are, ending in a slash
   */
  record PackedNatives(String library, String version, String platform, String folder) {}

  /**
   * A file.
   *
   * @param bytes its length
   * @param sha256 its hash, in hex
   */
  record PackedFile(long bytes, String sha256) {}

  byte[] toBytes() {
    Map<String, Object> document = new LinkedHashMap<>();
    document.put("format", FORMAT);
    document.put("version", VERSION);
    document.put(
        "models",
        models.stream()
            .map(m -> fields("id", m.id(), "folder", m.folder(), "variant", m.variant()))
            .toList());
    document.put(
        "natives",
        natives.stream()
            .map(
                n ->
                    fields(
                        "library",
                        n.library(),
                        "version",
                        n.version(),
                        "platform",
                        n.platform(),
                        "folder",
                        n.folder()))
            .toList());
    List<Map<String, Object>> list = new ArrayList<>();
    files.forEach(
        (name, file) ->
            list.add(fields("name", name, "bytes", file.bytes(), "sha256", file.sha256())));
    document.put("files", list);
    return (JsonText.of(document) + "\n").getBytes(StandardCharsets.UTF_8);
  }

  private static Map<String, Object> fields(Object... pairs) {
    Map<String, Object> map = new LinkedHashMap<>();
    for (int i = 0; i < pairs.length; i += 2) {
      map.put((String) pairs[i], pairs[i + 1]);
    }
    return map;
  }

  /**
   * Reads a manifest, of which nothing is trusted.
   *
   * @throws CheckpointException if it is of another format or version, or a field is not as it must
   *     be; names file and field
   */
  static BundleManifest parse(byte[] bytes, String source) {
    Json json = Json.parse(bytes, source);
    String format = json.stringAt("format");
    if (!format.equals(FORMAT)) {
      throw json.at("format").unexpected(FORMAT);
    }
    long version = json.longAt("version");
    if (version != VERSION) {
      throw new CheckpointException(
          source
              + ": version is "
              + version
              + "; this lmm reads version "
              + VERSION
              + (version > VERSION ? ": use the lmm that made the bundle, or a newer one" : ""));
    }
    List<PackedModel> models = new ArrayList<>();
    Set<String> ids = new TreeSet<>();
    Set<String> folders = new TreeSet<>();
    for (Json item : json.at("models").elements()) {
      String id = item.stringAt("id");
      String variant = item.stringAt("variant");
      if (id.isEmpty() || id.length() > 500 || !ids.add(id)) {
        throw item.at("id").unexpected("a name of 1 to 500 characters that comes once");
      }
      if (!variant.isEmpty() && !PART.matcher(variant).matches()) {
        throw item.at("variant").unexpected("letters, digits, '.', '_' and '-', or nothing");
      }
      models.add(new PackedModel(id, folder(item, "models/", folders), variant));
    }
    if (models.isEmpty() || models.size() > MOST_MODELS) {
      throw new CheckpointException(
          source
              + ": models has "
              + models.size()
              + " entries; expected 1 to "
              + MOST_MODELS
              + " of them");
    }
    List<PackedNatives> natives = new ArrayList<>();
    Set<String> libraries = new TreeSet<>();
    for (Json item : json.at("natives").elements()) {
      String library = item.stringAt("library");
      if (!PART.matcher(library).matches() || !libraries.add(library)) {
        throw item.at("library").unexpected("a plain name that comes once");
      }
      for (String field : List.of("version", "platform")) {
        if (item.stringAt(field).length() > 100) {
          throw item.at(field).unexpected("at most 100 characters");
        }
      }
      natives.add(
          new PackedNatives(
              library,
              item.stringAt("version"),
              item.stringAt("platform"),
              folder(item, "natives/", folders)));
    }
    return new BundleManifest(models, natives, files(json, folders));
  }

  private static String folder(Json item, String below, Set<String> folders) {
    String folder = item.stringAt("folder");
    if (!folder.startsWith(below)
        || !folder.endsWith("/")
        || !PART.matcher(
                folder.substring(below.length(), Math.max(below.length(), folder.length() - 1)))
            .matches()
        || !folders.add(folder)) {
      throw item.at("folder").unexpected(below + "NAME/, a folder of its own");
    }
    return folder;
  }

  private static Map<String, PackedFile> files(Json json, Set<String> folders) {
    List<Json> items = json.at("files").elements();
    if (items.size() > MOST_FILES) {
      throw new CheckpointException(
          json.source()
              + ": files has "
              + items.size()
              + " entries; expected at most "
              + MOST_FILES);
    }
    Map<String, PackedFile> files = new TreeMap<>();
    // As a file system sees names that knows no case, or composes letters.
    Map<String, String> seen = new LinkedHashMap<>();
    for (Json item : items) {
      String name = item.stringAt("name");
      long bytes = item.longAt("bytes");
      String sha256 = item.stringAt("sha256");
      if (!isSafe(name)) {
        throw item.at("name")
            .unexpected("parts separated by slashes, none of which leads out of the bundle");
      }
      if (folders.stream().noneMatch(folder -> name.startsWith(folder))) {
        throw item.at("name").unexpected("a file in a folder of a model or of natives");
      }
      if (bytes < 0) {
        throw item.at("bytes").unexpected("a length of at least 0");
      }
      if (!SHA256.matcher(sha256).matches()) {
        throw item.at("sha256").unexpected("64 hexadecimal digits in lower case");
      }
      String before = seen.put(folded(name), name);
      if (before != null) {
        throw item.at("name")
            .unexpected("a name that differs from " + before + " in more than case");
      }
      files.put(name, new PackedFile(bytes, sha256));
    }
    for (Map.Entry<String, String> entry : seen.entrySet()) {
      String folded = entry.getKey();
      for (int slash = folded.indexOf('/'); slash >= 0; slash = folded.indexOf('/', slash + 1)) {
        String file = seen.get(folded.substring(0, slash));
        if (file != null) {
          throw new CheckpointException(
              json.source()
                  + ": files has "
                  + file
                  + " and "
                  + entry.getValue()
                  + "; expected a name to be a file or a folder, not both");
        }
      }
    }
    return files;
  }

  private static String folded(String name) {
    return Normalizer.normalize(name, Normalizer.Form.NFC)
        .toUpperCase(Locale.ROOT)
        .toLowerCase(Locale.ROOT);
  }

  /** Whether a name is a file's in a folder, on every system. */
  static boolean isSafe(String name) {
    if (!HubFiles.isSafe(name)) {
      return false;
    }
    for (String part : name.split("/", -1)) {
      if (part.endsWith(".") || part.endsWith(" ") || DEVICE.matcher(part).matches()) {
        return false;
      }
    }
    return true;
  }
}
