package dev.lmm.core.checkpoint;

import java.io.IOException;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads one pickle of protocol 2 to 5 that holds plain containers and what a {@link Globals} makes.
 *
 * <p>This is no pickle machine: opcodes that make objects of classes, and every opcode tensors do
 * not need, are refused by name, and a global is only looked up in a fixed table. Nothing is ever
 * called. Work and memory are bounded by the length of the pickle: nothing recurses, lengths are
 * checked before they are believed, and what is made is counted against a budget.
 *
 * <p>Values are null, Boolean, Long, BigInteger, Double, String, {@link Tuple}, {@code List},
 * {@code Map} and whatever the globals make.
 *
 * <p>Source: the comments of CPython's {@code pickletools}.
 */
final class PickleReader {
  /** What a pickle may refer to. */
  interface Globals {
    /**
     * A global by name.
     *
     * @return any object, or null if there is none of this name
     */
    @Nullable Object find(String module, String name);

    /** The outcome of calling a global; refuses by throwing. */
    @Nullable Object call(ByteSource source, Object global, Tuple arguments);

    /** What a persistent id stands for; refuses by throwing. */
    Object persistent(ByteSource source, @Nullable Object id);
  }

  /** A tuple. */
  record Tuple(List<@Nullable Object> items) {
    int size() {
      return items.size();
    }

    @Nullable Object at(int index) {
      return index < items.size() ? items.get(index) : null;
    }
  }

  private static final int MAX_NAME = 512;
  private static final int MAX_STRING = 1 << 20;
  // Magic numbers have 10 bytes; nothing else needs more than 8.
  private static final int MAX_INTEGER = 16;
  // About what an object takes: header, fields, its place in a list and in the memo.
  private static final int OBJECT = 40;
  private static final long BASE_BUDGET = 64L << 20;

  private final ByteSource source;
  private final Globals globals;
  private final List<@Nullable Object> stack = new ArrayList<>();
  private int[] marks = new int[16];
  private int markCount;
  private final Map<Long, @Nullable Object> memo = new HashMap<>();
  private final long begin;
  private long made;

  private PickleReader(ByteSource source, Globals globals) {
    this.source = source;
    this.globals = globals;
    this.begin = source.position();
  }

  /**
   * Reads up to and with the STOP opcode.
   *
   * @param source at the pickle's first byte; afterwards behind its last
   * @param globals what it may refer to
   * @return the value
   */
  static @Nullable Object read(ByteSource source, Globals globals) throws IOException {
    return new PickleReader(source, globals).run();
  }

  private @Nullable Object run() throws IOException {
    int first = source.u1();
    int protocol = first == 0x80 ? source.u1() : -1;
    if (protocol < 2 || protocol > 5) {
      throw source.broken(
          first == 0x80 ? "pickle protocol " + protocol : "no pickle", "protocol 2 to 5");
    }
    while (true) {
      int op = source.u1();
      switch (op) {
        case '.' -> {
          if (stack.size() != 1 || markCount != 0) {
            throw source.broken("STOP above " + stack.size() + " values", "exactly one");
          }
          return stack.get(0);
        }
        case 0x95 -> {
          // FRAME: only a hint for readers of streams.
          long length = source.i8();
          if (length < 0 || length > source.remaining()) {
            throw source.broken("a frame of " + length + " bytes", "one within the pickle");
          }
        }
        case '(' -> mark();
        case 'N' -> push(null);
        case 0x88 -> push(true);
        case 0x89 -> push(false);
        case 'J' -> push((long) source.i4());
        case 'K' -> push((long) source.u1());
        case 'M' -> push((long) source.u2());
        case 0x8a -> push(integer(source.u1()));
        case 0x8b -> push(integer(source.i4()));
        case 'G' -> push(source.bigEndianDouble());
        case 'X' -> push(text(source.u4()));
        case 0x8c -> push(text(source.u1()));
        case 0x8d -> push(text(source.i8()));
        // Strings of Python 2.
        case 'T' -> push(text(source.i4()));
        case 'U' -> push(text(source.u1()));
        case ')' -> push(new Tuple(List.of()));
        case 't' -> push(new Tuple(popMark()));
        case 0x85 -> push(new Tuple(pop(1)));
        case 0x86 -> push(new Tuple(pop(2)));
        case 0x87 -> push(new Tuple(pop(3)));
        case ']' -> push(new ArrayList<>(0));
        case 'a' -> append(pop(1));
        case 'e' -> append(popMark());
        case '}' -> push(new LinkedHashMap<>(2));
        case 's' -> put(pop(2));
        case 'u' -> put(popMark());
        case 'q' -> memoize(source.u1());
        case 'r' -> memoize(source.u4());
        case 0x94 -> memoize(memo.size());
        case 'h' -> recall(source.u1());
        case 'j' -> recall(source.u4());
        case 'c' -> global(source.line(MAX_NAME), source.line(MAX_NAME));
        case 0x93 -> {
          List<@Nullable Object> names = pop(2);
          if (!(names.get(0) instanceof String module && names.get(1) instanceof String name)) {
            throw source.broken("STACK_GLOBAL above " + kinds(names), "two strings");
          }
          global(module, name);
        }
        case 'R' -> reduce();
        case 'b' -> build();
        case 'Q' -> push(globals.persistent(source, pop(1).get(0)));
        default ->
            throw source.broken(
                "opcode " + name(op),
                "one of those that tensors and plain containers need; this reader makes no other"
                    + " objects and runs no code");
      }
    }
  }

  private void global(String module, String name) {
    Object global = globals.find(module, name);
    if (global == null) {
      throw source.broken(
          "global " + printable(module) + "." + printable(name),
          "one that tensors need; this reader makes no other objects and runs no code. Save the"
              + " state_dict alone, or as safetensors");
    }
    push(global);
  }

  private void reduce() {
    List<@Nullable Object> call = pop(2);
    Object callee = call.get(0);
    if (callee == null || !(call.get(1) instanceof Tuple arguments)) {
      throw source.broken("REDUCE above " + kinds(call), "a global and a tuple");
    }
    push(globals.call(source, callee, arguments));
  }

  /** Attributes of a dict, such as the {@code _metadata} of a state_dict: of no use to tensors. */
  private void build() {
    Object state = pop(1).get(0);
    if (!(state instanceof Map) || !(peek() instanceof Map)) {
      throw source.broken(
          "BUILD of " + kind(state) + " into " + kind(peek()), "attributes of a dict only");
    }
  }

  private void append(List<@Nullable Object> items) {
    if (!(peek() instanceof List)) {
      throw source.broken("APPEND to " + kind(peek()), "a list");
    }
    @SuppressWarnings("unchecked")
    List<@Nullable Object> list = (List<@Nullable Object>) peek();
    list.addAll(items);
  }

  private void put(List<@Nullable Object> items) {
    if (!(peek() instanceof Map) || items.size() % 2 != 0) {
      throw source.broken(
          "SETITEMS of " + items.size() + " values on " + kind(peek()), "pairs, on a dict");
    }
    @SuppressWarnings("unchecked")
    Map<Object, @Nullable Object> map = (Map<Object, @Nullable Object>) peek();
    for (int i = 0; i < items.size(); i += 2) {
      Object key = items.get(i);
      // A key's hash must cost nothing: a tuple of tuples of ... would.
      if (!(key instanceof String || key instanceof Long)) {
        throw source.broken("a dict key that is " + kind(key), "a string or an integer");
      }
      map.put(key, items.get(i + 1));
    }
    spend(items.size() / 2 * (long) OBJECT);
  }

  private void mark() {
    if (markCount == marks.length) {
      spend(markCount * 4L);
      marks = Arrays.copyOf(marks, markCount * 2);
    }
    marks[markCount++] = stack.size();
  }

  private List<@Nullable Object> popMark() {
    if (markCount == 0) {
      throw source.broken("an opcode without its MARK", "a MARK before it");
    }
    int mark = marks[--markCount];
    return take(mark);
  }

  private List<@Nullable Object> pop(int count) {
    int floor = markCount == 0 ? 0 : marks[markCount - 1];
    if (stack.size() - floor < count) {
      throw source.broken(
          "an opcode that needs " + count + " values above " + (stack.size() - floor), "enough");
    }
    return take(stack.size() - count);
  }

  private List<@Nullable Object> take(int from) {
    List<@Nullable Object> top = stack.subList(from, stack.size());
    List<@Nullable Object> items = Collections.unmodifiableList(new ArrayList<>(top));
    top.clear();
    return items;
  }

  private @Nullable Object peek() {
    if (stack.size() == (markCount == 0 ? 0 : marks[markCount - 1])) {
      throw source.broken("an opcode that needs a value above none", "a value");
    }
    return stack.get(stack.size() - 1);
  }

  private void push(@Nullable Object value) {
    spend(OBJECT);
    stack.add(value);
  }

  private void memoize(long index) {
    spend(OBJECT);
    memo.put(index, peek());
  }

  private void recall(long index) {
    if (!memo.containsKey(index)) {
      throw source.broken("memo entry " + index + " which nothing was put into", "one before");
    }
    push(memo.get(index));
  }

  private String text(long length) throws IOException {
    String text = source.utf8(length, MAX_STRING);
    spend(text.length());
    return text;
  }

  private Object integer(int length) throws IOException {
    byte[] bytes = source.bytes(length, MAX_INTEGER);
    if (bytes.length == 0) {
      return 0L;
    }
    for (int i = 0, j = bytes.length - 1; i < j; i++, j--) {
      byte swapped = bytes[i];
      bytes[i] = bytes[j];
      bytes[j] = swapped;
    }
    BigInteger value = new BigInteger(bytes);
    return value.bitLength() < 64 ? (Object) value.longValue() : value;
  }

  private void spend(long bytes) {
    made += bytes;
    if (made > BASE_BUDGET + 8 * (source.position() - begin)) {
      throw source.broken(
          "values that take more than " + made + " bytes",
          "a pickle of tensors, which takes far less");
    }
  }

  static String kind(@Nullable Object value) {
    if (value == null) {
      return "None";
    }
    if (value instanceof Boolean) {
      return "a bool";
    }
    if (value instanceof Long || value instanceof BigInteger) {
      return "an int";
    }
    if (value instanceof Double) {
      return "a float";
    }
    if (value instanceof String) {
      return "a str";
    }
    if (value instanceof Tuple tuple) {
      return "a tuple of " + tuple.size();
    }
    if (value instanceof List<?> list) {
      return "a list of " + list.size();
    }
    if (value instanceof Map<?, ?> map) {
      return "a dict of " + map.size();
    }
    return value.toString();
  }

  private static String kinds(List<@Nullable Object> values) {
    return String.join(" and ", values.stream().map(PickleReader::kind).toList());
  }

  private static String printable(String text) {
    StringBuilder shown = new StringBuilder();
    text.chars().limit(80).forEach(c -> shown.append(c < 32 || c > 126 ? '?' : (char) c));
    return shown.toString();
  }

  private static String name(int op) {
    String known =
        switch (op) {
          case '0' -> "POP";
          case '1' -> "POP_MARK";
          case '2' -> "DUP";
          case 'F' -> "FLOAT";
          case 'I' -> "INT";
          case 'L' -> "LONG";
          case 'S' -> "STRING";
          case 'V' -> "UNICODE";
          case 'P' -> "PERSID";
          case 'd' -> "DICT";
          case 'l' -> "LIST";
          case 'g' -> "GET";
          case 'p' -> "PUT";
          case 'i' -> "INST";
          case 'o' -> "OBJ";
          case 'B' -> "BINBYTES";
          case 'C' -> "SHORT_BINBYTES";
          case 0x80 -> "PROTO";
          case 0x81 -> "NEWOBJ";
          case 0x82 -> "EXT1";
          case 0x83 -> "EXT2";
          case 0x84 -> "EXT4";
          case 0x8e -> "BINBYTES8";
          case 0x8f -> "EMPTY_SET";
          case 0x90 -> "ADDITEMS";
          case 0x91 -> "FROZENSET";
          case 0x92 -> "NEWOBJ_EX";
          case 0x96 -> "BYTEARRAY8";
          case 0x97 -> "NEXT_BUFFER";
          case 0x98 -> "READONLY_BUFFER";
          default -> "unknown";
        };
    return known + " (0x" + Integer.toHexString(op) + ")";
  }
}
