package dev.lmm.core.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lmm.CheckpointException;
import dev.lmm.core.engine.StoredTensor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Files of the real torch (reference/bin_goldens.py), and files nobody should send. */
class TorchCheckpointTest {
  @TempDir Path folder;

  static Path golden(String name) {
    Path path = Path.of("src/test/resources/bin", name);
    assertThat(path).exists();
    return path;
  }

  static byte[] bytes(CheckpointWeights weights, String name) {
    StoredTensor tensor = weights.locate(name);
    ByteBuffer buffer = weights.map(name, 0, (int) tensor.length());
    byte[] bytes = new byte[buffer.remaining()];
    buffer.get(bytes);
    return bytes;
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "types",
        "views",
        "views_protocol5",
        "net",
        "legacy",
        "legacy_net",
        "legacy_types",
        "wrapped",
        "mixed"
      })
  void equalsWhatTorchReadsBack(String name) {
    Path twin = golden(name + ".safetensors");
    try (CheckpointWeights read = CheckpointWeights.ofTorch(golden(name + ".bin"));
        CheckpointWeights expected =
            CheckpointWeights.ofSafetensors(twin.toString(), List.of(twin))) {
      assertThat(read.names()).hasSameElementsAs(expected.names());
      for (String tensor : expected.names()) {
        assertThat(read.locate(tensor).dtype())
            .as(tensor)
            .isEqualTo(expected.locate(tensor).dtype());
        assertThat(read.shape(tensor)).as(tensor).isEqualTo(expected.shape(tensor));
        assertThat(bytes(read, tensor)).as(tensor).isEqualTo(bytes(expected, tensor));
      }
    }
  }

  @Test
  void readsTrainedWeightsAsPublished() throws Exception {
    List<String> lines = Files.readAllLines(golden("taef2_encoder.pth.tsv"));
    try (CheckpointWeights read = CheckpointWeights.ofTorch(golden("taef2_encoder.pth"))) {
      assertThat(read.names()).hasSameSizeAs(lines);
      for (String line : lines) {
        String[] fields = line.split("\t", -1);
        String name = fields[0];
        assertThat(read.locate(name).dtype().name()).isEqualTo("F16");
        assertThat(fields[1]).isEqualTo("float16");
        assertThat(
                String.join("x", Arrays.stream(read.shape(name)).mapToObj(Long::toString).toList()))
            .isEqualTo(fields[2]);
        byte[] hash = MessageDigest.getInstance("SHA-256").digest(bytes(read, name));
        assertThat(HexFormat.of().formatHex(hash)).as(name).isEqualTo(fields[3]);
        // Where it lies, not a copy.
        assertThat(read.locate(name).file()).isEqualTo(golden("taef2_encoder.pth"));
      }
    }
  }

  @Test
  void copiesOnlyUnusualStridesAndCleansUp() {
    Path copy;
    try (CheckpointWeights read = CheckpointWeights.ofTorch(golden("views.bin"))) {
      List<String> copied =
          read.names().stream()
              .filter(name -> !read.locate(name).file().equals(golden("views.bin")))
              .toList();
      assertThat(copied)
          .containsExactly(
              "column",
              "block",
              "stepped",
              "transposed",
              "one.row",
              "channels.last",
              "permuted",
              "bytes",
              "parameter.transposed");
      copy = read.locate("block").file();
      assertThat(copy).exists();
      // Elements begin where vector instructions like them to.
      assertThat(copied).allMatch(name -> read.locate(name).offset() % 64 == 0);
    }
    assertThat(copy).doesNotExist();
  }

  @Test
  void tiedTensorsShareTheirBytes() {
    try (CheckpointWeights read = CheckpointWeights.ofTorch(golden("net.bin"))) {
      assertThat(read.locate("head.weight").offset())
          .isEqualTo(read.locate("embed.weight").offset());
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "expanded|a tensor of 1000000 elements over storage 0",
        "list|holds a list of 1; expected a dict of tensors",
        "complex|global torch.ComplexFloatStorage of storage 0",
        "sparse|torch._utils._rebuild_sparse_tensor",
        "quantized|global torch._utils._rebuild_qtensor",
        "module|global torch.nn.modules.linear.Linear",
        "evil|global posix.system",
        "legacy_evil|global posix.system",
        "script|TorchScript archive"
      })
  void refusesByName(String name, String message) {
    Path file = golden(name + ".bin");
    assertThatThrownBy(() -> CheckpointWeights.ofTorch(file))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining(file.toString())
        .hasMessageContaining(message);
    assertThat(Path.of("/tmp/lmm-was-here")).doesNotExist();
  }

  // Hand-made pickles. {@code $} stands for a weight's storage and arguments.

  private static final String STORAGE = "(U\7storagectorch\nFloatStorage\nU\0010U\3cpuK\4tQ";

  private static String tensor(String storage, String rest) {
    return "ctorch._utils\n_rebuild_tensor_v2\n(" + storage + rest + "tR";
  }

  private static String state(String tensor) {
    return "\u0080\2}U\1w" + tensor + "s.";
  }

  private Path zip(byte[] pickle) {
    Map<String, byte[]> entries = new LinkedHashMap<>();
    entries.put("a/data.pkl", pickle);
    entries.put("a/data/0", new byte[16]);
    return zip(entries, ZipEntry.STORED);
  }

  private Path zip(String pickle) {
    return zip(pickle.getBytes(StandardCharsets.ISO_8859_1));
  }

  private Path zip(Map<String, byte[]> entries, int method) {
    try {
      Path file = Files.createTempFile(folder, "x", ".bin");
      try (ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(file))) {
        for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
          ZipEntry made = new ZipEntry(entry.getKey());
          made.setMethod(method);
          made.setSize(entry.getValue().length);
          if (method == ZipEntry.STORED) {
            CRC32 crc = new CRC32();
            crc.update(entry.getValue());
            made.setCrc(crc.getValue());
          }
          out.putNextEntry(made);
          out.write(entry.getValue());
          out.closeEntry();
        }
      }
      return file;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void refuses(Path file, String... messages) {
    assertThatThrownBy(() -> CheckpointWeights.ofTorch(file))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining(file.toString())
        .satisfies(e -> assertThat(List.of(messages)).allMatch(e.getMessage()::contains));
  }

  @Test
  void readsAHandMadePickle() {
    try (CheckpointWeights read =
        CheckpointWeights.ofTorch(zip(state(tensor(STORAGE, "K\0K\4\u0085K\1\u0085\u0089N"))))) {
      assertThat(read.shape("w")).containsExactly(4);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "os|system",
        "posix|system",
        "builtins|eval",
        "builtins|exec",
        "__builtin__|eval",
        "subprocess|Popen",
        "torch|load",
        "torch.storage|_load_from_bytes",
        "torch.hub|load",
        "collections|defaultdict",
        "torch._utils|_rebuild_wrapper_subclass",
        "torch._tensor|_rebuild_from_type_v2",
        "numpy.core.multiarray|_reconstruct"
      })
  void knowsNoOtherGlobal(String module, String name) {
    String text = String.format(Locale.ROOT, "c%s\n%s\n", module, name);
    for (String pickle :
        List.of(
            "\u0080\2" + text + "U\2id\u0085R.",
            "\u0080\2}U\1w(" + text + "lst.".replace("l", "]"),
            "\u0080\4\u008c"
                + (char) module.length()
                + module
                + "\u008c"
                + (char) name.length()
                + name
                + "\u0093U\2id\u0085R.",
            state(tensor(STORAGE, "K\0K\4\u0085K\1\u0085\u0089" + text + ")R")))) {
      refuses(zip(pickle), "data.pkl", "global " + module + "." + name, "runs no code");
    }
  }

  @Test
  void knowsNoOtherOpcode() {
    String known =
        ".(NJKMGXTU)t]ae}suqrhjcRbQ\u0080\u0085\u0086\u0087\u0088\u0089\u008a\u008b"
            + "\u008c\u008d\u0093\u0094\u0095";
    List<Integer> refused = new ArrayList<>();
    for (int op = 0; op < 256; op++) {
      if (known.indexOf(op) < 0 || op == 0x80) {
        refused.add(op);
        refuses(
            zip("\u0080\2}U\1aN" + (char) op + "\0\0\0\0\0\0\0\0."),
            "(0x" + Integer.toHexString(op) + ")",
            "runs no code");
      }
    }
    assertThat(refused).hasSize(256 - known.length() + 1);
    refuses(zip("\u0080\2(U\1aNios\nsystem\n."), "opcode INST (0x69)");
    refuses(zip("\u0080\2)\u0081."), "opcode NEWOBJ (0x81)");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "K\\5K\\0\\x85K\\1\\x85\\x89N|",
        "K\\0K\\5\\x85K\\1\\x85\\x89N|elements below 4",
        "K\\1K\\4\\x85K\\1\\x85\\x89N|from element 1 to 4",
        "K\\0K\\2\\x85K\\5\\x85\\x89N|to 5",
        "K\\0K\\2K\\3\\x86K\\1\\x85\\x89N|2 sizes and 1 strides",
        "J\\xff\\xff\\xff\\xffK\\2\\x85K\\1\\x85\\x89N|from element -1",
        "K\\0J\\xff\\xff\\xff\\xff\\x85K\\1\\x85\\x89N|numbers of at least 0",
        "K\\0K\\2\\x85J\\xff\\xff\\xff\\xff\\x85\\x89N|numbers of at least 0",
        "K\\0\\x8a\\x08\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x7f\\x85K\\1\\x85\\x89N|",
        "K\\0\\x8a\\x08\\0\\0\\0\\0\\1\\0\\0\\0\\x8a\\x08\\0\\0\\0\\0\\1\\0\\0\\0\\x86K\\1K\\1\\x86\\x89N|2^63",
        "K\\0K\\xffK\\xff\\x86K\\0K\\0\\x86\\x89N|expanded",
        "NK\\1\\x85K\\1\\x85\\x89N|storage, offset, size and stride",
        "K\\0K\\4\\x85K\\1\\x85\\x89N}U\\4conj\\x88s|conjugated"
      })
  void refusesViewsOutsideOfTheirStorage(String rest, String message) {
    Path file = zip(state(tensor(STORAGE, unescape(rest))));
    if (message == null) {
      // No elements, or too many to count: the first is no error.
      if (rest.startsWith("K\\5K\\0")) {
        CheckpointWeights.ofTorch(file).close();
      } else {
        refuses(file, "data.pkl");
      }
    } else {
      refuses(file, "data.pkl", message);
    }
  }

  private static String unescape(String text) {
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      if (text.charAt(i) != '\\') {
        out.append(text.charAt(i));
      } else if (text.charAt(i + 1) == 'x') {
        out.append((char) Integer.parseInt(text.substring(i + 2, i + 4), 16));
        i += 3;
      } else {
        out.append((char) (text.charAt(i + 1) - '0'));
        i++;
      }
    }
    return out.toString();
  }

  @Test
  void refusesStoragesThatAreNotThere() {
    String args = "K\0K\4\u0085K\1\u0085\u0089N";
    refuses(zip(state(tensor(STORAGE.replace("\0010", "\0017"), args))), "no entry a/data/7");
    refuses(
        zip(state(tensor(STORAGE.replace("\0010", "\t../secret"), args))),
        "no entry a/data/../secret");
    refuses(zip(state(tensor(STORAGE.replace("K\4", "K\5"), args))), "16 bytes", "says 20");
    refuses(zip(state(tensor("U\1xQ", args))), "a persistent id that is a str");
    refuses(zip(state(tensor(STORAGE.replace("storage", "modular"), args))), "persistent id");
    refuses(
        zip(
            "\u0080\2}(U\1w"
                + tensor(STORAGE, args)
                + "U\1v"
                + tensor(STORAGE.replace("Float", "Double"), args)
                + "u."),
        "storage 0 as 4 of F64");
  }

  @Test
  void boundsMemoryAndTime() throws IOException {
    // Lengths that are not there.
    refuses(zip("\u0080\2X\u00ff\u00ff\u00ff\u007fabc"), "a value of 2147483647 bytes");
    refuses(zip("\u0080\4\u008d\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u007fa"), "a value of");
    refuses(zip("\u0080\4\u008d\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ffa"), "a value of");
    refuses(zip("\u0080\2\u008b\u00ff\u00ff\u00ff\u007fa"), "a value of");
    refuses(zip("\u0080\2\u008b\u00ff\u00ff\u00ff\u00ffa"), "a value of -1 bytes");
    refuses(zip("\u0080\2\u008a\u0080" + "a".repeat(200)), "at most 16 bytes");
    refuses(zip("\u0080\4\u0095\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u007fN."), "a frame");
    refuses(zip("\u0080\2c" + "a".repeat(100_000)), "a line of more than");
    // A memo index far out is one entry.
    refuses(zip("\u0080\2Nr\u00ff\u00ff\u00ff\u00ff."), "holds None");
    refuses(zip("\u0080\2j\u00ff\u00ff\u00ff\u00ff."), "memo entry 4294967295");
    // Doubling: each list holds the one before twice. Linear work, for nothing walks it.
    StringBuilder doubling = new StringBuilder("\u0080\2]q\0");
    for (int i = 0; i < 200; i++) {
      doubling.append("](h").append((char) i).append('h').append((char) i).append('e');
      doubling.append('q').append((char) (i + 1));
    }
    refuses(zip(doubling + "."), "201 values");
    // A list and a dict that hold themselves, as value, key and argument.
    refuses(zip("\u0080\2]q\0h\0a."), "holds a list of 1");
    refuses(zip("\u0080\2}q\0U\1ah\0s."), "none a tensor");
    refuses(zip("\u0080\2}q\0U\nstate_dicth\0s."), "none a tensor");
    refuses(zip("\u0080\2}q\0h\0Ns."), "a dict key that is a dict of 0");
    // Deep nesting.
    StringBuilder deep = new StringBuilder("\u0080\2");
    for (int i = 0; i < 300_000; i++) {
      deep.append("]");
    }
    refuses(zip(deep + "a".repeat(299_999) + "."), "holds a list of 1");
    refuses(zip("\u0080\2N" + "\u0085".repeat(300_000) + "."), "holds a tuple of 1");
    // A key whose hash would take forever: tuples within tuples.
    refuses(zip("\u0080\2}N" + "q\0h\0\u0086".repeat(60) + "Ns."), "a dict key that is a tuple");
    // More objects than any checkpoint has: 10 million empty lists in 10 MB.
    byte[] bomb = new byte[10_000_000];
    Arrays.fill(bomb, (byte) ']');
    bomb[0] = (byte) 0x80;
    bomb[1] = 2;
    refuses(zip(bomb), "values that take more than");
    Arrays.fill(bomb, 2, bomb.length, (byte) '(');
    refuses(zip(bomb), "data.pkl");
  }

  @Test
  void refusesBrokenStacks() {
    for (String broken :
        List.of(
            "",
            ".",
            "NN.",
            "t",
            "N\u0087",
            "(N\u0085e",
            "e",
            "a",
            "Na",
            "s",
            "}Ns",
            "}(Nu.",
            "}(NNu",
            "NNR",
            "R",
            "b",
            "Nb",
            "}Nb.",
            "Q",
            "q\0",
            "(q\0",
            "h\0",
            "N(.",
            "\u0093",
            "NN\u0093",
            "}U\1wNs",
            "ccollections\nOrderedDict\n.",
            "ccollections\nOrderedDict\n)R(U\1aNNu",
            "ccollections\nOrderedDict\nN\u0085R",
            "ctorch\nSize\nN\u0085R",
            "ctorch\nFloatStorage\n)R",
            "ctorch._utils\n_rebuild_parameter\nN\u0085R",
            "U\2\u00ff\u00feU")) {
      refuses(zip("\u0080\2" + broken));
    }
    refuses(zip("\u0080\1}."), "protocol 1");
    refuses(zip("\u0080\6}."), "protocol 6");
    refuses(zip("(dp0\n."), "no pickle");
    refuses(zip(""), "the end");
  }

  @Test
  void readsOrderedDictsOfPython2() {
    String pairs =
        "\u0080\2ccollections\nOrderedDict\n](](U\1w"
            + tensor(STORAGE, "K\0K\2K\2\u0086K\2K\1\u0086\u0089N")
            + "eea\u0085R.";
    // (list of [key, value] lists)
    pairs = pairs.replace("](](", "]](").replace("eea", "ea");
    try (CheckpointWeights read = CheckpointWeights.ofTorch(zip(pairs))) {
      assertThat(read.shape("w")).containsExactly(2, 2);
    }
  }

  @Test
  void refusesOtherZips() throws IOException {
    byte[] good =
        state(tensor(STORAGE, "K\0K\4\u0085K\1\u0085\u0089N"))
            .getBytes(StandardCharsets.ISO_8859_1);
    Map<String, byte[]> entries = new LinkedHashMap<>();
    entries.put("a/data.pkl", good);
    entries.put("a/data/0", new byte[16]);
    refuses(zip(entries, ZipEntry.DEFLATED), "a/data.pkl is compressed (method 8)");
    entries.put("a/byteorder", "big".getBytes(StandardCharsets.UTF_8));
    refuses(zip(entries, ZipEntry.STORED), "byteorder is big");
    entries.put("a/byteorder", "little".getBytes(StandardCharsets.UTF_8));
    CheckpointWeights.ofTorch(zip(entries, ZipEntry.STORED)).close();
    entries.put("b/data.pkl", good);
    refuses(zip(entries, ZipEntry.STORED), "a/data.pkl and b/data.pkl; expected one");
    refuses(zip(Map.of("x", new byte[1]), ZipEntry.STORED), "a zip without data.pkl");
    byte[] whole = Files.readAllBytes(golden("net.bin"));
    for (int length = 2; length < whole.length; length += 97) {
      Path cut = Files.write(folder.resolve("cut.bin"), Arrays.copyOf(whole, length));
      refuses(cut);
    }
    refuses(Files.write(folder.resolve("html.bin"), "<html>".getBytes(StandardCharsets.UTF_8)));
    refuses(Files.write(folder.resolve("empty.bin"), new byte[0]), "the end");
    refuses(folder.resolve("none.bin"), "no such file");
    refuses(folder);
  }

  @Test
  void refusesLegacyFilesThatAreCut() throws IOException {
    byte[] whole = Files.readAllBytes(golden("legacy_net.bin"));
    for (int length = 0; length < whole.length; length += 13) {
      Path cut = Files.write(folder.resolve("cut.bin"), Arrays.copyOf(whole, length));
      refuses(cut);
    }
  }

  /** More than 4 GiB and 2^31 elements, as a sparse file: offsets must not wrap. */
  @Test
  void readsFilesBeyondFourGigabytes() throws IOException {
    long numel = 5L << 30;
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    String storage =
        "(U\7storagectorch\nHalfStorage\nU\0010U\3cpu\u008a\10"
            + new String(
                ByteBuffer.allocate(8).putLong(Long.reverseBytes(numel)).array(),
                StandardCharsets.ISO_8859_1)
            + "tQ";
    String view =
        "\u008a\10"
            + new String(
                ByteBuffer.allocate(8).putLong(Long.reverseBytes(numel - 4)).array(),
                StandardCharsets.ISO_8859_1)
            + "K\4\u0085K\1\u0085\u0089N";
    out.writeBytes(state(tensor(storage, view)).getBytes(StandardCharsets.ISO_8859_1));
    Path file = ZipFixtures.wide(folder.resolve("wide.bin"), out.toByteArray(), numel * 2);
    try (CheckpointWeights read = CheckpointWeights.ofTorch(file)) {
      assertThat(read.locate("w").length()).isEqualTo(8);
      assertThat(bytes(read, "w")).containsExactly(1, 2, 3, 4, 5, 6, 7, 8);
    } finally {
      Files.delete(file);
    }
  }
}
