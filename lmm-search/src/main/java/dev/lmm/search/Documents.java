package dev.lmm.search;

import dev.lmm.Check;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field.Store;
import org.apache.lucene.document.IntPoint;
import org.apache.lucene.document.KnnFloatVectorField;
import org.apache.lucene.document.LongPoint;
import org.apache.lucene.document.StoredField;
import org.apache.lucene.document.StringField;
import org.apache.lucene.index.IndexableField;
import org.apache.lucene.index.VectorSimilarityFunction;
import org.jspecify.annotations.Nullable;

/** A picture as the index holds it. */
final class Documents {
  /** The path below the folder, as the file system spells it: what names a picture. */
  static final String PATH = "path";

  /** The path as patterns are compared with it. */
  static final String MATCHED = "matched";

  /** Path, size and time: what makes a file the one that was embedded. */
  static final String STAMP = "stamp";

  static final String BYTES = "bytes";
  static final String MODIFIED = "modified";
  static final String TAKEN = "taken";
  static final String WIDTH = "width";
  static final String HEIGHT = "height";
  static final String ORIENTATION = "orientation";
  static final String TAG = "tag";
  static final String HASH = "sha256";
  static final String VECTOR = "vector";

  /** Between the parts of a term; no file system has it in a name. */
  private static final char SEPARATOR = '\0';

  /** The longest term that Lucene takes is 32,766 bytes; a character has 3 at most. */
  private static final int LONGEST = 10_000;

  private Documents() {}

  /**
   * A file as it was seen.
   *
   * @param path below the folder, with slashes
   * @param bytes its size
   * @param modified nanoseconds since 1970
   */
  record Seen(String path, long bytes, long modified) {
    String stamp() {
      return path + SEPARATOR + bytes + SEPARATOR + modified;
    }

    Instant time() {
      return Instant.ofEpochSecond(
          Math.floorDiv(modified, TimeUnit.SECONDS.toNanos(1)),
          Math.floorMod(modified, TimeUnit.SECONDS.toNanos(1)));
    }
  }

  static Document document(
      Seen seen,
      LocalDateTime taken,
      int width,
      int height,
      Map<String, String> tags,
      @Nullable String hash,
      float[] vector) {
    Document document = new Document();
    document.add(new StringField(PATH, seen.path(), Store.YES));
    document.add(new StringField(MATCHED, Glob.composed(seen.path()), Store.NO));
    document.add(new StringField(STAMP, seen.stamp(), Store.NO));
    document.add(new LongPoint(BYTES, seen.bytes()));
    document.add(new StoredField(BYTES, seen.bytes()));
    document.add(new StoredField(MODIFIED, seen.modified()));
    document.add(new LongPoint(TAKEN, seconds(taken)));
    document.add(new StoredField(TAKEN, seconds(taken)));
    document.add(new IntPoint(WIDTH, width));
    document.add(new StoredField(WIDTH, width));
    document.add(new IntPoint(HEIGHT, height));
    document.add(new StoredField(HEIGHT, height));
    document.add(new StringField(ORIENTATION, Orientation.of(width, height).name(), Store.NO));
    tags.forEach(
        (name, value) -> {
          checkTag(name, value);
          document.add(new StringField(TAG, tag(name, value), Store.YES));
        });
    if (hash != null) {
      document.add(new StoredField(HASH, hash));
    }
    document.add(new KnnFloatVectorField(VECTOR, vector, VectorSimilarityFunction.DOT_PRODUCT));
    return document;
  }

  /** The same picture with some of it changed. */
  static Document again(
      Document stored, Seen seen, Map<String, String> tags, @Nullable String hash, float[] vector) {
    Photo photo = photo(stored, Path.of(""));
    return document(seen, photo.taken(), photo.width(), photo.height(), tags, hash, vector);
  }

  static Photo photo(Document stored, Path folder) {
    Seen seen = seen(stored);
    return new Photo(
        folder.resolve(seen.path()),
        seen.path(),
        seen.bytes(),
        seen.time(),
        LocalDateTime.ofEpochSecond(number(stored, TAKEN), 0, ZoneOffset.UTC),
        (int) number(stored, WIDTH),
        (int) number(stored, HEIGHT),
        tags(stored));
  }

  static Seen seen(Document stored) {
    String path = stored.get(PATH);
    if (path == null) {
      throw new IllegalStateException("a picture without a path");
    }
    return new Seen(path, number(stored, BYTES), number(stored, MODIFIED));
  }

  static Map<String, String> tags(Document stored) {
    Map<String, String> tags = new LinkedHashMap<>();
    for (String tag : stored.getValues(TAG)) {
      int end = tag.indexOf(SEPARATOR);
      tags.put(tag.substring(0, end), tag.substring(end + 1));
    }
    return tags;
  }

  private static long number(Document stored, String field) {
    IndexableField value = stored.getField(field);
    Number number = value == null ? null : value.numericValue();
    if (number == null) {
      throw new IllegalStateException("a picture without " + field);
    }
    return number.longValue();
  }

  /** A camera's time, which knows no zone, as a number. */
  static long seconds(LocalDateTime time) {
    return time.toEpochSecond(ZoneOffset.UTC);
  }

  static String tag(String name, String value) {
    return name + SEPARATOR + value;
  }

  static void checkTag(String name, String value) {
    Check.notNull(name, "tag: name");
    Check.notNull(value, "tag: value");
    Check.that(!name.isBlank() && name.indexOf(SEPARATOR) < 0, "tag: the name is blank or no text");
    Check.that(
        name.length() + value.length() < LONGEST,
        "tag: " + name + " has " + value.length() + " characters; expected fewer than " + LONGEST);
  }
}
