package dev.lmm.core.checkpoint;

import dev.lmm.CheckpointException;
import dev.lmm.core.checkpoint.PickleReader.Tuple;
import dev.lmm.core.engine.StoredTensor;
import dev.lmm.core.graph.DType;
import dev.lmm.core.internal.ZipDirectory;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads {@code pytorch_model.bin} and {@code .pth} files: what {@code torch.save} writes of a state
 * dict, in the zip form of torch 1.6 and later and in the form before that.
 *
 * <p>No code is run: the pickle inside is read by {@link PickleReader}, which knows tensors and
 * plain containers alone and refuses everything else by name.
 *
 * <p>Nothing is copied: each tensor is a stretch of the file. The exception are tensors whose
 * strides are not those of rows after rows (a transposed matrix, channels last): their elements are
 * written once, in order, into a temporary file that is deleted when the checkpoint is closed. An
 * entry that is compressed, and elements in big-endian order, are refused.
 *
 * <p>The file's value must be a dict from names to tensors; other values beside them are passed
 * over. If it has no tensor but an entry {@code state_dict}, {@code model_state_dict} or {@code
 * model} that has, that entry is read instead.
 */
public final class TorchCheckpoint {
  private static final String STORED =
      "a stored entry, as torch.save writes them: weights are read where they lie; unpack and save"
          + " it again with torch.save";
  private static final BigInteger MAGIC = new BigInteger("1950a86a20f9469cfc6c", 16);
  private static final long LEGACY_PROTOCOL = 1001;
  // The last is that of textual inversions as the web user interface writes them.
  private static final List<String> WRAPPERS =
      List.of("state_dict", "model_state_dict", "model", "string_to_param");
  private static final int MAX_RANK = 32;

  // Storages and dtypes by their names in torch. Null: known, but no type of ours.
  private static final Map<String, @Nullable DType> STORAGES = new LinkedHashMap<>();
  private static final Map<String, @Nullable DType> DTYPES = new LinkedHashMap<>();

  static {
    type("Float", DType.F32, "float32", "float");
    type("Double", DType.F64, "float64", "double");
    type("Half", DType.F16, "float16", "half");
    type("BFloat16", DType.BF16, "bfloat16");
    type("Long", DType.I64, "int64", "long");
    type("Int", DType.I32, "int32", "int");
    type("Short", DType.I16, "int16", "short");
    type("Char", DType.I8, "int8");
    type("Byte", DType.U8, "uint8");
    type("Bool", DType.BOOL, "bool");
    type("Untyped", DType.U8);
    for (String name : List.of("ComplexFloat", "ComplexDouble", "QInt8", "QUInt8", "QInt32")) {
      STORAGES.put(name, null);
    }
    DTYPES.put("float8_e4m3fn", DType.F8_E4M3);
    DTYPES.put("float8_e5m2", DType.F8_E5M2);
    DTYPES.put("uint16", DType.U16);
    DTYPES.put("uint32", DType.U32);
    DTYPES.put("uint64", DType.U64);
    for (String name :
        List.of("complex32", "complex64", "complex128", "float8_e4m3fnuz", "float8_e5m2fnuz")) {
      DTYPES.put(name, null);
    }
  }

  private static void type(String storage, DType type, String... names) {
    STORAGES.put(storage, type);
    for (String name : names) {
      DTYPES.put(name, type);
    }
  }

  /**
   * What a file holds.
   *
   * @param tensors in the dict's order
   * @param temporary the file that {@code tensors} of unusual strides were written to, to be
   *     deleted after use; null if there are none
   */
  record Contents(List<StoredTensor> tensors, @Nullable Path temporary) {}

  /** A global without parameters, such as a function that makes a tensor. */
  private enum Function {
    ORDERED_DICT("collections.OrderedDict"),
    TENSOR("torch._utils._rebuild_tensor"),
    TENSOR_V2("torch._utils._rebuild_tensor_v2"),
    TENSOR_V3("torch._utils._rebuild_tensor_v3"),
    PARAMETER("torch._utils._rebuild_parameter"),
    PARAMETER_WITH_STATE("torch._utils._rebuild_parameter_with_state"),
    SIZE("torch.Size");

    private final String global;

    Function(String global) {
      this.global = global;
    }

    @Override
    public String toString() {
      return "global " + global;
    }
  }

  private record StorageType(String name, @Nullable DType dtype, boolean untyped) {
    @Override
    public String toString() {
      return "global torch." + name;
    }
  }

  private record TorchDtype(String name, @Nullable DType dtype) {
    @Override
    public String toString() {
      return "global torch." + name;
    }
  }

  /** Elements of the file; {@code first} counts from the start of what {@code key} names. */
  private record Storage(String key, DType dtype, boolean untyped, long first, long count) {
    @Override
    public String toString() {
      return "storage " + key;
    }
  }

  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record View(Storage storage, DType dtype, long offset, long[] shape, long[] strides) {
    @Override
    public String toString() {
      return "a tensor";
    }
  }

  /** A stretch of the file. */
  private record Place(long offset, long length) {}

  /** Finds the bytes of a storage. */
  @FunctionalInterface
  private interface Places {
    Place find(String key) throws IOException;
  }

  private final Path file;
  private final FileChannel channel;
  private final Map<String, Storage> storages = new LinkedHashMap<>();

  private TorchCheckpoint(Path file, FileChannel channel) {
    this.file = file;
    this.channel = channel;
  }

  /**
   * Reads the tensors of a file.
   *
   * @param file the file
   * @return its tensors and where they lie
   * @throws CheckpointException if the file is missing or broken, holds anything but tensors and
   *     plain containers, or a form this does not read; names file, place and global
   */
  static Contents read(Path file) {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      return new TorchCheckpoint(file, channel).read();
    } catch (NoSuchFileException e) {
      throw new CheckpointException(file + ": no such file", e);
    } catch (IOException e) {
      throw new CheckpointException(file + ": cannot be read: " + e.getMessage(), e);
    }
  }

  private Contents read() throws IOException {
    long size = channel.size();
    ByteSource source = new ByteSource(file, "start", channel, 0, size);
    int first = source.u1();
    int second = source.u1();
    if (first == 'P' && second == 'K') {
      return readZip();
    }
    if (first == 0x80) {
      return readLegacy(size);
    }
    throw source.broken(
        "bytes " + first + " and " + second, "a zip or a pickle, as torch.save writes them");
  }

  // The zip form: NAME/data.pkl and, for each storage, NAME/data/KEY.

  private Contents readZip() throws IOException {
    ZipDirectory zip = ZipDirectory.read(file, channel);
    String top = null;
    for (String name : zip.entries().keySet()) {
      int slash = name.indexOf('/');
      if (slash >= 0 && name.substring(slash).equals("/data.pkl")) {
        if (top != null) {
          throw new CheckpointException(
              file + ": has " + top + "data.pkl and " + name + "; expected one");
        }
        top = name.substring(0, slash + 1);
      }
    }
    if (top == null) {
      throw new CheckpointException(
          file + ": is a zip without data.pkl; expected a file that torch.save has written");
    }
    if (zip.find(top + "constants.pkl") != null) {
      throw new CheckpointException(
          file
              + ": is a TorchScript archive, a program; expected tensors: save the state_dict with"
              + " torch.save, or as safetensors");
    }
    ZipDirectory.Entry order = zip.find(top + "byteorder");
    if (order != null) {
      String found = new String(bytes(zip, order, 16), StandardCharsets.UTF_8);
      if (!found.equals("little")) {
        throw new CheckpointException(
            file
                + ": byteorder is "
                + found
                + "; expected little: load and save it again on a machine of that order, with"
                + " torch.serialization.set_default_load_endianness");
      }
    }
    ZipDirectory.Entry pickle = zip.entries().get(top + "data.pkl");
    long begin = zip.offset(pickle, STORED);
    ByteSource source = new ByteSource(file, "data.pkl", channel, begin, begin + pickle.length());
    Object value = PickleReader.read(source, new Tensors());
    String folder = top + "data/";
    return tensors(
        value,
        key -> {
          ZipDirectory.Entry entry = zip.find(folder + key);
          if (entry == null) {
            throw new CheckpointException(
                file + ": has no entry " + folder + key + ", but data.pkl names it");
          }
          return new Place(zip.offset(entry, STORED), entry.length());
        });
  }

  private byte[] bytes(ZipDirectory zip, ZipDirectory.Entry entry, int limit) throws IOException {
    long begin = zip.offset(entry, STORED);
    return new ByteSource(file, entry.name(), channel, begin, begin + entry.length())
        .bytes(entry.length(), limit);
  }

  // The form before torch 1.6: pickles of a magic number, a version, the system, the value and the
  // keys of the storages; then, for each storage, its count of elements in 8 bytes and its
  // elements.

  private Contents readLegacy(long size) throws IOException {
    ByteSource source = new ByteSource(file, "pickle", channel, 0, size);
    Object magic = PickleReader.read(source, new Tensors());
    if (!MAGIC.equals(magic)) {
      throw source.broken(
          "a pickle of " + PickleReader.kind(magic), "the magic number of torch.save");
    }
    Object version = PickleReader.read(source, new Tensors());
    if (!Long.valueOf(LEGACY_PROTOCOL).equals(version)) {
      throw source.broken("another version of the format", "version " + LEGACY_PROTOCOL);
    }
    Object system = PickleReader.read(source, new Tensors());
    if (!(system instanceof Map<?, ?> about) || !Boolean.TRUE.equals(about.get("little_endian"))) {
      throw source.broken("a machine that is not little-endian", "little_endian: True");
    }
    Object value = PickleReader.read(source, new Tensors());
    if (!(PickleReader.read(source, new Tensors()) instanceof List<?> keys)) {
      throw source.broken("no list of storages", "one");
    }
    Map<String, Place> places = new LinkedHashMap<>();
    long at = source.position();
    for (Object item : keys) {
      if (!(item instanceof String key) || !storages.containsKey(key) || places.containsKey(key)) {
        throw source.broken("a key of no storage, or twice", "the keys of the tensors' storages");
      }
      ByteSource head = new ByteSource(file, "storage " + key, channel, at, size);
      long count = head.i8();
      Storage storage = storages.get(key);
      long bytes = storage.dtype().bytes();
      if (count < 0 || count != storage.count() || count > head.remaining() / bytes) {
        throw head.broken(
            count + " elements, " + head.remaining() + " bytes left",
            storage.count() + " elements of " + bytes + " bytes; is the download complete?");
      }
      places.put(key, new Place(head.position(), count * bytes));
      at = head.position() + count * bytes;
    }
    return tensors(
        value,
        key -> {
          Place place = places.get(key);
          if (place == null) {
            throw new CheckpointException(file + ": has no storage " + key);
          }
          return place;
        });
  }

  /** What a pickle of tensors may refer to. */
  private final class Tensors implements PickleReader.Globals {
    @Override
    public @Nullable Object find(String module, String name) {
      String global = module + "." + name;
      for (Function function : Function.values()) {
        if (function.global.equals(global)) {
          return function;
        }
      }
      if (module.equals("torch") || module.equals("torch.cuda") || module.equals("torch.storage")) {
        if (name.endsWith("Storage")) {
          String type = name.substring(0, name.length() - "Storage".length());
          if (STORAGES.containsKey(type)) {
            return new StorageType(name, STORAGES.get(type), type.equals("Untyped"));
          }
        }
        if (module.equals("torch") && DTYPES.containsKey(name)) {
          return new TorchDtype(name, DTYPES.get(name));
        }
      }
      return null;
    }

    @Override
    public Object persistent(ByteSource source, @Nullable Object id) {
      if (!(id instanceof Tuple tuple
          && tuple.size() >= 5
          && "storage".equals(tuple.at(0))
          && tuple.at(1) instanceof StorageType type
          && tuple.at(2) instanceof String key
          && tuple.at(3) instanceof String
          && tuple.at(4) instanceof Long count)) {
        throw source.broken(
            "a persistent id that is " + PickleReader.kind(id),
            "('storage', type, key, device, count)");
      }
      DType dtype = type.dtype();
      if (dtype == null) {
        throw source.broken(type + " of storage " + key, "real or whole numbers, not quantized");
      }
      if (count < 0 || count > Long.MAX_VALUE / 8) {
        throw source.broken("storage " + key + " of " + count + " elements", "a size of memory");
      }
      Storage root = new Storage(key, dtype, type.untyped(), 0, count);
      Storage known = storages.putIfAbsent(key, root);
      if (known != null && !known.equals(root)) {
        throw source.broken(
            "storage " + key + " as " + count + " of " + dtype,
            known.count() + " of " + known.dtype() + " as before");
      }
      // Older files have views of storages: (key of the view, first element, count).
      if (tuple.at(5) instanceof Tuple view) {
        if (!(view.size() == 3
            && view.at(1) instanceof Long first
            && view.at(2) instanceof Long length
            && first >= 0
            && length >= 0
            && first <= count - length)) {
          throw source.broken("a view outside of storage " + key, "one within");
        }
        return new Storage(key, dtype, type.untyped(), first, length);
      } else if (tuple.at(5) != null || tuple.size() > 6) {
        throw source.broken("a persistent id with more fields", "5 or 6");
      }
      return root;
    }

    @Override
    public Object call(ByteSource source, Object global, Tuple arguments) {
      if (global instanceof Function function) {
        switch (function) {
          case ORDERED_DICT -> {
            return orderedDict(source, arguments);
          }
          case TENSOR, TENSOR_V2, TENSOR_V3 -> {
            return view(source, function, arguments);
          }
          case PARAMETER, PARAMETER_WITH_STATE -> {
            if (arguments.at(0) instanceof View view) {
              return view;
            }
            throw source.broken(function + " of " + PickleReader.kind(arguments.at(0)), "a tensor");
          }
          case SIZE -> {
            if (arguments.size() == 1 && arguments.at(0) instanceof Tuple size) {
              return size;
            }
            throw source.broken(function + " of no tuple", "a tuple");
          }
        }
      }
      throw source.broken(
          "a call of " + PickleReader.kind(global), "a call that makes a tensor or a dict");
    }

    private Map<Object, @Nullable Object> orderedDict(ByteSource source, Tuple arguments) {
      Map<Object, @Nullable Object> map = new LinkedHashMap<>(2);
      if (arguments.size() == 0) {
        return map;
      }
      // Python 2 hands over a list of pairs.
      if (arguments.size() == 1 && arguments.at(0) instanceof List<?> pairs) {
        for (Object pair : pairs) {
          if (pair instanceof List<?> items
              && items.size() == 2
              && items.get(0) instanceof String key) {
            map.put(key, items.get(1));
          } else if (pair instanceof Tuple items
              && items.size() == 2
              && items.at(0) instanceof String key) {
            map.put(key, items.at(1));
          } else {
            throw source.broken("OrderedDict of " + PickleReader.kind(pair), "pairs");
          }
        }
        return map;
      }
      throw source.broken("OrderedDict of " + arguments.size() + " values", "pairs");
    }

    private View view(ByteSource source, Function function, Tuple arguments) {
      if (!(arguments.at(0) instanceof Storage storage
          && arguments.at(1) instanceof Long offset
          && arguments.at(2) instanceof Tuple size
          && arguments.at(3) instanceof Tuple stride)) {
        throw source.broken(
            function + " of " + arguments.size() + " other values",
            "storage, offset, size and stride");
      }
      DType dtype = storage.dtype();
      if (function == Function.TENSOR_V3) {
        if (!(arguments.at(6) instanceof TorchDtype named)) {
          throw source.broken(function + " without a dtype", "one as the seventh argument");
        }
        dtype = named.dtype();
        if (dtype == null) {
          throw source.broken(named.toString(), "a type of this library");
        }
        if (!storage.untyped() && storage.dtype() != dtype) {
          throw source.broken(named + " over " + storage.dtype(), "one type");
        }
      } else if (storage.untyped()) {
        throw source.broken(function + " over an untyped storage", "a typed one");
      }
      // Conjugated or negated views; real numbers have neither.
      Object metadata = arguments.at(function == Function.TENSOR_V3 ? 7 : 6);
      if (metadata instanceof Map<?, ?> bits && bits.containsValue(true)) {
        throw source.broken("a conjugated or negated view", "plain elements");
      }
      long[] shape = longs(source, size, "size");
      long[] strides = longs(source, stride, "stride");
      if (shape.length != strides.length) {
        throw source.broken(
            shape.length + " sizes and " + strides.length + " strides", "as many of each");
      }
      View view = new View(storage, dtype, offset, shape, strides);
      check(source, view);
      return view;
    }

    private long[] longs(ByteSource source, Tuple tuple, String what) {
      if (tuple.size() > MAX_RANK) {
        throw source.broken(what + " of " + tuple.size() + " axes", "at most " + MAX_RANK);
      }
      long[] longs = new long[tuple.size()];
      for (int i = 0; i < longs.length; i++) {
        if (!(tuple.at(i) instanceof Long number && number >= 0)) {
          throw source.broken(
              what + " with " + PickleReader.kind(tuple.at(i)), "numbers of at least 0");
        }
        longs[i] = number;
      }
      return longs;
    }

    /** A view's elements lie within its storage. */
    private void check(ByteSource source, View view) {
      Storage storage = view.storage();
      long capacity = storage.untyped() ? storage.count() / view.dtype().bytes() : storage.count();
      try {
        long elements = 1;
        long last = view.offset();
        for (int i = 0; i < view.shape().length; i++) {
          elements = Math.multiplyExact(elements, view.shape()[i]);
          last =
              Math.addExact(
                  last, Math.multiplyExact(Math.max(0, view.shape()[i] - 1), view.strides()[i]));
        }
        Math.multiplyExact(elements, 8L);
        if (view.offset() < 0 || (elements > 0 && last >= capacity)) {
          throw source.broken(
              "a tensor from element " + view.offset() + " to " + last,
              "elements below " + capacity + ", which " + storage + " has");
        }
        // A tensor that repeats its elements could be of any size, whatever the file's.
        if (elements > capacity) {
          throw source.broken(
              "a tensor of " + elements + " elements over " + storage,
              "at most the " + capacity + " it has (an expanded view?)");
        }
      } catch (ArithmeticException e) {
        throw source.broken("a tensor beyond 2^63 bytes", "less");
      }
    }
  }

  private Contents tensors(@Nullable Object value, Places places) throws IOException {
    Map<String, View> views = views(value);
    List<StoredTensor> tensors = new ArrayList<>(views.size());
    Map<String, Place> found = new LinkedHashMap<>();
    try (StridedCopy copy = new StridedCopy(file, channel)) {
      for (Map.Entry<String, View> named : views.entrySet()) {
        View view = named.getValue();
        Storage storage = view.storage();
        Place place = found.get(storage.key());
        if (place == null) {
          place = places.find(storage.key());
          long expected = storages.get(storage.key()).count() * storage.dtype().bytes();
          if (place.length() != expected) {
            throw new CheckpointException(
                file
                    + ": storage "
                    + storage.key()
                    + " has "
                    + place.length()
                    + " bytes; the pickle says "
                    + expected);
          }
          found.put(storage.key(), place);
        }
        int bytes = view.dtype().bytes();
        long begin =
            place.offset() + storage.first() * storage.dtype().bytes() + view.offset() * bytes;
        if (contiguous(view)) {
          long length = bytes;
          for (long dim : view.shape()) {
            length *= dim;
          }
          tensors.add(
              new StoredTensor(named.getKey(), view.dtype(), view.shape(), file, begin, length));
        } else {
          tensors.add(
              copy.write(named.getKey(), view.dtype(), view.shape(), view.strides(), begin));
        }
      }
      return new Contents(List.copyOf(tensors), copy.keep());
    }
  }

  private static boolean contiguous(View view) {
    long expected = 1;
    for (int i = view.shape().length - 1; i >= 0; i--) {
      long dim = view.shape()[i];
      if (dim == 0) {
        return true;
      }
      if (dim != 1 && view.strides()[i] != expected) {
        // An empty tensor has no strides to speak of.
        for (long other : view.shape()) {
          if (other == 0) {
            return true;
          }
        }
        return false;
      }
      expected *= dim;
    }
    return true;
  }

  private Map<String, View> views(@Nullable Object value) {
    if (!(value instanceof Map<?, ?> map)) {
      throw new CheckpointException(
          file + ": holds " + PickleReader.kind(value) + "; expected a dict of tensors");
    }
    Map<String, View> views = named(map);
    for (String wrapper : WRAPPERS) {
      if (views.isEmpty() && map.get(wrapper) instanceof Map<?, ?> inner) {
        views = named(inner);
      }
    }
    if (views.isEmpty()) {
      throw new CheckpointException(
          file
              + ": holds a dict of "
              + map.size()
              + " entries, none a tensor; expected a dict of tensors, or one under "
              + WRAPPERS);
    }
    return views;
  }

  private static Map<String, View> named(Map<?, ?> map) {
    Map<String, View> views = new LinkedHashMap<>();
    map.forEach(
        (key, value) -> {
          if (key instanceof String name && value instanceof View view) {
            views.put(name, view);
          }
        });
    return views;
  }
}
